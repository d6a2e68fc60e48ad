/** Frames: one group of commits each, all there or not at all, and each names the one before it by its hash. */
import { Position } from "@persist/core"
import { hash } from "node:crypto"
import { beginItem, type Chunk, endItem, itemFault, itemHeader, kind, kindAt, lengthAt } from "./item.ts"
import type { Out } from "./out.ts"
import { positionAt } from "./read-record.ts"

/** Length of a SHA-256 hash. */
export const hashBytes = 32

/** What a frame begins with. */
export const frameHeader = itemHeader + 8 + hashBytes

const frameEnd = 12 + hashBytes

/** SHA-256. By way of a string, which takes half the time for a short frame: a buffer of its own is dear to make. */
export const hashOf = (bytes: Uint8Array | string): Buffer => Buffer.from(hash("sha256", bytes, "binary"), "binary")

/** Where a log stands: the last position given out, and the hash of the last frame, which the next one names. */
export interface Standpoint {
  readonly head: Position
  readonly chain: Buffer
}

/** Begins a frame that follows on what is there; records are written behind it, then {@link endFrame}. */
export const beginFrame = (out: Out, { chain, head }: Standpoint): number => {
  const start = beginItem(out, kind.frame, 0, 0, head + 1, frameHeader - itemHeader)
  out.length += 8
  out.raw(chain)
  return start
}

/** Ends the frame that began at `start` and goes up to the position `head`; answers its hash. */
export const endFrame = (out: Out, start: number, head: Position): Buffer => {
  out.room(frameEnd)
  const end = out.length
  out.view.setUint32(start + itemHeader, end + frameEnd - start, true)
  out.view.setUint32(start + itemHeader + 4, head - positionAt(out, start) + 1, true)
  out.length = start + frameHeader
  endItem(out, start)
  out.length = end
  const chain = hashOf(out.bytes.subarray(start, end))
  const item = beginItem(out, kind.frameEnd, 0, 0, 0, frameEnd)
  out.length = item + 12
  out.raw(chain)
  endItem(out, item)
  return chain
}

/** A frame that is whole. */
export interface Frame {
  readonly start: number
  /** Behind its last byte. */
  readonly end: number
  /** Position of its first record. */
  readonly first: Position
  /** How many positions it takes; none where it only remembers commits that changed nothing. */
  readonly positions: number
  /** Hash of the frame that it says was before it. */
  readonly before: Buffer
  readonly chain: Buffer
}

/** How long the frame at `at` says that it is; `undefined` where none begins. */
export const frameBytesAt = (chunk: Chunk, at: number): number | undefined =>
  lengthAt(chunk, at) === frameHeader && kindAt(chunk, at) === kind.frame && itemFault(chunk, at) === undefined
    ? chunk.view.getUint32(at + itemHeader, true)
    : undefined

/** The frame at `at`, or why there is none that is whole. */
export const frameAt = (chunk: Chunk, at: number): Frame | string => {
  const length = frameBytesAt(chunk, at)
  if (length === undefined) return itemFault(chunk, at) ?? "there is no frame"
  const end = at + length
  if (end > chunk.bytes.length) return "a frame goes on beyond what is there"
  const last = end - frameEnd
  if (itemFault(chunk, last) !== undefined || kindAt(chunk, last) !== kind.frameEnd) return "the frame has no end"
  const chain = chunk.bytes.subarray(last + 12, end)
  if (!hashOf(chunk.bytes.subarray(at, last)).equals(chain)) return "the hash of the frame doesn't match"
  return {
    start: at,
    end,
    first: positionAt(chunk, at),
    positions: chunk.view.getUint32(at + itemHeader + 4, true),
    before: chunk.bytes.subarray(at + frameHeader - hashBytes, at + frameHeader),
    chain: Buffer.from(chain)
  }
}

/** Calls `use` with the offset of each item within a frame that is whole. */
export const eachItem = (chunk: Chunk, frame: Frame, use: (at: number) => void): void => {
  const last = frame.end - frameEnd
  for (let at = frame.start + frameHeader; at < last; at += lengthAt(chunk, at)) use(at)
}

/** Where a scan of frames ended, and why it didn't get to the end of the chunk. */
export interface Scanned extends Standpoint {
  readonly end: number
  readonly fault: string | undefined
}

/** Goes from whole frame to whole frame, each following on the one before, until there is no other. */
export const scanFrames = (
  chunk: Chunk,
  from: number,
  since: Standpoint,
  use: (frame: Frame) => void
): Scanned => {
  let { chain, head } = since
  let end = from
  while (end < chunk.bytes.length) {
    const frame = frameAt(chunk, end)
    if (typeof frame === "string") return { end, chain, head, fault: frame }
    if (frame.first !== head + 1) {
      return { end, chain, head, fault: `a frame begins at position ${frame.first} where ${head + 1} comes next` }
    }
    if (!frame.before.equals(chain)) return { end, chain, head, fault: "a frame follows on another one than is there" }
    use(frame)
    head = Position(head + frame.positions)
    chain = frame.chain
    end = frame.end
  }
  return { end, chain, head, fault: undefined }
}

/** Where the next whole frame begins behind `from` that is about later positions than `head`: none in a torn end. */
export const findFrame = (chunk: Chunk, from: number, head: Position): number | undefined => {
  for (let at = from + 1; at + frameHeader + frameEnd <= chunk.bytes.length; at++) {
    if (lengthAt(chunk, at) !== frameHeader || kindAt(chunk, at) !== kind.frame) continue
    const frame = frameAt(chunk, at)
    if (typeof frame !== "string" && frame.first > head) return at
  }
  return undefined
}
