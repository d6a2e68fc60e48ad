/** The part of a file that was read last: larger and larger parts where one item after the other is asked for. */
import type { Disk } from "../disk.ts"
import { type Chunk, lengthAt } from "./item.ts"
import { viewOf } from "./out.ts"

/** A file that holds items up to `end`. */
export interface ItemFile {
  readonly path: string
  readonly fd: number
  /** Where the items end that may be read. */
  readonly end: number
}

const smallest = 4 * 1024
const largest = 256 * 1024

/** One window on the files of a log. */
export class Window {
  private readonly disk: Disk
  private readonly buffer = Buffer.allocUnsafeSlow(largest)
  private file: ItemFile | undefined
  private start = 0
  private size = smallest
  /** What is in it. */
  chunk: Chunk = chunkOf(Buffer.alloc(0))

  constructor(disk: Disk) {
    this.disk = disk
  }

  /** Makes the item at an offset of a file stand in {@link chunk}, as far as the file holds it; answers where. */
  item(file: ItemFile, offset: number): number {
    const end = this.start + this.chunk.bytes.length
    const at = offset - this.start
    if (file === this.file && at >= 0 && offset < end) {
      const length = lengthAt(this.chunk, at)
      if (length > 0 && offset + length <= end) return at
    }
    const near = file === this.file && offset >= this.start && offset < end + this.size
    this.size = near ? Math.min(largest, this.size * 4) : smallest
    this.fill(file, offset, this.size)
    const length = lengthAt(this.chunk, 0)
    if (length > this.chunk.bytes.length) this.fill(file, offset, length)
    return 0
  }

  /** Forgets what was read: for when a file holds something else now. */
  forget(): void {
    this.file = undefined
  }

  private fill(file: ItemFile, offset: number, length: number): void {
    const wanted = Math.max(0, Math.min(length, file.end - offset))
    const into = wanted <= largest ? this.buffer.subarray(0, wanted) : Buffer.allocUnsafeSlow(wanted)
    const count = this.disk.read(file.fd, into, offset)
    this.file = file
    this.start = offset
    this.chunk = chunkOf(into.subarray(0, count))
  }
}

/** Bytes as a chunk. */
export const chunkOf = (bytes: Buffer): Chunk => ({ bytes, view: viewOf(bytes) })
