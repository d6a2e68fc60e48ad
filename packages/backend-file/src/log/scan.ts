/** Segments read as a whole, frame by frame: when a store is opened, and when its index is made anew. */
import { Position } from "@persist/core"
import { join } from "node:path"
import type { Contents } from "../contents/contents.ts"
import { type Disk, readFile } from "../disk.ts"
import { damage } from "../error.ts"
import type { Manifest } from "../manifest.ts"
import { eachItem, type Frame, hashOf, scanFrames, type Scanned, type Standpoint } from "./frame.ts"
import { type Chunk, kindAt, takesPosition } from "./item.ts"
import { Offsets } from "./offsets.ts"
import { positionAt } from "./read-record.ts"
import {
  fileOf,
  footerBytes,
  footerOf,
  headerFault,
  type SealedSegment,
  segmentHeader,
  type SegmentName
} from "./segment.ts"
import { chunkOf } from "./window.ts"

/** Where the first segment of a store begins: the hash of its identity stands for a frame before it. */
export const rootOf = (identity: string): Standpoint => ({ head: Position(0), chain: hashOf(identity) })

/** Where the segment after the sealed ones begins. */
export const sealedEnd = ({ identity, sealed }: Pick<Manifest, "identity" | "sealed">): Standpoint => {
  const last = sealed.at(-1)
  return last === undefined ? rootOf(identity) : { head: last.last, chain: Buffer.from(last.chain, "hex") }
}

/** A segment that was read, and its frames as far as each follows on the one before. */
export interface ScannedSegment extends Scanned {
  readonly path: string
  readonly chunk: Chunk
  readonly frames: ReadonlyArray<Frame>
}

/** Reads a segment that isn't sealed. Throws `Corrupt` where it doesn't even begin as it must. */
export const scanOpen = (disk: Disk, directory: string, name: SegmentName, since: Standpoint): ScannedSegment => {
  const path = join(directory, fileOf(name))
  return scanned(path, chunkOf(readFile(disk, path)), name, since)
}

/** Reads a sealed segment. Throws `Corrupt` where anything in it isn't what was written. */
export const scanSealed = (
  disk: Disk,
  directory: string,
  segment: SealedSegment,
  since: Standpoint
): ScannedSegment => {
  const path = join(directory, fileOf(segment))
  const bytes = readFile(disk, path)
  const footer = footerOf(chunkOf(bytes))
  if (typeof footer === "string") throw damage(path, Math.max(0, bytes.length - footerBytes), footer)
  const found = scanned(path, chunkOf(bytes.subarray(0, footer.tableAt)), segment, since)
  if (found.fault !== undefined) throw damage(path, found.end, found.fault, found.head + 1)
  if (found.head !== segment.last) throw damage(path, found.end, `it ends at position ${found.head}`, segment.last)
  return found
}

const scanned = (path: string, chunk: Chunk, name: SegmentName, since: Standpoint): ScannedSegment => {
  const fault = headerFault(chunk, name, since.chain.toString("hex"))
  if (fault !== undefined) throw damage(path, 0, fault)
  const frames: Array<Frame> = []
  return { path, chunk, frames, ...scanFrames(chunk, segmentHeader, since, (frame) => frames.push(frame)) }
}

/** Where the records of a segment are. */
export const offsetsOf = ({ chunk, frames }: ScannedSegment, first: number): Offsets => {
  const offsets = new Offsets()
  for (const frame of frames) {
    eachItem(chunk, frame, (at) => {
      if (!takesPosition(kindAt(chunk, at))) return
      while (offsets.length < positionAt(chunk, at) - first) offsets.push(0)
      offsets.push(at)
    })
  }
  return offsets
}

/** Tells the contents of every record of a segment above a position; others may have a turn after each frame. */
export const restoring = function*(
  contents: Contents,
  { chunk, frames }: ScannedSegment,
  above: number
): Generator<void, void> {
  for (const frame of frames) {
    eachItem(chunk, frame, (at) => {
      if (positionAt(chunk, at) > above || !takesPosition(kindAt(chunk, at))) contents.restore(chunk, at)
    })
    yield
  }
}

/** {@link restoring} in one go. */
export const restoreFrom = (contents: Contents, segment: ScannedSegment, above: number): void => {
  const work = restoring(contents, segment, above)
  let step = work.next()
  while (step.done !== true) step = work.next()
}
