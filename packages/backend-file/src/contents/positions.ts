/** Rising positions as bytes: how many, the first, and how far each is from the one before. */
import { putVarint, varintAt, varintEnd, varintLength } from "../tree/varint.ts"

/** How many bytes positions take. */
export const positionsLength = (positions: ReadonlyArray<number>): number => {
  let length = varintLength(positions.length)
  let before = 0
  for (const position of positions) {
    length += varintLength(position - before)
    before = position
  }
  return length
}

/** Writes positions; answers where the next byte goes. */
export const putPositions = (bytes: Uint8Array, start: number, positions: ReadonlyArray<number>): number => {
  let at = putVarint(bytes, start, positions.length)
  let before = 0
  for (const position of positions) {
    at = putVarint(bytes, at, position - before)
    before = position
  }
  return at
}

/** Reads the positions that begin at an offset. */
export const positionsAt = (bytes: Uint8Array, start: number): ReadonlyArray<number> => {
  const count = varintAt(bytes, start)
  let at = varintEnd(bytes, start)
  let position = 0
  const positions: Array<number> = []
  for (let n = 0; n < count; n++) {
    position += varintAt(bytes, at)
    at = varintEnd(bytes, at)
    positions.push(position)
  }
  return positions
}

/** How many positions begin at an offset. */
export const countAt = varintAt
