/** The log as it is read: segment after segment, by position. */
import type { Disk } from "../disk.ts"
import { damage } from "../error.ts"
import { type Chunk, itemFault, kindAt, lengthAt, takesPosition } from "./item.ts"
import { positionAt } from "./read-record.ts"
import { SegmentFiles } from "./segment-file.ts"
import type { SealedSegment } from "./segment.ts"
import { type ItemFile, Window } from "./window.ts"

/** A part of the log: records at some of the positions from `first` to `last`. */
export interface Section extends ItemFile {
  readonly first: number
  readonly last: number
  /** Where in the file the record of one of its positions is; 0 where there is none any more. */
  readonly offset: (position: number) => number
  /** The first position from here on that has a record; above `last` where none has. */
  readonly next: (position: number) => number
}

/** What's done with a record: `false` ends a walk. */
export type Use<A> = (chunk: Chunk, at: number) => A

/** Sealed segments, and behind them the one that is being written. What isn't what was written is `Corrupt`. */
export class Log {
  private readonly files: SegmentFiles
  private readonly window: Window
  private sealed: ReadonlyArray<SealedSegment> = []
  private tail: Section | undefined

  constructor(disk: Disk, directory: string) {
    this.files = new SegmentFiles(disk, directory)
    this.window = new Window(disk)
  }

  /** Goes over to other segments. */
  use(sealed: ReadonlyArray<SealedSegment>, tail: Section | undefined): void {
    this.sealed = sealed
    this.tail = tail
    this.files.keep(sealed)
    this.window.forget()
  }

  /** Lets every file go; none can be read any more. */
  close(): void {
    this.use([], undefined)
  }

  /** Uses the record at a position; `undefined` where there is none any more. */
  record<A>(position: number, use: Use<A>): A | undefined {
    const section = this.section(position)
    const offset = section?.offset(position) ?? 0
    if (section === undefined || offset === 0) return undefined
    const at = this.item(section, offset, position)
    const { chunk } = this.window
    if (positionAt(chunk, at) === position && takesPosition(kindAt(chunk, at))) return use(chunk, at)
    throw damage(section.path, offset, "another record is here than the table of positions says", position)
  }

  /** Uses every record with `after < position <= to`, in their order, until a use answers false. */
  walk(after: number, to: number, use: Use<boolean>): void {
    for (let next = after + 1; next <= to;) {
      const section = this.section(next)
      if (section === undefined) return
      const last = Math.min(section.last, to)
      const start = section.next(next)
      if (start <= last && !this.walkSection(section, start, last, use)) return
      next = last + 1
    }
  }

  private walkSection(section: Section, start: number, last: number, use: Use<boolean>): boolean {
    let next = start
    let offset = section.offset(start)
    if (offset >= section.end) throw damage(section.path, section.end, "the table of positions leads nowhere", start)
    // What lies behind the last one isn't looked at: it may be damaged.
    while (offset < section.end && next <= last) {
      const at = this.item(section, offset, next)
      const { chunk } = this.window
      if (takesPosition(kindAt(chunk, at))) {
        const position = positionAt(chunk, at)
        if (next === start ? position !== start : position < next) {
          throw damage(section.path, offset, "a record is out of its order", position)
        }
        if (position > last) return true
        if (!use(chunk, at)) return false
        next = position + 1
      }
      offset += lengthAt(chunk, at)
    }
    return true
  }

  private item(section: Section, offset: number, position: number): number {
    const at = this.window.item(section, offset)
    const fault = itemFault(this.window.chunk, at)
    if (fault !== undefined) throw damage(section.path, offset, fault, position)
    return at
  }

  private section(position: number): Section | undefined {
    const { sealed, tail } = this
    if (tail !== undefined && position >= tail.first) return position <= tail.last ? tail : undefined
    let low = 0
    let high = sealed.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sealed[middle]?.last ?? 0) < position) low = middle + 1
      else high = middle
    }
    const segment = sealed[low]
    return segment === undefined ? undefined : this.files.file(segment)
  }
}
