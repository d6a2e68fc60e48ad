/**
 * Where the records of a sealed segment are: an offset for each of its positions, or, where little is left of them
 * after compaction, for those alone that have a record.
 */
import { beginItem, type Chunk, endItem, itemFault, itemHeader, kind, kindAt, lengthAt } from "./item.ts"
import { type Out, viewOf } from "./out.ts"

/** The positions of a segment. */
export interface PositionRange {
  readonly first: number
  readonly last: number
}

/** Records of a segment in the order of their positions, which are counted from its first. */
export interface Places {
  /** The positions' numbers within the segment, none left out where it's `undefined`. */
  readonly numbers: Uint32Array | undefined
  /** Where in the file each one's record is; 0 where there is none. */
  readonly offsets: Uint32Array
}

/** Bytes of a table before its first entry. */
export const tableHeader = itemHeader + 4

// Of each entry, whether it's an offset alone or has its position beside it.
const denseEntry = 4
const sparseEntry = 8

/** Writes the table of these records, in whichever way is shorter. */
export const writeTable = (out: Out, { first, last }: PositionRange, { numbers, offsets }: Places): void => {
  const positions = last - first + 1
  if (numbers !== undefined && offsets.length * sparseEntry < positions * denseEntry) {
    return writeNumbers(out, kind.sparseTable, first, offsets.length, [numbers, offsets])
  }
  const dense = numbers === undefined ? offsets : new Uint32Array(positions)
  numbers?.forEach((number, i) => {
    dense[number] = offsets[i] ?? 0
  })
  writeNumbers(out, kind.table, first, positions, [dense])
}

const writeNumbers = (
  out: Out,
  of: number,
  first: number,
  count: number,
  columns: ReadonlyArray<Uint32Array>
): void => {
  const start = beginItem(out, of, 0, 0, first, 4 + columns.length * count * 4)
  out.view.setUint32(start + itemHeader, count, true)
  out.length = start + tableHeader
  for (const column of columns) {
    for (const each of column) {
      out.view.setUint32(out.length, each, true)
      out.length += 4
    }
  }
  endItem(out, start)
}

/** Whether a table of so many bytes has an offset for each position, so that one can be looked up by itself. */
export const isDense = (bytes: number, { first, last }: PositionRange): boolean =>
  bytes === tableHeader + (last - first + 1) * denseEntry

/** A table that was read as a whole. */
export class PositionTable {
  private readonly view: DataView
  private readonly first: number
  private readonly count: number
  private readonly isSparse: boolean

  private constructor(chunk: Chunk, first: number) {
    this.view = viewOf(chunk.bytes.subarray(tableHeader, lengthAt(chunk, 0)))
    this.first = first
    this.count = chunk.view.getUint32(itemHeader, true)
    this.isSparse = kindAt(chunk, 0) === kind.sparseTable
  }

  /** The table that a chunk begins with, or why it's none of these positions. */
  static of(chunk: Chunk, { first, last }: PositionRange): PositionTable | string {
    const fault = itemFault(chunk, 0)
    if (fault !== undefined) return fault
    const table = new PositionTable(chunk, first)
    const positions = last - first + 1
    const { count, isSparse } = table
    const isTable = isSparse ? table.isRising(positions) : kindAt(chunk, 0) === kind.table && count === positions
    const length = tableHeader + count * (isSparse ? sparseEntry : denseEntry)
    return isTable && lengthAt(chunk, 0) === length ? table : "there is no table of the segment's positions"
  }

  /** How much memory it takes. */
  get byteLength(): number {
    return this.view.byteLength
  }

  /** How many positions have a record. */
  get records(): number {
    if (this.isSparse) return this.count
    let records = 0
    for (let number = 0; number < this.count; number++) if (this.view.getUint32(number * 4, true) > 0) records++
    return records
  }

  /** Where in the file the record of a position is; 0 where there is none. */
  offset(position: number): number {
    const number = position - this.first
    if (!this.isSparse) return this.view.getUint32(number * 4, true)
    const at = this.ceiling(number)
    return at < this.count && this.number(at) === number ? this.view.getUint32((this.count + at) * 4, true) : 0
  }

  /** The first position from here on that has a record; `Infinity` where none has. */
  next(position: number): number {
    let number = position - this.first
    if (this.isSparse) {
      const at = this.ceiling(number)
      return at < this.count ? this.first + this.number(at) : Infinity
    }
    while (number < this.count && this.view.getUint32(number * 4, true) === 0) number++
    return number < this.count ? this.first + number : Infinity
  }

  // The first entry that's about this position or a later one.
  private ceiling(number: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.number(middle) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  private number(at: number): number {
    return this.view.getUint32(at * 4, true)
  }

  private isRising(positions: number): boolean {
    if (this.view.byteLength < this.count * sparseEntry) return false
    for (let at = 1; at < this.count; at++) if (this.number(at) <= this.number(at - 1)) return false
    return this.count === 0 || this.number(this.count - 1) < positions
  }
}
