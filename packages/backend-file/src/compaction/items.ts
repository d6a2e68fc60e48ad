/** The items of one sealed segment, one after the other, each with its checksum verified. */
import type { Disk } from "../disk.ts"
import { damage } from "../error.ts"
import { type Chunk, itemFault, lengthAt } from "../log/item.ts"
import { SegmentFile } from "../log/segment-file.ts"
import type { SealedSegment } from "../log/segment.ts"
import { Window } from "../log/window.ts"

/** A sealed segment opened by itself, apart from those that readers use. */
export class Items {
  readonly file: SegmentFile
  private readonly window: Window

  /** Throws `Corrupt` where it isn't what was sealed, and what the disk throws. */
  constructor(disk: Disk, directory: string, segment: SealedSegment) {
    this.file = new SegmentFile(disk, directory, segment)
    this.window = new Window(disk)
  }

  /** What the item is in that {@link at} found last. */
  get chunk(): Chunk {
    return this.window.chunk
  }

  /** Finds the item at an offset of the file; answers where in {@link chunk} it is. Throws `Corrupt`. */
  at(offset: number): number {
    const at = this.window.item(this.file, offset)
    const fault = itemFault(this.window.chunk, at)
    if (fault !== undefined) throw damage(this.file.path, offset, fault)
    return at
  }

  /** Where the item behind the one at `offset` begins, which {@link at} has found. */
  behind(offset: number, at: number): number {
    return offset + lengthAt(this.window.chunk, at)
  }

  close(): void {
    this.file.close()
  }
}
