/** Verifies the frames of a segment: where one is damaged, each of its records, and then the frames behind it. */
import { Position } from "@persist/core"
import { eachItem, findFrame, type Frame, frameAt, frameHeader, type Standpoint } from "../log/frame.ts"
import { type Chunk, itemFault, itemHeader, kind, kindAt, lengthAt, takesPosition } from "../log/item.ts"
import { positionAt } from "../log/read-record.ts"
import type { Findings } from "./finding.ts"

/** Where the frames of a segment end, and where the records of those that are whole are, by their positions. */
export interface Passed extends Standpoint {
  readonly end: number
  readonly offsets: ReadonlyMap<number, number>
  /** Whether all frames up to there are whole. */
  readonly whole: boolean
}

/**
 * Goes through frames as far as there are any, from one that follows on `since`; notes those that are damaged. Bytes
 * behind the last are left to whoever calls.
 */
export const passFrames = (findings: Findings, path: string, chunk: Chunk, from: number, since: Standpoint): Passed => {
  const offsets = new Map<number, number>()
  let { chain, head } = since
  let end = from
  let whole = true
  while (end < chunk.bytes.length) {
    const frame = frameAt(chunk, end)
    if (typeof frame === "string") {
      const next = findFrame(chunk, end, head)
      if (next === undefined) break
      passDamaged(findings, path, { ...chunk, bytes: chunk.bytes.subarray(0, next) }, end, head, frame)
      whole = false
      const behind = frameAt(chunk, next)
      if (typeof behind === "string") break
      head = Position(behind.first - 1)
      chain = behind.before
      end = next
      continue
    }
    noteOrder(findings, path, frame, { chain, head })
    findings.frames++
    eachItem(chunk, frame, (at) => {
      findings.records++
      if (takesPosition(kindAt(chunk, at))) offsets.set(positionAt(chunk, at), at)
    })
    head = Position(frame.first + frame.positions - 1)
    chain = frame.chain
    end = frame.end
  }
  return { end, head, chain, offsets, whole }
}

const noteOrder = (findings: Findings, path: string, frame: Frame, { chain, head }: Standpoint): void => {
  if (frame.first !== head + 1) {
    findings.add(path, frame.start, `a frame begins at position ${frame.first} where ${head + 1} comes next`, head + 1)
  } else if (!frame.before.equals(chain)) {
    findings.add(path, frame.start, "a frame follows on another one than is there", frame.first)
  }
}

/** Notes what is wrong within a frame that isn't whole, record by record if it can. The chunk ends with it. */
export const passDamaged = (
  findings: Findings,
  path: string,
  chunk: Chunk,
  start: number,
  head: Position,
  reason: string
): void => {
  let position = head + 1
  let noted = false
  const note = (at: number, what: string): void => {
    findings.add(path, at, what, position)
    noted = true
  }
  const fault = itemFault(chunk, start)
  if (fault !== undefined) note(start, `the header of a frame: ${fault}`)
  for (let at = start + frameHeader; at < chunk.bytes.length;) {
    const itemReason = itemFault(chunk, at)
    const length = lengthAt(chunk, at)
    if (itemReason !== undefined) note(at, itemReason)
    else if (isRecord(kindAt(chunk, at))) findings.records++
    if (takesPosition(kindAt(chunk, at))) position++
    // What goes on beyond the frame, or nowhere, isn't an item's length.
    if (length < itemHeader || at + length > chunk.bytes.length) break
    at += length
  }
  if (!noted) note(start, reason)
}

const isRecord = (of: number): boolean => takesPosition(of) || of === kind.identified
