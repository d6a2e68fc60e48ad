/** Entries of the index that tell at which positions some events of a stream are, one after the other. */
import { firstPart, type Key, keyOf, nameAt, numberAt } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import { putVarint, varintAt, varintEnd, varintLength } from "../tree/varint.ts"

/** Most positions in one entry: few enough to be read for the sake of one. */
export const chunkPositions = 256

/** Key of the chunk whose first event has this seq. */
export const chunkKey = (stream: string, base: number): Key => keyOf("E", stream, base)

/** Positions as an entry's value: how many, the first, and how far each is from the one before. */
export const chunkValue = (positions: ReadonlyArray<number>): Uint8Array => {
  let length = varintLength(positions.length)
  let before = 0
  for (const position of positions) {
    length += varintLength(position - before)
    before = position
  }
  const value = new Uint8Array(length)
  let at = putVarint(value, 0, positions.length)
  before = 0
  for (const position of positions) {
    at = putVarint(value, at, position - before)
    before = position
  }
  return value
}

const positionsOf = (value: Uint8Array): ReadonlyArray<number> => {
  const count = varintAt(value, 0)
  let at = varintEnd(value, 0)
  let position = 0
  return Array.from({ length: count }, () => {
    position += varintAt(value, at)
    at = varintEnd(value, at)
    return position
  })
}

/** How many positions a chunk tells. */
export const chunkCount = (value: Uint8Array): number => varintAt(value, 0)

/** Events of a stream with `from <= seq <= to`, at most `limit`, last first if `reverse`. */
export interface SeqRange {
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly reverse: boolean
}

/** The positions that the index tells of a stream's events. */
export const indexedPositions = (index: TreeReads, stream: string, range: SeqRange): ReadonlyArray<number> => {
  const { from, limit, reverse, to } = range
  const found: Array<number> = []
  if (from > to) return found
  const entries = index.range({
    gte: reverse ? chunkKey(stream, 0) : startOf(index, stream, from),
    lt: chunkKey(stream, to + 1),
    reverse
  })
  for (const { key, value } of entries) {
    const base = baseOf(key)
    const positions = positionsOf(value)
    const first = Math.max(0, from - base)
    const last = Math.min(positions.length - 1, to - base)
    if (reverse) { for (let n = last; n >= first && found.length < limit; n--) add(found, positions[n]) }
    else for (let n = first; n <= last && found.length < limit; n++) add(found, positions[n])
    if (found.length === limit || (reverse && base <= from)) break
  }
  return found
}

const add = (found: Array<number>, position: number | undefined): void => {
  if (position !== undefined) found.push(position)
}

// The chunk that tells of a seq begins at it or before.
const startOf = (index: TreeReads, stream: string, seq: number): Key => {
  for (const { key } of index.range({ gte: chunkKey(stream, 0), lt: chunkKey(stream, seq + 1), reverse: true })) {
    return key
  }
  return chunkKey(stream, seq)
}

const baseOf = (key: Key): number => numberAt(key, nameAt(key, firstPart).end).value

/** Keys of the chunks that tell of nothing from `first` on. */
export const chunksBelow = (index: TreeReads, stream: string, first: number): ReadonlyArray<Key> => {
  const found: Array<Key> = []
  for (const { key, value } of index.range({ gte: chunkKey(stream, 0), lt: chunkKey(stream, first) })) {
    if (baseOf(key) + chunkCount(value) <= first) found.push(key)
  }
  return found
}
