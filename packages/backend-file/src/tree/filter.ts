/**
 * Bloom filters: whether a run may hold a key, found out from one page of 4 KiB. A key's bits all lie in one page,
 * which its hash chooses, so that a filter is read, checked and cached page by page.
 */
import { crc32 } from "node:zlib"
import type { Key } from "../key.ts"
import { sumSeed } from "./block.ts"

/** Size of a page in a run: bits, then a checksum (u32, little-endian). */
export const pageBytes = 4096
const sumAt = pageBytes - 4
const pageBits = 8 * sumAt

// Ten bits and seven probes a key: one in a hundred keys that aren't there is looked for in vain.
const bitsPerKey = 10
const probes = 7

/** Two independent 32-bit hashes of a key. */
export interface KeyHash {
  /** Chooses the page. */
  readonly page: number
  /** Chooses the bits. */
  readonly bits: number
}

/** Hashes the first `length` bytes of a key: FNV-1a, and the finalizer of MurmurHash3 for the second one. */
export const hashOf = (key: Key, length: number = key.length): KeyHash => {
  let hash = 0x811c9dc5
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = mix(hash)
  return { page: hash >>> 0, bits: mix(hash + 0x9e3779b9) >>> 0 }
}

const mix = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** How many pages a filter for this many keys has. */
export const pagesFor = (keys: number): number => Math.ceil(keys * bitsPerKey / pageBits)

/** Which of a filter's pages tells of a key. */
export const pageOf = (hash: KeyHash, pages: number): number => Math.floor(hash.page / 2 ** 32 * pages)

/** Whether the keys that a page tells of may include this one. */
export const mayHold = (page: Uint8Array, hash: KeyHash): boolean => {
  let bit = hash.bits % pageBits
  const step = stepOf(hash)
  for (let i = 0; i < probes; i++) {
    if (((page[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
    bit = (bit + step) % pageBits
  }
  return true
}

// At most half a page, and never 0.
const stepOf = ({ bits }: KeyHash): number => 1 + (bits >>> 18)

/** Collects the filter of a run whose number of keys is known to be at most `keys`. */
export class FilterBuilder {
  readonly pages: number
  /** How many hashes it was told. */
  count = 0
  private readonly bytes: Buffer

  constructor(keys: number) {
    this.pages = pagesFor(keys)
    this.bytes = Buffer.alloc(this.pages * pageBytes)
  }

  add(hash: KeyHash): void {
    this.count++
    const { bytes } = this
    const start = pageOf(hash, this.pages) * pageBytes
    let bit = hash.bits % pageBits
    const step = stepOf(hash)
    for (let i = 0; i < probes; i++) {
      const at = start + (bit >>> 3)
      bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7))
      bit = (bit + step) % pageBits
    }
  }

  /** The pages as they are written at this offset. */
  finish(salt: number, offset: number): Uint8Array {
    for (let page = 0; page < this.pages; page++) {
      const start = page * pageBytes
      const sum = crc32(this.bytes.subarray(start, start + sumAt), sumSeed(salt, offset + start))
      this.bytes.writeUInt32LE(sum, start + sumAt)
    }
    return this.bytes
  }
}

/** Whether a page is what was written at that offset of that run. */
export const isWhole = (page: Buffer, salt: number, offset: number): boolean =>
  page.byteLength === pageBytes && crc32(page.subarray(0, sumAt), sumSeed(salt, offset)) === page.readUInt32LE(sumAt)
