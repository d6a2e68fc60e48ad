/** The segment that is being written: frames go behind one another, and nothing before its end is ever touched. */
import { LimitExceeded, Position } from "@persist/core"
import type { Disk } from "../disk.ts"
import { codeOf, Unsettled } from "../error.ts"
import type { Standpoint } from "./frame.ts"
import type { Section } from "./log.ts"
import { Offsets } from "./offsets.ts"
import { Out } from "./out.ts"
import type { SealedSegment, SegmentName } from "./segment.ts"
import { writeFooter } from "./segment.ts"

/** A segment and where it stands. */
export interface OpenedSegment extends SegmentName, Standpoint {
  readonly path: string
  readonly fd: number
  /** Behind its last frame. */
  readonly end: number
  readonly offsets: Offsets
}

// Zeros are written ahead of the frames, so that most flushes needn't make the file longer, which takes the file
// system a second write: a third quicker where measured. Twice as many each time, between these.
const leastAhead = 64 * 1024
const mostAhead = 1024 * 1024
const zeros = Buffer.alloc(leastAhead)

// A frame that is longer makes the file longer: its bytes, written twice, would take the disk more time than that does
// (plan 0012).
const longFrame = 64 * 1024

// Places in a file are told in 32 bits.
const mostBytes = 2 ** 32 - 1

const tooLarge = (actual: number): LimitExceeded =>
  new LimitExceeded({
    field: "commit",
    limit: mostBytes,
    actual,
    unit: "bytes of one file of the log",
    remedy: "commit less at once, or open the store with smaller segmentBytes"
  })

// Without them a frame has room, or is refused, as well.
const outOfSpace = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** The end of the log, for its one writer. */
export class OpenSegment implements Section, Standpoint {
  readonly path: string
  readonly fd: number
  readonly name: SegmentName
  readonly offsets: Offsets
  private readonly disk: Disk
  private readonly limit: number
  end: number
  head: Position
  chain: Buffer
  /** How far zeros were written. */
  private reserved: number

  /** `limit` is the size it's meant for: no zeros are written beyond. */
  constructor(disk: Disk, { chain, end, fd, first, generation, head, offsets, path }: OpenedSegment, limit: number) {
    this.disk = disk
    this.path = path
    this.fd = fd
    this.name = { first, generation }
    this.offsets = offsets
    this.end = end
    this.reserved = end
    this.head = head
    this.chain = chain
    this.limit = limit
  }

  get first(): number {
    return this.name.first
  }

  get last(): number {
    return this.head
  }

  /** Where in the file the record of a position is. */
  offset(position: number): number {
    return this.offsets.get(position - this.name.first)
  }

  /** The first position from here on that has a record: each has. */
  next(position: number): number {
    return position
  }

  /**
   * Makes a frame durable, after which the log stands at `then`. Throws what the disk throws where nothing of it is
   * left, `LimitExceeded` for a frame that goes beyond the places in a file that can be told, and {@link Unsettled}
   * where nobody can say; the segment must not be used any more then.
   */
  append(frame: Uint8Array, then: Standpoint): void {
    const end = this.end + frame.length
    if (end > mostBytes) throw tooLarge(end)
    this.attempt(() => this.disk.write(this.fd, frame, this.end))
    if (frame.length < longFrame) this.reserve(end)
    else this.reserved = Math.max(this.reserved, end)
    this.flush()
    this.end = end
    this.head = then.head
    this.chain = then.chain
  }

  /** Ends the file with the table of its positions; nothing can be appended any more. Throws as {@link append}. */
  seal(): SealedSegment {
    const { chain, end, head, name: { first, generation }, offsets } = this
    const out = new Out(offsets.length * 4 + 1024)
    writeFooter(out, { numbers: undefined, offsets: offsets.all() }, { first, last: head, tableAt: end, chain })
    this.attempt(() => this.disk.write(this.fd, out.bytes.subarray(0, out.length), end))
    this.attempt(() => this.disk.truncate(this.fd, end + out.length))
    this.flush()
    return { first, last: head, generation, bytes: end + out.length, chain: chain.toString("hex") }
  }

  /** Whether its file is still there. */
  get isNamed(): boolean {
    return this.disk.isNamed(this.fd)
  }

  /** Undoes {@link seal}. Throws {@link Unsettled} where that fails. */
  unseal(cause: unknown): void {
    this.takeBack(cause)
  }

  /** Lets the file go. */
  close(): void {
    this.disk.close(this.fd)
  }

  /** Takes away the zeros behind the last frame: nobody goes on writing. */
  trim(): void {
    if (this.reserved === this.end) return
    this.disk.truncate(this.fd, this.end)
    this.reserved = this.end
    this.flush()
  }

  private attempt(write: () => void): void {
    try {
      write()
    } catch (cause) {
      this.takeBack(cause)
      throw cause
    }
  }

  // What got into the file of it must not be there when more is written.
  private takeBack(cause: unknown): void {
    try {
      this.disk.truncate(this.fd, this.end)
      this.disk.sync(this.fd)
    } catch {
      throw new Unsettled("a write that failed and couldn't be taken back", cause)
    }
    this.reserved = this.end
  }

  private reserve(end: number): void {
    if (end <= this.reserved) return
    this.reserved = end
    const to = Math.min(this.limit, end + Math.max(leastAhead, Math.min(mostAhead, end)))
    try {
      while (this.reserved < to) {
        const length = Math.min(zeros.length, to - this.reserved)
        this.disk.write(this.fd, zeros.subarray(0, length), this.reserved)
        this.reserved += length
      }
    } catch (cause) {
      if (!outOfSpace.has(codeOf(cause) ?? "")) throw new Unsettled("a write that failed", cause)
    }
  }

  // Never again after a failure: the system may hold for written what it has not written, and say so the second time.
  private flush(): void {
    try {
      this.disk.sync(this.fd)
    } catch (cause) {
      throw new Unsettled("a flush that failed", cause)
    }
  }
}
