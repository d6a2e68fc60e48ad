/** Tables of positions: found whichever way they're written, and never believed where they aren't what was written. */
import { Out } from "@persist/backend-file/log/out"
import { PositionTable, writeTable } from "@persist/backend-file/log/position-table"
import { chunkOf } from "@persist/backend-file/log/window"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const bytesOf = (first: number, last: number, records: ReadonlyMap<number, number>): Buffer => {
  const out = new Out(64)
  const numbers = Uint32Array.from(records.keys(), (position) => position - first)
  writeTable(out, { first, last }, { numbers, offsets: Uint32Array.from(records.values()) })
  return Buffer.from(out.bytes.subarray(0, out.length))
}

const range = fc.record({ first: fc.integer({ min: 1, max: 2 ** 40 }), positions: fc.integer({ min: 1, max: 60 }) })
const table = range.chain(({ first, positions }) =>
  fc.uniqueArray(fc.integer({ min: first, max: first + positions - 1 }), { maxLength: positions }).map((found) => ({
    first,
    last: first + positions - 1,
    records: new Map(found.sort((a, b) => a - b).map((position, n) => [position, 100 + n]))
  }))
)

describe("a table of positions", () => {
  it("says where each record is, and which is next, however few there are", () => {
    const lengths = new Set<boolean>()
    fc.assert(fc.property(table, ({ first, last, records }) => {
      const bytes = bytesOf(first, last, records)
      const read = PositionTable.of(chunkOf(bytes), { first, last })
      if (typeof read === "string") throw new Error(read)
      lengths.add(bytes.length === 24 + 4 * (last - first + 1))
      expect(read.records).toBe(records.size)
      for (let position = first; position <= last; position++) {
        expect(read.offset(position)).toBe(records.get(position) ?? 0)
        const next = [...records.keys()].find((each) => each >= position)
        expect(read.next(position)).toBe(next ?? Infinity)
      }
    }))
    expect(lengths.size).toBe(2)
  })

  it("takes no more than what is left", () => {
    expect(bytesOf(1, 1_000_000_000, new Map([[5, 7], [999_999_999, 8]])).length).toBe(24 + 2 * 8)
  })

  it("of other positions, or with a bit flipped, is none", () => {
    const records = new Map([[10, 100], [19, 200]])
    for (const last of [29, 13]) {
      const bytes = bytesOf(10, last, last === 29 ? records : new Map([[10, 100], [11, 101], [12, 102]]))
      expect(PositionTable.of(chunkOf(bytes), { first: 10, last })).toBeInstanceOf(PositionTable)
      expect(PositionTable.of(chunkOf(bytes), { first: 10, last: 11 })).toBe(
        "there is no table of the segment's positions"
      )
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ 4
        expect(PositionTable.of(chunkOf(flipped), { first: 10, last })).toBeTypeOf("string")
      }
    }
  })
})
