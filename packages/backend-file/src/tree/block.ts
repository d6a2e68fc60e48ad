/** A block: sorted entries in some 4 KiB, with a table of where each begins and a checksum; runs are made of them. */
import { crc32 } from "node:zlib"
import type { Key } from "../key.ts"
import type { Encodable } from "./cursor.ts"
import { putVarint, varintAt, varintEnd, varintLength } from "./varint.ts"

/** What a key has in a run or memtable: its value, or `null` where it was deleted. */
export type Held = Uint8Array | null

/** A block is closed before it grows beyond this, unless the fewest entries that it must have are larger. */
export const blockBytes = 4096

// After the entries: for each where it begins (u16), how many there are (u16), the checksum (u32); all little-endian.
const countBytes = 2
const sumBytes = 4
const tailBytes = countBytes + sumBytes

/**
 * What the checksum of anything in a run starts with: it differs for each run and place, so that bytes of another run,
 * or from another place of this one, are not taken for the ones that belong here.
 */
export const sumSeed = (salt: number, offset: number): number =>
  (salt ^ (offset % 2 ** 32) ^ Math.imul(Math.floor(offset / 2 ** 32), 0x9e3779b1)) >>> 0

/** Collects entries, in order, for one block after the other. */
export class BlockBuilder {
  private bytes = Buffer.allocUnsafe(2 * blockBytes)
  private size = 0
  private starts: Array<number> = []
  private readonly fewest: number
  /** The key of the block's first entry. */
  first: Key | undefined

  /** So many entries at least go into a block, however large they are. */
  constructor(fewest: number) {
    this.fewest = fewest
  }

  /** Whether an entry of this size goes into the block that's being collected. */
  fits(size: number): boolean {
    const { length } = this.starts
    return length < this.fewest || this.size + size + 2 * (length + 1) + tailBytes <= blockBytes
  }

  /** Adds an entry of this size; its key is above all before it. */
  add(entry: Encodable, size: number): void {
    this.reserve(size)
    this.first ??= entry.key
    this.starts.push(this.size)
    entry.encode(this.bytes, this.size)
    this.size += size
  }

  /** Ends the block and starts the next one. The bytes are good until then: the next `add` overwrites them. */
  finish(salt: number, offset: number): Uint8Array {
    const { starts } = this
    this.reserve(2 * starts.length + tailBytes)
    let at = this.size
    for (const start of starts) at = this.bytes.writeUInt16LE(start, at)
    at = this.bytes.writeUInt16LE(starts.length, at)
    at = this.bytes.writeUInt32LE(crc32(this.bytes.subarray(0, at), sumSeed(salt, offset)), at)
    this.size = 0
    this.starts = []
    this.first = undefined
    return this.bytes.subarray(0, at)
  }

  private reserve(more: number): void {
    if (this.size + more <= this.bytes.byteLength) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.byteLength, this.size + more))
    larger.set(this.bytes.subarray(0, this.size))
    this.bytes = larger
  }
}

/** How many bytes an entry takes: the lengths of its key and value as varints (0 where it was deleted), then both. */
export const entrySize = (key: Key, value: Held): number =>
  varintLength(key.length) + key.length +
  (value === null ? 1 : varintLength(value.byteLength + 1) + value.byteLength)

/** Writes an entry. */
export const encodeEntry = (key: Key, value: Held, into: Buffer, start: number): void => {
  let at = putVarint(into, start, key.length)
  at = putVarint(into, at, value === null ? 0 : value.byteLength + 1)
  for (let i = 0; i < key.length; i++) into[at++] = key.charCodeAt(i)
  if (value !== null) copyBytes(value, 0, value.byteLength, into, at)
}

// Up to here a loop is quicker than a call.
const fewBytes = 64

const copyBytes = (from: Uint8Array, start: number, end: number, into: Buffer, at: number): void => {
  if (end - start > fewBytes) into.set(from.subarray(start, end), at)
  else for (let i = start, to = at; i < end; i++, to++) into[to] = from[i] ?? 0
}

/** A block as it was read. */
export class Block {
  readonly count: number
  private readonly bytes: Buffer
  private readonly table: number
  private text: string | undefined

  private constructor(bytes: Buffer, count: number) {
    this.bytes = bytes
    this.count = count
    this.table = bytes.byteLength - tailBytes - 2 * count
  }

  /** The block in these bytes, or `undefined` where they are not what was written at that offset of that run. */
  static of(bytes: Buffer, salt: number, offset: number): Block | undefined {
    const end = bytes.byteLength - sumBytes
    if (end < countBytes || crc32(bytes.subarray(0, end), sumSeed(salt, offset)) !== bytes.readUInt32LE(end)) {
      return undefined
    }
    return new Block(bytes, bytes.readUInt16LE(end - countBytes))
  }

  /** How much memory it holds. */
  get byteLength(): number {
    return this.bytes.byteLength
  }

  key(i: number): Key {
    const start = this.start(i)
    const from = varintEnd(this.bytes, varintEnd(this.bytes, start))
    // One call for all keys of the block, then slices of it: whoever asks for one key mostly goes on to the next.
    this.text ??= this.bytes.toString("latin1", 0, this.table)
    // These bytes were written as a key.
    return this.text.slice(from, from + varintAt(this.bytes, start)) as Key
  }

  value(i: number): Held {
    const start = this.start(i)
    const lengthAt = varintEnd(this.bytes, start)
    const length = varintAt(this.bytes, lengthAt)
    if (length === 0) return null
    const from = varintEnd(this.bytes, lengthAt) + varintAt(this.bytes, start)
    return this.bytes.subarray(from, from + length - 1)
  }

  deleted(i: number): boolean {
    return this.bytes[varintEnd(this.bytes, this.start(i))] === 0
  }

  /** How many bytes an entry takes. */
  size(i: number): number {
    return this.end(i) - this.start(i)
  }

  /** Writes an entry elsewhere as it is. */
  copy(i: number, into: Buffer, at: number): void {
    copyBytes(this.bytes, this.start(i), this.end(i), into, at)
  }

  /** The first entry whose key is at or above this one; `count` where there is none. */
  ceiling(key: Key): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(middle, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether an entry has this key. */
  holds(i: number, key: Key): boolean {
    return i < this.count && this.compare(i, key) === 0
  }

  private start(i: number): number {
    const at = this.table + 2 * i
    return (this.bytes[at] ?? 0) + 256 * (this.bytes[at + 1] ?? 0)
  }

  private end(i: number): number {
    return i + 1 < this.count ? this.start(i + 1) : this.table
  }

  private compare(i: number, key: Key): number {
    const { bytes } = this
    const start = this.start(i)
    const length = varintAt(bytes, start)
    const from = varintEnd(bytes, varintEnd(bytes, start))
    const least = Math.min(length, key.length)
    for (let n = 0; n < least; n++) {
      const difference = (bytes[from + n] ?? 0) - key.charCodeAt(n)
      if (difference !== 0) return difference
    }
    return length - key.length
  }
}
