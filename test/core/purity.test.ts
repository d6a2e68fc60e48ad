/** The guard against impure steps: each trap springs, nothing else is disturbed, and the globals come back. */
import { assert, describe, it } from "@effect/vitest"
import { Catalogue, type EventOf, fold, guardPurity, Invalid, Projection } from "@persist/core"
import * as Chunk from "effect/Chunk"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import { eventOf } from "./ledger.ts"

const Listed = Catalogue.make({ Listed: Schema.Struct({ list: Schema.Array(Schema.Int), bytes: Schema.Uint8Array }) })

const event: EventOf<typeof Listed> = {
  ...eventOf("a", 1, 1),
  type: "Listed",
  data: { list: [1], bytes: new Uint8Array([1, 2]) }
}

const stepping = <S>(seed: () => S, step: (state: S, e: typeof event) => S): Projection<S, typeof Listed> =>
  guardPurity({ ...Projection.make({ name: "p", version: 1, seed, events: Listed, step: (s) => s }), step })

const globals = () => [
  Date,
  Date.now,
  Math.random,
  Reflect.get(crypto, "randomUUID"),
  Reflect.get(crypto, "getRandomValues"),
  Reflect.get(performance, "now")
]

const refusal = (run: () => unknown): Invalid => {
  const before = globals()
  try {
    run()
  } catch (error) {
    assert.deepStrictEqual(globals(), before, "the globals are as before")
    if (error instanceof Invalid) return error
    throw error
  }
  throw new Error("nothing was refused")
}

const impurities: ReadonlyArray<readonly [what: string, look: () => unknown]> = [
  ["Date.now", () => Date.now()],
  ["new Date()", () => new Date()],
  ["Date()", () => Date()],
  ["Math.random", () => Math.random()],
  ["crypto.randomUUID", () => crypto.randomUUID()],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ["performance.now", () => performance.now()]
]

describe("purity", () => {
  it.each(impurities)("a step can't see %s, and the refusal names the event", (what, look) => {
    const fault = refusal(() => fold(stepping(() => 0, (n) => (look(), n)), [event]))
    assert.strictEqual(fault.field, "projection \"p\"")
    assert.strictEqual(
      fault.reason,
      `its step used ${what} at seq 1 of stream "a" (position 1, type ${JSON.stringify(event.type)})`
    )
    assert.match(fault.remedy, /event/)
  })

  it.each(impurities)("neither can a seed see %s", (what, look) => {
    const fault = refusal(() => fold(stepping(() => (look(), 0), (n) => n), [event]))
    assert.strictEqual(fault.reason, `its seed used ${what}`)
  })

  const changes: ReadonlyArray<readonly [what: string, seed: () => unknown, change: (state: never) => unknown]> = [
    ["a property", () => ({ n: 1 }), (state: { n: number }) => state.n++],
    ["a property deep down", () => ({ a: [{ n: 1 }] }), (state: { a: [{ n: number }] }) => state.a[0].n++],
    ["an array", () => [1], (state: Array<number>) => state.push(2)],
    ["a map", () => new Map([[1, 1]]), (state: Map<number, number>) => state.set(1, 2)],
    [
      "a value of a map",
      () => new Map([[1, { n: 1 }]]),
      (state: Map<number, { n: number }>) => state.forEach((value) => value.n++)
    ],
    ["a set", () => new Set([1]), (state: Set<number>) => state.clear()],
    ["a date", () => new Date(1), (state: Date) => state.setHours(3)],
    ["bytes", () => new Uint8Array([1]), (state: Uint8Array) => state.fill(7)]
  ]
  it.each(changes)("a step can't change its state: %s", (_what, seed, change) => {
    const guarded = stepping(seed, (state) => {
      change(state as never) // Each change is of its own seed.
      return state
    })
    assert.match(refusal(() => fold(guarded, [event])).reason, /its step (threw|changed what it was given)/)
  })

  it("a step can't change the event", () => {
    const guarded = stepping(() => 0, (n, { data }) => n + (data.list as Array<number>).push(2))
    assert.match(refusal(() => fold(guarded, [event])).reason, /its step threw/)
    const bytes = stepping(() => 0, (n, { data }) => n + (data.bytes[0] = 9))
    assert.match(refusal(() => fold(bytes, [event])).reason, /changed what it was given/)
  })

  it("lets a pure step be, with dates of its own, maps of its own and Effect's data", () => {
    const pure = stepping(
      () => ({
        when: "",
        map: new Map<string, number>(),
        hash: HashMap.empty<string, number>(),
        chunk: Chunk.empty<number>()
      }),
      ({ chunk, hash, map }, { at, type }) => ({
        when: new Date(at).toISOString() + String(new Date(0) instanceof Date) + Date.UTC(1970),
        map: new Map(map).set(type, at),
        hash: HashMap.set(hash, type, Chunk.toReadonlyArray(chunk).length),
        chunk: Chunk.append(Chunk.appendAll(chunk, chunk), at)
      })
    )
    const before = globals()
    const { chunk, hash, map, when } = fold(pure, [event, event, event])
    assert.deepStrictEqual(globals(), before)
    assert.strictEqual(when, "1970-01-01T00:00:00.001Ztrue0")
    assert.deepStrictEqual([...map], [[event.type, 1]])
    assert.deepStrictEqual([HashMap.get(hash, event.type)._tag, Chunk.size(chunk)], ["Some", 7])
    assert.isAbove(Date.now(), 0)
  })

  it("gives the globals back where the step throws, and where guards are nested", () => {
    const thrower = guardPurity(stepping(() => 0, () => {
      throw new Error("mine")
    }))
    assert.match(refusal(() => fold(thrower, [event])).reason, /its step threw/)
    assert.strictEqual(typeof crypto.randomUUID(), "string")
    assert.isFalse(Object.hasOwn(crypto, "randomUUID"))
  })
})
