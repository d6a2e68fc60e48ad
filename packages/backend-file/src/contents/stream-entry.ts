/** What the index says of one stream: an entry for the stream, and one for each later part of its events. */
import { firstPart, type Key, keyOf, nameAt, numberAt } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import { putVarint, varintAt, varintEnd, varintLength } from "../tree/varint.ts"
import { countAt, positionsAt, positionsLength, putPositions } from "./positions.ts"

/** A stream as its entry has it: written when it's new, and when it was shortened. */
export interface StreamEntry {
  /** First readable seq. */
  readonly first: number
  /** The last seq when it was written; the chunks tell of later ones. */
  readonly last: number
  /** Seq of the first of `positions`. */
  readonly base: number
  /** Where the events are that it had when it was new, as far as there's room. */
  readonly positions: ReadonlyArray<number>
}

/** Key of a stream's entry. */
export const entryKey = (stream: string): Key => keyOf("S", stream)

/** A stream's entry as bytes. */
export const entryValue = ({ base, first, last, positions }: StreamEntry): Uint8Array => {
  const length = varintLength(first) + varintLength(last) + varintLength(base) + positionsLength(positions)
  const value = new Uint8Array(length)
  putPositions(value, putVarint(value, putVarint(value, putVarint(value, 0, first), last), base), positions)
  return value
}

/** The entry that bytes are. */
export const entryOf = (value: Uint8Array): StreamEntry => {
  const lastAt = varintEnd(value, 0)
  const baseAt = varintEnd(value, lastAt)
  const positions = positionsAt(value, varintEnd(value, baseAt))
  return { first: varintAt(value, 0), last: varintAt(value, lastAt), base: varintAt(value, baseAt), positions }
}

/** Most positions in one chunk: few enough to be read for the sake of one. */
export const chunkPositions = 256

/** Key of the chunk whose first event has this seq. */
export const chunkKey = (stream: string, base: number): Key => keyOf("E", stream, base)

/** A chunk's positions as bytes. */
export const chunkValue = (positions: ReadonlyArray<number>): Uint8Array => {
  const value = new Uint8Array(positionsLength(positions))
  putPositions(value, 0, positions)
  return value
}

const baseOf = (key: Key): number => numberAt(key, nameAt(key, firstPart).end).value

/** The last seq that the index tells of a stream, whose entry is known. */
export const lastIndexed = (index: TreeReads, stream: string, entry: StreamEntry): number => {
  const chunks = { gte: chunkKey(stream, 0), lt: chunkKey(stream, Number.MAX_SAFE_INTEGER), reverse: true }
  for (const { key, value } of index.range(chunks)) return Math.max(entry.last, baseOf(key) + countAt(value, 0) - 1)
  return entry.last
}

/** Events of a stream with `from <= seq <= to`, at most `limit`, last first if `reverse`. */
export interface SeqRange {
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly reverse: boolean
}

/** The positions that the index tells of a stream's events. */
export const indexedPositions = (index: TreeReads, stream: string, range: SeqRange): ReadonlyArray<number> => {
  const found: Array<number> = []
  const value = index.get(entryKey(stream))
  if (value === undefined || range.from > range.to) return found
  const { base, positions } = entryOf(value)
  if (!range.reverse) take(found, base, positions, range)
  if (found.length < range.limit && range.to >= base + positions.length) takeChunks(index, stream, range, found)
  if (range.reverse) take(found, base, positions, range)
  return found
}

const takeChunks = (index: TreeReads, stream: string, range: SeqRange, found: Array<number>): void => {
  const { from, limit, reverse, to } = range
  const chunks = index.range({
    gte: reverse ? chunkKey(stream, 0) : chunkWith(index, stream, from),
    lt: chunkKey(stream, to + 1),
    reverse
  })
  for (const { key, value } of chunks) {
    const base = baseOf(key)
    take(found, base, positionsAt(value, 0), range)
    if (found.length === limit || (reverse && base <= from)) return
  }
}

// The positions of those of some events that are in a range.
const take = (
  found: Array<number>,
  base: number,
  positions: ReadonlyArray<number>,
  { from, limit, reverse, to }: SeqRange
): void => {
  const within = positions.slice(Math.max(0, from - base), Math.max(0, to - base + 1))
  const room = limit - found.length
  found.push(...reverse ? within.reverse().slice(0, room) : within.slice(0, room))
}

// The chunk that tells of a seq begins at it or before.
const chunkWith = (index: TreeReads, stream: string, seq: number): Key => {
  const before = { gte: chunkKey(stream, 0), lt: chunkKey(stream, seq + 1), reverse: true }
  for (const { key } of index.range(before)) return key
  return chunkKey(stream, seq)
}

/** Keys of the chunks that tell of nothing from `first` on. */
export const chunksBelow = (index: TreeReads, stream: string, first: number): ReadonlyArray<Key> => {
  const found: Array<Key> = []
  for (const { key, value } of index.range({ gte: chunkKey(stream, 0), lt: chunkKey(stream, first) })) {
    if (baseOf(key) + countAt(value, 0) <= first) found.push(key)
  }
  return found
}
