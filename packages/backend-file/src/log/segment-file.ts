/** Sealed segments opened for reading: a few at a time, each with the table of its positions. */
import { join } from "node:path"
import type { Disk } from "../disk.ts"
import { damage } from "../error.ts"
import type { Section } from "./log.ts"
import { isDense, PositionTable, tableHeader } from "./position-table.ts"
import { fileOf, footerBytes, footerOf, type SealedSegment } from "./segment.ts"
import { chunkOf } from "./window.ts"

// More files than this aren't held open, nor larger tables than this altogether.
const mostFiles = 64
const mostTableBytes = 16 * 1024 * 1024

// So many positions are looked up one by one in the file before its table is read as a whole.
const singleLookups = 16

/** A sealed segment that is open. Its items end where its table begins. */
export class SegmentFile implements Section {
  readonly path: string
  readonly fd: number
  readonly end: number
  readonly first: number
  readonly last: number
  readonly segment: SealedSegment
  private readonly disk: Disk
  private table: PositionTable | undefined
  private lookups = 0

  constructor(disk: Disk, directory: string, segment: SealedSegment) {
    this.disk = disk
    this.segment = segment
    this.first = segment.first
    this.last = segment.last
    this.path = join(directory, fileOf(segment))
    this.fd = disk.open(this.path, "read")
    try {
      this.end = this.checkFooter()
    } catch (cause) {
      disk.close(this.fd)
      throw cause
    }
  }

  /** How much memory its table takes. */
  get tableBytes(): number {
    return this.table?.byteLength ?? 0
  }

  /** Where in the file the record of a position is; 0 where there is none any more. */
  offset(position: number): number {
    if (this.table === undefined && ++this.lookups <= singleLookups && isDense(this.bytesOfTable, this.segment)) {
      const single = this.entry(position - this.segment.first)
      // Whoever follows it finds out whether it's right. That nothing is there is believed of a whole table alone.
      if (single > 0) return single
    }
    return this.whole.offset(position)
  }

  /** The first position from here on that has a record; above `last` where none has. */
  next(position: number): number {
    return this.offset(position) > 0 ? position : this.whole.next(position)
  }

  /** Lets the file go. */
  close(): void {
    this.disk.close(this.fd)
  }

  private entry(n: number): number {
    const bytes = Buffer.alloc(4)
    this.disk.read(this.fd, bytes, this.end + tableHeader + n * 4)
    return bytes.readUInt32LE()
  }

  // What the footer says must be what the manifest says of it.
  private checkFooter(): number {
    const { bytes, chain, first, last } = this.segment
    const at = bytes - footerBytes
    const read = Buffer.allocUnsafe(footerBytes)
    const size = this.disk.size(this.fd)
    if (size !== bytes) throw damage(this.path, Math.min(size, bytes), `it has ${size} bytes where it had ${bytes}`)
    this.disk.read(this.fd, read, at)
    const footer = footerOf(chunkOf(read))
    if (typeof footer === "string") throw damage(this.path, at, footer)
    const same = footer.first === first && footer.last === last && footer.chain === chain
    if (!same || footer.tableAt > at) throw damage(this.path, at, "it's another segment than the manifest lists")
    return footer.tableAt
  }

  /** The table of all positions. */
  get whole(): PositionTable {
    this.table ??= this.readTable()
    return this.table
  }

  private get bytesOfTable(): number {
    return this.segment.bytes - footerBytes - this.end
  }

  private readTable(): PositionTable {
    const bytes = Buffer.allocUnsafeSlow(this.bytesOfTable)
    this.disk.read(this.fd, bytes, this.end)
    const table = PositionTable.of(chunkOf(bytes), this.segment)
    if (typeof table === "string") throw damage(this.path, this.end, table)
    return table
  }
}

/** The sealed segments that are open: whoever needs one more lets the one go that was needed least lately. */
export class SegmentFiles {
  private readonly disk: Disk
  private readonly directory: string
  private readonly opened = new Map<SealedSegment, SegmentFile>()
  private latest: SegmentFile | undefined

  constructor(disk: Disk, directory: string) {
    this.disk = disk
    this.directory = directory
  }

  /** A segment's file. Throws `Corrupt` where it isn't what the manifest lists, and whatever the disk throws. */
  file(segment: SealedSegment): SegmentFile {
    if (this.latest?.segment === segment) return this.latest
    const file = this.opened.get(segment) ?? new SegmentFile(this.disk, this.directory, segment)
    // Moved to the end, which is where the latest ones are.
    this.opened.delete(segment)
    this.opened.set(segment, file)
    this.latest = file
    this.trim()
    return file
  }

  /** Lets go of all but these. */
  keep(segments: ReadonlyArray<SealedSegment>): void {
    const kept = new Set(segments)
    for (const segment of this.opened.keys()) if (!kept.has(segment)) this.letGo(segment)
  }

  private trim(): void {
    let tables = 0
    for (const { tableBytes } of this.opened.values()) tables += tableBytes
    for (const [segment, { tableBytes }] of this.opened) {
      if (this.opened.size <= mostFiles && tables <= mostTableBytes) return
      if (segment === this.latest?.segment) return
      tables -= tableBytes
      this.letGo(segment)
    }
  }

  private letGo(segment: SealedSegment): void {
    this.opened.get(segment)?.close()
    this.opened.delete(segment)
    if (this.latest?.segment === segment) this.latest = undefined
  }
}
