/**
 * Writes a run: its entries in blocks, over them blocks with the first key of each, level by level up to one root,
 * then the filter and the footer. A static B-tree, written from the bottom and in one pass.
 */
import { randomBytes } from "node:crypto"
import type { Disk } from "../disk.ts"
import { headLength, type Key } from "../key.ts"
import { BlockBuilder, encodeEntry, entrySize } from "./block.ts"
import type { Cursor, Encodable } from "./cursor.ts"
import { FilterBuilder, hashOf, pageBytes } from "./filter.ts"
import { type BlockPlace, encodeFooter, footerSum } from "./footer.ts"
import type { RunInfo } from "./tree.ts"
import { putVarint, varintLength } from "./varint.ts"

// What is written at once, and how many entries are added before others may have a turn.
const writeBytes = 64 * 1024
const turnEntries = 32

// Above the entries each block stands for several of the level below, or levels of long keys would never come to one.
const fewestBranches = 4

/** A new file for a run, and what is known of the run beforehand. */
export interface NewRun {
  readonly disk: Disk
  readonly fd: number
  readonly file: string
  /** At least as many as will be hashed: each key, and each head of keys. */
  readonly mostHashes: number
}

/**
 * Writes what a cursor passes over as a run, without syncing it; `undefined` where it passed over nothing. Yields
 * wherever it may pause. Throws what the disk throws, and what the cursor does.
 */
export function* writeRun(run: NewRun, entries: Cursor, keepDeletions: boolean): Generator<void, RunInfo | undefined> {
  const writer = new RunWriter(run)
  for (let n = 1; entries.key !== undefined; n++) {
    if (keepDeletions || !entries.deleted) writer.add(entries.key, entries)
    entries.advance()
    if (n % turnEntries === 0) yield
  }
  return yield* writer.finish()
}

class RunWriter {
  private readonly run: NewRun
  private readonly salt = randomBytes(4).readUInt32LE()
  private readonly filter: FilterBuilder
  private readonly levels = [new BlockBuilder(1)]
  private readonly buffer = Buffer.allocUnsafe(writeBytes)
  private buffered = 0
  private written = 0
  private entries = 0
  private head: string | undefined

  constructor(run: NewRun) {
    this.run = run
    this.filter = new FilterBuilder(run.mostHashes)
  }

  add(key: Key, entry: Encodable): void {
    this.entries++
    this.addAt(0, entry)
    this.filter.add(hashOf(key))
    // Whatever starts with a head has it.
    if (this.head !== undefined && key.startsWith(this.head)) return
    const length = headLength(key)
    if (length === key.length) return
    this.head = key.slice(0, length)
    this.filter.add(hashOf(key, length))
  }

  *finish(): Generator<void, RunInfo | undefined> {
    if (this.entries === 0) return undefined
    const root = this.closeLevels()
    const filterAt = this.offset
    const pages = this.filter.finish(this.salt, filterAt)
    for (let at = 0; at < pages.byteLength; at += writeBytes) {
      this.write(pages.subarray(at, at + writeBytes))
      yield
    }
    const footer = encodeFooter({
      salt: this.salt,
      root,
      height: this.levels.length - 1,
      filterAt,
      filterPages: pages.byteLength / pageBytes,
      entries: this.entries,
      hashes: this.filter.count
    })
    this.write(footer)
    this.flush()
    return { file: this.run.file, bytes: this.written, entries: this.entries, sum: footerSum(footer) }
  }

  private get offset(): number {
    return this.written + this.buffered
  }

  private addAt(level: number, entry: Encodable): void {
    const block = this.levelAt(level)
    const { size } = entry
    if (!block.fits(size)) this.closeBlock(level)
    block.add(entry, size)
  }

  private levelAt(level: number): BlockBuilder {
    return this.levels[level] ??= new BlockBuilder(fewestBranches)
  }

  // Writes the block that a level collects, and tells the level above.
  private closeBlock(level: number): void {
    const block = this.levelAt(level)
    const { first } = block
    if (first === undefined) return
    const place = encodePlace(this.writeBlock(block))
    this.addAt(level + 1, {
      key: first,
      size: entrySize(first, place),
      encode: (into, at) => encodeEntry(first, place, into, at)
    })
  }

  private closeLevels(): BlockPlace {
    // Closing a level may open one more above it.
    for (let level = 0; level < this.levels.length - 1; level++) this.closeBlock(level)
    return this.writeBlock(this.levelAt(this.levels.length - 1))
  }

  private writeBlock(block: BlockBuilder): BlockPlace {
    const offset = this.offset
    const bytes = block.finish(this.salt, offset)
    this.write(bytes)
    return { offset, length: bytes.byteLength }
  }

  private write(bytes: Uint8Array): void {
    if (this.buffered + bytes.byteLength > writeBytes) this.flush()
    if (bytes.byteLength >= writeBytes) {
      this.run.disk.write(this.run.fd, bytes, this.written)
      this.written += bytes.byteLength
      return
    }
    this.buffer.set(bytes, this.buffered)
    this.buffered += bytes.byteLength
  }

  private flush(): void {
    if (this.buffered === 0) return
    this.run.disk.write(this.run.fd, this.buffer.subarray(0, this.buffered), this.written)
    this.written += this.buffered
    this.buffered = 0
  }
}

// As the entries of all levels but the lowest have it for their value.
const encodePlace = ({ length, offset }: BlockPlace): Uint8Array => {
  const bytes = new Uint8Array(varintLength(offset) + varintLength(length))
  putVarint(bytes, putVarint(bytes, 0, offset), length)
  return bytes
}
