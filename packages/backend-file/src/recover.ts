/** The end of the log, found again: as it was left, or, where it wasn't closed, copied as far as it's whole. */
import { join } from "node:path"
import { places } from "./directory.ts"
import { writeFile } from "./disk.ts"
import { damage } from "./error.ts"
import { createSegment, type JournalOptions } from "./journal.ts"
import { findFrame } from "./log/frame.ts"
import { kind, kindAt } from "./log/item.ts"
import { OpenSegment } from "./log/open-segment.ts"
import { offsetsOf, type ScannedSegment, scanOpen, sealedEnd } from "./log/scan.ts"
import { fileOf, segmentHeader } from "./log/segment.ts"
import type { Manifest } from "./manifest.ts"

/** What recovery cut off: bytes of a commit that was never acknowledged, since it isn't all there. */
export interface Torn {
  readonly path: string
  readonly offset: number
  readonly bytes: number
  /** Where they were put. */
  readonly kept: string
}

/** The end of the log, ready to be written. */
export interface Recovered {
  readonly segment: OpenSegment
  /** Its content as it was read; none in a new segment. */
  readonly scanned: ScannedSegment | undefined
  readonly torn: Torn | undefined
}

/**
 * Finds the end of the log. One that was closed is gone on with. Otherwise its whole frames are copied into a new file:
 * after a failed flush the system may hold for written what isn't, so only writing it again makes it durable, and a
 * writer that comes back to life writes to a file that isn't part of the store any more. Throws `Corrupt` where what
 * is damaged isn't the very end.
 */
export const recover = (options: JournalOptions, manifest: Manifest): Recovered => {
  const { directory, disk, segmentBytes } = options
  const since = sealedEnd(manifest)
  const { open } = manifest
  if (open === undefined) return { segment: createSegment(options, since, 0), scanned: undefined, torn: undefined }
  const scanned = scanOpen(disk, places(directory).log, open, since)
  const { chain, chunk, end, head, path } = scanned
  const rest = withoutZeros(chunk.bytes.subarray(end))
  if (end < open.bytes) throw damage(path, end, scanned.fault ?? "the file is cut short", head + 1)
  const offsets = offsetsOf(scanned, open.first)
  if (manifest.usage === "closed" && end === open.bytes && rest.length === 0) {
    const fd = disk.open(path, "write")
    const segment = new OpenSegment(disk, { ...open, path, fd, end, head, chain, offsets }, segmentBytes)
    return { segment, scanned, torn: undefined }
  }
  const behind = findFrame(chunk, end, head)
  if (behind !== undefined) {
    throw damage(
      path,
      end,
      `${scanned.fault ?? "something else is here"}, and a whole frame follows at ${behind}`,
      head + 1
    )
  }
  // A table of positions is no commit: sealing the segment was interrupted.
  const nothing = rest.length === 0 || kindAt(chunk, end) === kind.table
  const torn = nothing ? undefined : setAside(options, scanned, rest)
  const frames = chunk.bytes.subarray(segmentHeader, end)
  const segment = createSegment(options, since, open.generation + 1, { frames, offsets, head, chain })
  return { segment, scanned, torn }
}

const setAside = ({ directory, disk }: JournalOptions, { end, path }: ScannedSegment, rest: Uint8Array): Torn => {
  const { cut } = places(directory)
  const kept = join(cut, `${path.slice(places(directory).log.length + 1)}-${end}`)
  disk.makeDirectory(cut)
  disk.remove(kept)
  writeFile(disk, kept, rest)
  disk.syncDirectory(cut)
  disk.syncDirectory(directory)
  return { path, offset: end, bytes: rest.length, kept }
}

const withoutZeros = (bytes: Buffer): Buffer => {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return bytes.subarray(0, length)
}

/** Removes what isn't part of the store: what earlier writers began and didn't finish, or replaced. */
export const sweep = ({ directory, disk }: JournalOptions, { open, sealed }: Manifest): void => {
  const { log } = places(directory)
  const kept = new Set([...sealed, ...open === undefined ? [] : [open]].map(fileOf))
  for (const name of disk.list(log)) if (!kept.has(name)) disk.remove(join(log, name))
  for (const name of disk.list(directory)) if (name.endsWith(".tmp")) disk.remove(join(directory, name))
}
