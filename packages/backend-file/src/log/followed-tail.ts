/** The segment that another process is writing: each frame is believed once it can't be lost any more. */
import { Position } from "@persist/core"
import type { Disk } from "../disk.ts"
import { eachItem, type Frame, frameAt, frameBytesAt, frameHeader } from "./frame.ts"
import { type Chunk, kindAt, takesPosition } from "./item.ts"
import type { Section } from "./log.ts"
import { type Offsets } from "./offsets.ts"
import { chunkOf } from "./window.ts"

/** A segment as far as it was read. */
export interface TailStart {
  readonly path: string
  readonly fd: number
  readonly first: number
  readonly head: Position
  readonly end: number
  readonly chain: Buffer
  readonly offsets: Offsets
}

/** The end of a log that somebody else writes. */
export class FollowedTail implements Section {
  readonly path: string
  readonly fd: number
  readonly first: number
  private readonly disk: Disk
  private readonly offsets: Offsets
  private chain: Buffer
  last: Position
  end: number

  constructor(disk: Disk, { chain, end, fd, first, head, offsets, path }: TailStart) {
    this.disk = disk
    this.path = path
    this.fd = fd
    this.first = first
    this.last = head
    this.end = end
    this.chain = chain
    this.offsets = offsets
  }

  /** Where in the file the record of a position is. */
  offset(position: number): number {
    return this.offsets.get(position - this.first)
  }

  /** The first position from here on that has a record: each has. */
  next(position: number): number {
    return position
  }

  /**
   * Reads the whole frames behind the end, and uses them if `confirm` then says so, which makes sure that they are
   * durable: their writer may not have come so far, and somebody else may have taken the store over from it. Answers
   * whether there were any.
   */
  extend(confirm: () => boolean, use: (chunk: Chunk, at: number) => void): boolean {
    const found: Array<readonly [chunk: Chunk, frame: Frame, offset: number]> = []
    let { chain, end, last } = this
    for (let chunk = this.chunkAt(end); chunk !== undefined; chunk = this.chunkAt(end)) {
      const frame = frameAt(chunk, 0)
      if (typeof frame === "string" || frame.first !== last + 1 || !frame.before.equals(chain)) break
      found.push([chunk, frame, end])
      last = Position(last + frame.positions)
      chain = frame.chain
      end += chunk.bytes.length
    }
    if (found.length === 0) return false
    if (!confirm()) return false
    for (const [chunk, frame, offset] of found) {
      eachItem(chunk, frame, (at) => {
        if (takesPosition(kindAt(chunk, at))) this.offsets.push(offset + at)
        use(chunk, at)
      })
    }
    this.chain = chain
    this.end = end
    this.last = last
    return true
  }

  /** Lets the file go. */
  close(): void {
    this.disk.close(this.fd)
  }

  // The frame at an offset as far as the file holds it; nothing where none has begun there.
  private chunkAt(offset: number): Chunk | undefined {
    const start = Buffer.allocUnsafe(frameHeader)
    if (this.disk.read(this.fd, start, offset) < frameHeader) return undefined
    const length = frameBytesAt(chunkOf(start), 0)
    if (length === undefined || offset + length > this.disk.size(this.fd)) return undefined
    const bytes = Buffer.allocUnsafeSlow(length)
    return chunkOf(bytes.subarray(0, this.disk.read(this.fd, bytes, offset)))
  }
}
