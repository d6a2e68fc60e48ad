/** Segments: files of frames, each beginning with what it is and, once sealed, ending with where each position is. */
import { Position } from "@persist/core"
import { hashBytes, type Standpoint } from "./frame.ts"
import { beginItem, type Chunk, endItem, itemFault, itemHeader, kind, kindAt, lengthAt } from "./item.ts"
import { type Out, putWhole, wholeAt } from "./out.ts"
import { type Places, writeTable } from "./position-table.ts"
import { positionAt } from "./read-record.ts"

/** The format of segments that this version writes, and the latest that it reads. */
export const currentFormat = 1

/** Which segment: its first position, and how often it was written anew, which gives its file another name. */
export interface SegmentName {
  readonly first: Position
  readonly generation: number
}

/** A sealed segment, as the manifest lists it. */
export interface SealedSegment extends SegmentName {
  readonly last: Position
  /** Length of the file. */
  readonly bytes: number
  /** Hash that the first frame of the next segment names, in hexadecimal digits. */
  readonly chain: string
}

/** Name of a segment's file. Names sort by position, as far as ten million million of them. */
export const fileOf = ({ first, generation }: SegmentName): string =>
  `${String(first).padStart(14, "0")}-${generation}.log`

const magic = "persist segment\n"
const headerItem = itemHeader + 4 + hashBytes

/** Where the first frame of a segment begins. */
export const segmentHeader = magic.length + headerItem

/** Writes the header of a segment that follows on what is there. */
export const writeHeader = (out: Out, { chain, head }: Standpoint, generation: number): void => {
  out.room(magic.length)
  out.text(magic)
  const start = beginItem(out, kind.segment, 0, currentFormat, head + 1, headerItem - itemHeader)
  out.view.setUint32(start + itemHeader, generation, true)
  out.length += 4
  out.raw(chain)
  endItem(out, start)
}

/** The hash that the first frame of a segment names, as its header has it. */
export const chainBefore = ({ bytes }: Chunk): Buffer =>
  bytes.subarray(magic.length + itemHeader + 4, magic.length + headerItem)

/** Why a chunk doesn't begin as the segment that follows on `since` does; `undefined` where it does. */
export const headerFault = (chunk: Chunk, { first, generation }: SegmentName, chain: string): string | undefined => {
  const at = magic.length
  if (chunk.bytes.toString("latin1", 0, at) !== magic) return "the file doesn't begin as a segment does"
  const fault = itemFault(chunk, at)
  if (fault !== undefined) return fault
  if (kindAt(chunk, at) !== kind.segment) return "the file doesn't begin as a segment does"
  const format = chunk.view.getUint16(at + 10, true)
  if (format > currentFormat) return `the segment has format ${format}, where this version knows 1 to ${currentFormat}`
  if (positionAt(chunk, at) !== first || chunk.view.getUint32(at + itemHeader, true) !== generation) {
    return "the file is another segment than its name says"
  }
  return chainBefore(chunk).toString("hex") === chain ? undefined : "the segment follows on another one than is there"
}

const namePattern = /^(\d{14,16})-(\d+)\.log$/

/** What the name of a file says which segment it is; `undefined` where it isn't a segment's. */
export const segmentOf = (file: string): SegmentName | undefined => {
  const [, first, generation] = namePattern.exec(file) ?? []
  return first === undefined ? undefined : { first: Position(Number(first)), generation: Number(generation) }
}

/** Length of what ends a sealed segment. */
export const footerBytes = itemHeader + 12 + hashBytes

/** The end of a sealed segment. */
export interface Footer {
  readonly first: Position
  readonly last: Position
  /** Where in the file the table of positions begins: right behind the last frame. */
  readonly tableAt: number
  readonly chain: string
}

/** Writes the table of positions and the footer. */
export const writeFooter = (
  out: Out,
  places: Places,
  { chain, first, last, tableAt }: Omit<Footer, "chain"> & { readonly chain: Buffer }
): void => {
  writeTable(out, { first, last }, places)
  const footer = beginItem(out, kind.footer, 0, 0, first, footerBytes - itemHeader)
  putWhole(out.view, footer + itemHeader, last)
  out.view.setUint32(footer + itemHeader + 8, tableAt, true)
  out.length = footer + itemHeader + 12
  out.raw(chain)
  endItem(out, footer)
}

/** The footer that a chunk ends with, or why there is none. */
export const footerOf = (chunk: Chunk): Footer | string => {
  const at = chunk.bytes.length - footerBytes
  if (at < 0) return "the file is too short for a sealed segment"
  if (lengthAt(chunk, at) !== footerBytes || kindAt(chunk, at) !== kind.footer) {
    return "the file doesn't end as a sealed segment does"
  }
  const fault = itemFault(chunk, at)
  if (fault !== undefined) return fault
  return {
    first: positionAt(chunk, at),
    last: Position(wholeAt(chunk.view, at + itemHeader)),
    tableAt: chunk.view.getUint32(at + itemHeader + 8, true),
    chain: chunk.bytes.toString("hex", at + itemHeader + 12)
  }
}
