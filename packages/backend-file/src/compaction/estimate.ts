/** How much of a segment is still needed: told from some of its records, since only all of them say it exactly. */
import type { Disk } from "../disk.ts"
import { kind, kindAt, lengthAt, takesPosition } from "../log/item.ts"
import type { SealedSegment } from "../log/segment.ts"
import { Items } from "./items.ts"
import type { IsLiving } from "./living.ts"

// So many places are looked at, and so many items from each of them on.
const places = 16
const items = 8

// Multiples of the golden ratio lie evenly on the unit interval, and follow no rhythm that records may have.
const golden = 0.618_033_988_749_895

/** What is to be estimated. */
export interface Estimating {
  readonly disk: Disk
  /** Of the log. */
  readonly directory: string
  readonly isLiving: IsLiving
}

/**
 * About what share of a segment's bytes is needed, from 0 to 1. Throws `Corrupt` where the segment is damaged, and what
 * the disk throws.
 */
export const livingShare = ({ directory, disk, isLiving }: Estimating, segment: SealedSegment): number => {
  const { first, last } = segment
  const segmentItems = new Items(disk, directory, segment)
  let seen = 0
  let living = 0
  try {
    const { file } = segmentItems
    for (let n = 1; n <= places; n++) {
      const position = file.next(first + Math.floor((n * golden) % 1 * (last - first + 1)))
      if (position > last) continue
      let offset = file.offset(position)
      for (let i = 0; i < items && offset < file.end; i++) {
        const at = segmentItems.at(offset)
        const { chunk } = segmentItems
        const length = lengthAt(chunk, at)
        // What frames take isn't worth writing everything anew.
        if (isRecord(kindAt(chunk, at))) {
          seen += length
          if (isLiving(chunk, at)) living += length
        }
        offset += length
      }
    }
  } finally {
    segmentItems.close()
  }
  return seen === 0 ? 0 : living / seen
}

const isRecord = (of: number): boolean => takesPosition(of) || of === kind.identified
