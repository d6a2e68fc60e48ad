/** Verifies one segment: its header, its frames, and, where it's sealed, its table of positions and its footer. */
import type { Position } from "@persist/core"
import { join } from "node:path"
import { type Disk, readFile } from "../disk.ts"
import type { Standpoint } from "../log/frame.ts"
import { type Chunk, itemHeader, kind, kindAt } from "../log/item.ts"
import { PositionTable } from "../log/position-table.ts"
import {
  fileOf,
  footerBytes,
  footerOf,
  headerFault,
  type SealedSegment,
  segmentHeader,
  type SegmentName
} from "../log/segment.ts"
import { chunkOf } from "../log/window.ts"
import type { OpenTail, Usage } from "../manifest.ts"
import { type Findings, unreadable } from "./finding.ts"
import { passDamaged, type Passed, passFrames } from "./frames.ts"

/** Where a log lies, and what is noted of it. */
export interface Verifying {
  readonly disk: Disk
  /** Of the log. */
  readonly directory: string
  readonly findings: Findings
}

/** Verifies a sealed segment that follows on `since`. */
export const verifySealed = (verifying: Verifying, segment: SealedSegment, since: Standpoint): void => {
  const { findings } = verifying
  const read = begin(verifying, segment, segment.last, since)
  if (read === undefined) return
  const { first, last } = segment
  const { chunk: { bytes }, path } = read
  if (bytes.length !== segment.bytes) {
    findings.add(
      path,
      Math.min(bytes.length, segment.bytes),
      `it has ${bytes.length} bytes where it had ${segment.bytes}`,
      first,
      last
    )
  }
  const footer = footerOf(read.chunk)
  if (typeof footer === "string") findings.add(path, Math.max(0, bytes.length - footerBytes), footer, first, last)
  else if (footer.first !== first || footer.last !== last || footer.chain !== segment.chain) {
    const what = "the footer is that of another segment than the manifest lists"
    findings.add(path, bytes.length - footerBytes, what, first, last)
  }
  const tableAt = typeof footer === "string" ? bytes.length : Math.min(footer.tableAt, bytes.length)
  const chunk = chunkOf(bytes.subarray(0, tableAt))
  const passed = passFrames(findings, path, chunk, segmentHeader, since)
  if (passed.end < tableAt && !(typeof footer === "string" && kindAt(chunk, passed.end) === kind.table)) {
    passDamaged(findings, path, chunk, passed.end, passed.head, "there is no frame")
  } else if (passed.head !== segment.last) {
    findings.add(path, passed.end, `the log ends at position ${passed.head}`, segment.last)
  }
  if (typeof footer !== "string") {
    verifyTable(findings, path, chunkOf(bytes.subarray(tableAt)), tableAt, segment, passed)
  }
}

// Every record is where the table says, and where the table says that there is none there is none.
const verifyTable = (
  findings: Findings,
  path: string,
  chunk: Chunk,
  tableAt: number,
  segment: SealedSegment,
  { offsets, whole }: Passed
): void => {
  const table = PositionTable.of(chunk, segment)
  if (typeof table === "string") {
    return findings.add(path, tableAt, `the table of positions: ${table}`, segment.first, segment.last)
  }
  const compare = (position: number): void => {
    const there = offsets.get(position)
    const told = table.offset(position)
    if (told === (there ?? 0) || (there === undefined && !whole)) return
    findings.add(path, tableAt, `the table of positions says byte ${told}, the record is at ${there}`, position)
  }
  for (const position of offsets.keys()) compare(position)
  for (let next = table.next(segment.first); next <= segment.last; next = table.next(next + 1)) {
    if (!offsets.has(next)) compare(next)
  }
}

/** Verifies the segment that is being written, or was last. What isn't known to have been durable may be torn. */
export const verifyOpen = (verifying: Verifying, open: OpenTail, usage: Usage, since: Standpoint): void => {
  const { findings } = verifying
  const read = begin(verifying, open, open.head, since)
  if (read === undefined) return
  const { chunk, path } = read
  const passed = passFrames(findings, path, chunk, segmentHeader, since)
  const rest = chunk.bytes.length - passed.end
  if (passed.end < open.bytes) {
    return rest < itemHeader
      ? findings.add(path, passed.end, "the file is cut short", passed.head + 1)
      : passDamaged(findings, path, chunk, passed.end, passed.head, "there is no frame")
  }
  const isTable = rest >= itemHeader && kindAt(chunk, passed.end) === kind.table
  if (isTable || chunk.bytes.subarray(passed.end).every((byte) => byte === 0)) return
  if (usage === "closed") findings.add(path, passed.end, "there is something behind the end of the log")
  else findings.unfinished += rest
}

const begin = (
  { directory, disk, findings }: Verifying,
  name: SegmentName,
  last: Position,
  since: Standpoint
): { readonly path: string; readonly chunk: Chunk } | undefined => {
  findings.segments++
  const path = join(directory, fileOf(name))
  try {
    const chunk = chunkOf(readFile(disk, path))
    const fault = headerFault(chunk, name, since.chain.toString("hex"))
    if (fault !== undefined) findings.add(path, 0, fault)
    return { path, chunk }
  } catch (cause) {
    findings.add(path, 0, unreadable(cause), name.first, last)
    return undefined
  }
}
