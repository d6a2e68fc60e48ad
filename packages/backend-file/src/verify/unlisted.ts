/** Verifies a log whose manifest is lost or damaged: each segment by what it says of itself. */
import { Position } from "@persist/core"
import * as Result from "effect/Result"
import { join } from "node:path"
import { readFile } from "../disk.ts"
import { chainBefore, fileOf, footerOf, segmentHeader, type SegmentName, segmentOf } from "../log/segment.ts"
import { chunkOf } from "../log/window.ts"
import { unreadable } from "./finding.ts"
import { type Verifying, verifyOpen, verifySealed } from "./segment.ts"

/** The segments that lie in a log's directory, in the order of their positions. */
export const unlisted = ({ directory, disk }: Verifying): ReadonlyArray<SegmentName> =>
  disk.look(directory) === undefined
    ? []
    : disk.list(directory).flatMap((file) => segmentOf(file) ?? []).toSorted((a, b) =>
      a.first - b.first || a.generation - b.generation
    )

/** Verifies one of them; answers the last position of one that is sealed. */
export const verifyUnlisted = (verifying: Verifying, name: SegmentName): Position | undefined => {
  const { directory, disk, findings } = verifying
  const path = join(directory, fileOf(name))
  const read = Result.try({ try: () => readFile(disk, path), catch: unreadable })
  if (Result.isFailure(read)) {
    findings.add(path, 0, read.failure, name.first)
    return undefined
  }
  const bytes = read.success
  // Nothing is in the first one of a store that is only being made.
  const isLost = findings.damages.length === 0 && bytes.length > segmentHeader
  if (isLost) findings.add(path, 0, "there is no manifest that lists it", name.first)
  const chunk = chunkOf(bytes)
  const since = { head: Position(name.first - 1), chain: Buffer.from(chainBefore(chunk)) }
  const footer = footerOf(chunk)
  if (typeof footer === "string") {
    const open = { ...name, head: since.head, bytes: segmentHeader, chain: since.chain.toString("hex") }
    verifyOpen(verifying, open, "open", since)
    return undefined
  }
  verifySealed(verifying, { ...name, last: footer.last, bytes: bytes.length, chain: footer.chain }, since)
  return footer.last
}
