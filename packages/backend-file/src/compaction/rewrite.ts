/** Writes some segments that follow on each other anew, as one, with what is still needed of them. */
import type { Position } from "@persist/core"
import type { Disk } from "../disk.ts"
import { damage } from "../error.ts"
import { beginFrame, endFrame, type Standpoint } from "../log/frame.ts"
import { type Chunk, kindAt, lengthAt, takesPosition } from "../log/item.ts"
import { Offsets } from "../log/offsets.ts"
import { Out } from "../log/out.ts"
import { positionAt } from "../log/read-record.ts"
import { type SealedSegment, segmentHeader, type SegmentName, writeFooter, writeHeader } from "../log/segment.ts"
import { Items } from "./items.ts"
import type { IsLiving } from "./living.ts"

/** The file that segments are written to. */
export interface Target {
  readonly fd: number
  readonly name: SegmentName
}

/** Neighbours, in their order. */
export type Segments = readonly [SealedSegment, ...ReadonlyArray<SealedSegment>]

/** What is to be written anew. */
export interface Rewriting {
  readonly disk: Disk
  /** Of the log. */
  readonly directory: string
  readonly segments: Segments
  /** What the first of them follows on. */
  readonly since: Standpoint
  readonly target: Target
  readonly isLiving: IsLiving
}

// Frames grow to this before the next is begun, and so many items are passed over before others may have a turn.
const frameBytes = 256 * 1024
const turnItems = 32

/**
 * Writes the segments' needed records into the target, which is what replaces them, without syncing it. Each record is
 * copied as it is, its checksum with it, and each item read is checked. Yields wherever it may pause. Throws `Corrupt`
 * where a segment is damaged, and what the disk throws.
 */
export function* rewrite(rewriting: Rewriting): Generator<void, SealedSegment> {
  const { directory, disk, isLiving, segments } = rewriting
  const copy = new Copy(rewriting)
  for (const segment of segments) {
    const items = new Items(disk, directory, segment)
    try {
      yield* copyItems(items, copy, isLiving)
    } finally {
      items.close()
    }
  }
  return copy.finish(segments.at(-1) ?? segments[0])
}

function* copyItems(items: Items, copy: Copy, isLiving: IsLiving): Generator<void> {
  const { file } = items
  let records = 0
  let turn = 0
  for (let offset = segmentHeader; offset < file.end;) {
    const at = items.at(offset)
    const { chunk } = items
    const of = kindAt(chunk, at)
    if (takesPosition(of)) {
      records++
      const position = positionAt(chunk, at)
      if (file.offset(position) !== offset) {
        throw damage(file.path, offset, "a record isn't where the table says", position)
      }
    }
    if (isLiving(chunk, at)) copy.add(chunk, at)
    offset = items.behind(offset, at)
    if (++turn % turnItems === 0) yield
  }
  if (records !== file.whole.records) throw damage(file.path, file.end, "the table tells of records that aren't there")
}

/** A segment being written. */
class Copy {
  private readonly disk: Disk
  private readonly target: Target
  private readonly first: Position
  private readonly out = new Out(2 * frameBytes)
  private readonly numbers = new Offsets()
  private readonly offsets = new Offsets()
  private standpoint: Standpoint
  /** Position of the last record that was added. */
  private last: Position
  private written = 0

  constructor({ disk, since, target }: Rewriting) {
    this.disk = disk
    this.target = target
    this.first = target.name.first
    this.standpoint = since
    this.last = since.head
    writeHeader(this.out, since, target.name.generation)
    this.flush()
  }

  add(chunk: Chunk, at: number): void {
    const { out } = this
    if (out.length === 0) beginFrame(out, this.standpoint)
    const position = positionAt(chunk, at)
    if (takesPosition(kindAt(chunk, at))) {
      this.numbers.push(position - this.first)
      this.offsets.push(this.written + out.length)
      this.last = position
    }
    const length = lengthAt(chunk, at)
    out.room(length)
    out.raw(chunk.bytes.subarray(at, at + length))
    if (out.length >= frameBytes) this.endFrame(this.last)
  }

  finish({ chain, last }: SealedSegment): SealedSegment {
    const { first, out, target: { name } } = this
    // Frames tell of each position, whether anything is left at it or not.
    if (out.length > 0 || this.standpoint.head < last) {
      if (out.length === 0) beginFrame(out, this.standpoint)
      this.endFrame(last)
    }
    const places = { numbers: this.numbers.all(), offsets: this.offsets.all() }
    // What follows on these segments names the last frame that they had.
    writeFooter(out, places, { first, last, tableAt: this.written, chain: Buffer.from(chain, "hex") })
    this.flush()
    return { ...name, last, bytes: this.written, chain }
  }

  private endFrame(head: Position): void {
    this.standpoint = { head, chain: endFrame(this.out, 0, head) }
    this.flush()
  }

  private flush(): void {
    this.disk.write(this.target.fd, this.out.bytes.subarray(0, this.out.length), this.written)
    this.written += this.out.length
    this.out.clear(2 * frameBytes)
  }
}
