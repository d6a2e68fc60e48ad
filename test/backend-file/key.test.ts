/** Keys: their bytes are ordered as what they say, and say nothing else. */
import {
  endOf,
  everyKey,
  firstPart,
  headLength,
  headOf,
  keyOf,
  nameAt,
  numberAt,
  startOf
} from "@persist/backend-file/key"
import { compareUtf8 } from "@persist/core"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const sign = (n: number): number => Math.sign(n)
const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

// Names that are close to each other and to the escapes, and any others.
const odd = fc.array(fc.constantFrom("\0", "\x01", "\x02", "a", "b", "\x7f", "\x80", "ÿ", "é", "\uffff", "𝕏"), {
  minLength: 1,
  maxLength: 5
})
const name = fc.oneof(odd.map((parts) => parts.join("")), fc.string({ unit: "binary", minLength: 1, maxLength: 8 }))
const number = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(255, 256, 65_535, 65_536, 2 ** 53 - 1))

describe("keyOf", () => {
  it("orders names by their UTF-8 bytes and numbers by their size, the first part before the second", () => {
    fc.assert(fc.property(name, number, name, number, (a, m, b, n) => {
      const expected = compareUtf8(a, b) || m - n
      expect(compare(keyOf("E", a, m), keyOf("E", b, n))).toBe(sign(expected))
      expect(compare(keyOf("R", m, a), keyOf("R", n, b))).toBe(sign(m - n || compareUtf8(a, b)))
    }))
  })

  it("is read back part by part", () => {
    fc.assert(fc.property(name, number, name, (a, n, b) => {
      const key = keyOf("X", a, n, b)
      const first = nameAt(key, firstPart)
      const second = numberAt(key, first.end)
      const third = nameAt(key, second.end)
      expect([first.value, second.value, third.value, third.end]).toEqual([a, n, b, key.length])
    }))
  })

  it("holds bytes alone", () => {
    fc.assert(fc.property(name, number, (a, n) => {
      expect(Buffer.from(keyOf("X", a, n), "latin1").toString("latin1")).toBe(keyOf("X", a, n))
    }))
  })
})

describe("ranges of keys", () => {
  it("under parts hold the keys that go on from them, and no others", () => {
    fc.assert(fc.property(name, name, number, (a, b, n) => {
      const [gte, key] = [keyOf("E", a), keyOf("E", b, n)]
      expect(key >= gte && key < endOf(gte)).toBe(a === b)
      expect(gte < endOf(gte)).toBe(true)
    }))
  })

  it("under a name's beginning hold the names that begin so, and no others", () => {
    fc.assert(fc.property(odd, name, (begin, b) => {
      const prefix = begin.join("")
      const start = startOf(keyOf("S"), prefix)
      for (const other of [b, prefix, prefix + b]) {
        const key = keyOf("S", other)
        expect(key >= start && key < endOf(start)).toBe(other.startsWith(prefix))
      }
    }))
  })

  it("of everything hold every key", () => {
    fc.assert(fc.property(name, (a) => {
      expect(keyOf("\x7f", a) < everyKey.lt && keyOf("\x01", a) >= everyKey.gte).toBe(true)
    }))
  })
})

describe("the head of a range", () => {
  it("is the head of each key in it, where there is one", () => {
    let seen = 0
    fc.assert(fc.property(name, name, number, number, (a, b, m, n) => {
      for (const [gte, lt] of [[keyOf("E", a, m), keyOf("E", b, n)], [keyOf("E", a), endOf(keyOf("E", a))]] as const) {
        const head = headOf(gte, lt)
        for (const key of [keyOf("E", a, n), keyOf("E", b, m), keyOf("E", a), keyOf("E", a, 0, b)]) {
          if (head === undefined || key < gte || key >= lt) continue
          seen++
          expect(key.slice(0, headLength(key))).toBe(head)
        }
      }
      expect(headOf(keyOf("E", a), endOf(keyOf("E", a)))).toBe(keyOf("E", a))
    }))
    expect(seen).toBeGreaterThan(100)
  })
})
