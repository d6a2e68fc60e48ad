/** What every segment is made of: items, each with its length, its checksum and its kind in front. */
import { crc32 } from "node:zlib"
import { type Out, putWhole } from "./out.ts"

/** What an item is. Those up to `nothing` are records that take a position each, in the order of their positions. */
export const kind = {
  event: 1,
  put: 2,
  tombstone: 3,
  truncation: 4,
  nothing: 5,
  identified: 6,
  frame: 16,
  frameEnd: 17,
  segment: 32,
  table: 33,
  footer: 34,
  sparseTable: 35
} as const

/** Whether items of a kind take a position each. */
export const takesPosition = (of: number): boolean => of >= kind.event && of <= kind.nothing

/** Bytes before what the kind decides: length, checksum, kind, flags, a short number, and a position. */
export const itemHeader = 20

const sumAt = 4
const kindOffset = 8

/** Begins an item of at most `room` bytes beyond its header; answers where. {@link endItem} must follow. */
export const beginItem = (
  out: Out,
  of: number,
  flags: number,
  short: number,
  position: number,
  room: number
): number => {
  out.room(itemHeader + room)
  const start = out.length
  const { view } = out
  view.setUint8(start + kindOffset, of)
  view.setUint8(start + 9, flags)
  view.setUint16(start + 10, short, true)
  putWhole(view, start + 12, position)
  out.length = start + itemHeader
  return start
}

/** Ends the item that began at `start`: its length and its checksum are known now. */
export const endItem = (out: Out, start: number): void => {
  out.view.setUint32(start, out.length - start, true)
  out.view.setUint32(start + sumAt, crc32(out.bytes.subarray(start + kindOffset, out.length)), true)
}

/** Some bytes of a file, and a view of them. */
export interface Chunk {
  readonly bytes: Buffer
  readonly view: DataView
}

/** An item's length as it says itself; 0 where the chunk ends before. */
export const lengthAt = ({ bytes, view }: Chunk, at: number): number =>
  at + 4 <= bytes.length ? view.getUint32(at, true) : 0

/** An item's kind. */
export const kindAt = ({ bytes }: Chunk, at: number): number => bytes[at + kindOffset] ?? 0

/** Why the bytes at `at` are no item that lies within the chunk; `undefined` where they are one. */
export const itemFault = (chunk: Chunk, at: number): string | undefined => {
  const length = lengthAt(chunk, at)
  if (length < itemHeader) return "there is no item of the log"
  if (at + length > chunk.bytes.length) return "an item goes on beyond what is there"
  const sum = crc32(chunk.bytes.subarray(at + kindOffset, at + length))
  return sum === chunk.view.getUint32(at + sumAt, true) ? undefined : "the checksum doesn't match"
}
