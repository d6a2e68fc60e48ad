/** The encoding of indexed values: its order is that of the values, and no value's end runs into what follows it. */
import { assert, describe, it } from "@effect/vitest"
import { compareUtf8 } from "@persist/core"
import { afterValues, boundsOf, encodeScalar, textStart } from "@persist/core/index-key"
import { compareScalars, kindOf, type Scalar } from "@persist/core/scalar"
import * as fc from "fast-check"

// Characters at which orders part: the escapes themselves, neighbours in UTF-8, and around the surrogates.
const letters = [
  "\0",
  "\x01",
  "\x02",
  "a",
  "b",
  "\x7f",
  "\x80",
  "é",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}"
]
const text = fc.oneof(
  fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map((all) => all.join("")),
  fc.string({ unit: "binary" })
)
const edges = [0, -0, 1, -1, 10, 100, 0.1, -0.1, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity]
const number = fc.oneof(
  fc.constantFrom(...edges, -Infinity, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.EPSILON),
  fc.integer(),
  fc.double({ noNaN: true })
)
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.date({ noInvalidDate: true })
)

const encoded = (value: Scalar): string => {
  const one = encodeScalar(value)
  if (one === undefined) throw new Error("it has no order")
  return one
}

const bytewise = (a: string, b: string): number => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))

describe("an indexed value", () => {
  it("stands in the order that it has, whatever follows it", () => {
    let apart = 0
    fc.assert(
      fc.property(scalar, scalar, text, text, (a, b, afterA, afterB) => {
        const order = Math.sign(compareScalars(a, b))
        assert.strictEqual(bytewise(encoded(a), encoded(b)), order)
        assert.strictEqual(Math.sign(compareUtf8(encoded(a), encoded(b))), order)
        if (order === 0) return
        apart++
        assert.strictEqual(bytewise(encoded(a) + afterA, encoded(b) + afterB), order)
      }),
      { numRuns: 3000 }
    )
    assert.isAbove(apart, 1000)
  })

  it("of one kind stands in the order that it has", () => {
    for (const kind of [text, number, fc.date({ noInvalidDate: true })]) {
      fc.assert(
        fc.property(kind, kind, (a, b) => {
          assert.strictEqual(bytewise(encoded(a), encoded(b)), Math.sign(compareScalars(a, b)))
        }),
        { numRuns: 1000 }
      )
    }
  })

  it("is told from the values beside it", () => {
    fc.assert(
      fc.property(fc.array(scalar, { maxLength: 4 }), text, (values, key) => {
        assert.strictEqual(afterValues(values.map(encoded).join("") + key, values.length), key)
      })
    )
  })

  it("lies within the bounds of its kind, and of every beginning of it", () => {
    fc.assert(
      fc.property(fc.oneof(text, number, fc.date({ noInvalidDate: true })), fc.nat(5), (value, length) => {
        const kind = kindOf(value)
        if (kind !== "text" && kind !== "number" && kind !== "time") throw new Error("of which kind?")
        const [gte, lt] = boundsOf(kind)
        assert.isTrue(bytewise(gte, encoded(value)) < 0 && bytewise(encoded(value), lt) < 0)
        if (typeof value !== "string") return
        const start = Array.from(value).slice(0, length).join("")
        assert.isTrue(encoded(value).startsWith(textStart(start)))
      })
    )
  })

  it("is 0 where it's -0, and refused where it has no order", () => {
    assert.strictEqual(encodeScalar(-0), encodeScalar(0))
    for (const wrong of [NaN, new Date(NaN), {}, [], () => 1, 1n, Symbol("s"), "\ud800", "a\udc00b"]) {
      assert.isUndefined(encodeScalar(wrong))
    }
  })

  it("orders kinds: absent, null, false, true, numbers, dates, texts", () => {
    const all = [undefined, null, false, true, -Infinity, -1, 0, Infinity, new Date(-1), new Date(0), "", "\0", "a"]
    const keys = all.map(encoded)
    assert.deepStrictEqual(keys.toReversed().sort(compareUtf8), keys)
  })
})
