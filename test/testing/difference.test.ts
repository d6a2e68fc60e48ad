/** When two states are equal in content, where they differ, and how values look in messages. */
import { Projection } from "@persist/core"
import { given } from "@persist/testing"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import { failureOf } from "./failure.ts"
import { Orders } from "./orders.ts"

const stateOf = (state: unknown) =>
  given(Orders).project(Projection.make({ name: "p", version: 1, seed: () => state, step: (same) => same }))

class Overdrawn {
  readonly _tag = "Overdrawn"
  readonly missing: number
  constructor(missing: number) {
    this.missing = missing
  }
}

class Failed extends Data.TaggedError("Failed")<{ readonly n: number }> {}

const itself: { self?: unknown } = {}
itself.self = itself

describe("equal in content are", () => {
  it.each<[string, unknown, unknown]>([
    ["numbers, NaN and both zeros", [1, NaN, 0], [1, NaN, -0]],
    ["bigints and null", [10n, null], [10n, null]],
    ["objects in any order of keys", { a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1 }],
    ["a property that is undefined and one that isn't there", { a: undefined }, {}],
    ["what is of a class and what looks like it", new Overdrawn(4), { _tag: "Overdrawn", missing: 4 }],
    ["dates, and invalid ones", [new Date(5), new Date(NaN)], [new Date(5), new Date(NaN)]],
    ["bytes, wherever they lie", new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1)],
    ["maps in any order", new Map([["a", { n: 1 }], ["b", { n: 2 }]]), new Map([["b", { n: 2 }], ["a", { n: 1 }]])],
    ["maps with keys that are objects", new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]])],
    ["sets in any order", new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
    ["errors with one name and message", new TypeError("no"), new TypeError("no")],
    ["Effect's own data", Option.some({ a: 1 }), Option.some({ a: 1 })],
    ["an object that holds itself, and itself", itself, itself]
  ])("%s", (_, a, b) => {
    stateOf(a).expect(b)
    stateOf(b).expect(a)
    expect(failureOf(() => stateOf(a).expect([b])).message).toContain("isn't as expected")
  })
})

describe("a difference is told", () => {
  it.each<[string, unknown, unknown, string]>([
    ["of the whole", 1, 2, "state: expected 1, got 2"],
    ["of kinds", { a: [] }, { a: {} }, "a: expected [], got {}"],
    ["of null and nothing", { a: null }, {}, "a: expected null, got nothing"],
    ["deep inside", { a: [{ "b c": 1 }] }, { a: [{ "b c": "1" }] }, `a[0]["b c"]: expected 1, got "1"`],
    ["of lengths", [1], [1, undefined], "[1]: expected nothing, got undefined"],
    ["of dates", new Date(5), new Date(NaN), "state: expected Date 1970-01-01T00:00:00.005Z, got Date invalid"],
    ["of dates and texts", new Date(5), "1970", `state: expected Date 1970-01-01T00:00:00.005Z, got "1970"`],
    ["of bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3]), "state: expected bytes [1,2], got bytes [1,3]"],
    ["of bytes that go on", new Uint8Array([1]), new Uint8Array([1, 2]), "state: expected bytes [1], got bytes [1,2]"],
    ["of sets that go on", new Set([1]), new Set([1, 2]), "state: expected Set {1}, got Set {1,2}"],
    ["of maps by key", new Map([["a", 1]]), new Map([["a", 2]]), "a: expected 1, got 2"],
    ["of maps by keys that are objects", new Map([[{}, 1]]), new Map([[{}, 2]]), "expected Map {{}:1}, got Map {{}:2}"],
    ["of maps and objects", new Map([["a", 1]]), { a: 1 }, `state: expected Map {"a":1}, got {"a":1}`],
    ["of sets, once for each item", new Set([{ a: 1 }, { b: 1 }]), new Set([{ a: 1 }, { a: 1 }]), "got Set {"],
    ["of errors", new Error("a"), new TypeError("a"), `name: expected "Error", got "TypeError"`],
    ["of errors' messages and fields", new Failed({ n: 1 }), new Failed({ n: 2 }), "n: expected 1, got 2"],
    ["of Effect's own data", Option.some(1), Option.none(), `state: expected `],
    ["of bigints", { n: 10n }, { n: 10 }, "n: expected 10n, got 10"],
    ["of functions", { f: undefined }, { f: failureOf }, "f: expected nothing, got "],
    ["of what holds itself", itself, 1, `state: expected {"self":(itself)}, got 1`],
    [
      "with the class of what differs",
      new Overdrawn(4),
      null,
      `expected Overdrawn {"_tag":"Overdrawn","missing":4}, got null`
    ],
    ["with an error's name and message", new Failed({ n: 1 }), null, `expected Failed "" {`]
  ])("%s", (_, expected, actual, message) => {
    expect(failureOf(() => stateOf(actual).expect(expected)).message).toContain(message)
    expect(failureOf(() => stateOf(expected).expect(actual)).message).toContain("isn't as expected")
  })

  it("once where the whole differs", () => {
    expect(failureOf(() => stateOf(2).expect(1)).message).toBe(`projection "p" after 0 events isn't as expected
  state: expected 1, got 2
    never as expected; it is so from the start, and no event changed it`)
  })

  it("shortly where values are long or differ in many places", () => {
    const many = Array.from({ length: 300 }, (_, i) => i)
    const { message } = failureOf(() => stateOf(many).expect(many.map((n) => n + 1)))
    expect(message).toContain("[7]: expected 8, got 7")
    expect(message).not.toContain("[8]: expected")
    expect(message).toContain("and 292 more differences")
    expect(message).toMatch(/\n {2}got {6}\[0,1,2,.*… \(1091 characters\)$/)
  })
})
