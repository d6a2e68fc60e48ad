/** Projections as pure folds: what they are made of, and that folding the same events always gives the same state. */
import { assert, describe, it } from "@effect/vitest"
import { anyEvents, Catalogue, fold, Invalid, Projection } from "@persist/core"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { eventOf, Ledger, sum } from "./ledger.ts"

const events = (numbers: ReadonlyArray<number>) => numbers.map((n, i) => eventOf("a", i + 1, n))

const numbers = fc.array(fc.nat(50), { minLength: 1, maxLength: 30 })

const refusal = (make: () => unknown): Invalid => {
  try {
    make()
  } catch (error) {
    if (error instanceof Invalid) return error
    throw error
  }
  throw new Error("nothing was refused")
}

const good = { name: "p", version: 1, seed: 0, step: (n: number) => n }

describe("projection", () => {
  it("folds in order, from the seed", () => {
    assert.deepStrictEqual(fold(sum, []), { total: 7, seen: 0 })
    // (7 * 3 + 4) * 5
    assert.deepStrictEqual(fold(sum, events([1, 2, 3])), { total: 125, seen: 3 })
    assert.deepStrictEqual(fold(sum, events([3, 2, 1])), { total: 117, seen: 3 })
  })

  it("gives the same state however the events are cut up, and every time", () =>
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(30), { maxLength: 5 }), (all, cuts) => {
        const given = events(all)
        const whole = fold(sum, given)
        const places = [0, ...cuts.map((cut) => cut % given.length).sort((a, b) => a - b), given.length]
        let state = fold(sum, [])
        for (let i = 1; i < places.length; i++) state = fold(sum, given.slice(places[i - 1], places[i]), { state })
        assert.deepStrictEqual(state, whole)
        assert.deepStrictEqual(fold(sum, given), whole)
        assert.strictEqual(whole.seen, all.length)
      })
    ))

  it("begins every fold with a seed nobody else holds, however the step treats it", () => {
    const seed = {
      list: new Array<number>(),
      map: new Map([["a", { n: 0 }]]),
      set: new Set([1]),
      when: new Date(5),
      bytes: new Uint8Array([1]),
      bare: Object.assign(Object.create(null) as { n?: number }, { n: 1 }),
      nothing: null
    }
    const careless = Projection.make({
      name: "careless",
      version: 1,
      seed,
      events: Ledger,
      step: (state, { data }) => {
        state.list.push(data)
        state.map.set("b", { n: data })
        const first = state.map.get("a")
        if (first !== undefined) first.n++
        state.set.add(data)
        state.when.setTime(data)
        state.bytes[0] = data
        state.bare.n = data
        return state
      }
    })
    const once = fold(careless, events([1, 2]))
    const twice = fold(careless, events([1, 2]))
    assert.deepStrictEqual(once, twice)
    assert.notStrictEqual(once, twice)
    assert.deepStrictEqual(once.list, [3, 4])
    assert.deepStrictEqual([seed.list.length, seed.map.size, seed.when.getTime(), seed.bytes[0]], [0, 1, 5, 1])
    assert.isNull(Object.getPrototypeOf(once.bare))
    seed.list.push(9)
    assert.deepStrictEqual(fold(careless, []).list, [])
  })

  it("copies a Buffer in a seed too, which stays one", () => {
    const seed = { deep: [Buffer.from("abc")] }
    const careless = Projection.make({
      ...good,
      seed,
      step: (state: typeof seed) => {
        state.deep[0]?.fill(0)
        return state
      }
    })
    fold(careless, events([1]))
    assert.strictEqual(String(seed.deep[0]), "abc", "the caller's own")
    seed.deep[0]?.fill(1)
    assert.strictEqual(fold(careless, []).deep[0]?.toString("latin1"), "abc", "what every fold begins with")
  })

  it("takes a function for a seed that can't be copied, and says so", () => {
    class Money {
      readonly cents = 1
    }
    const fault = refusal(() => Projection.make({ ...good, seed: { deep: [new Money()] }, step: (s) => s }))
    assert.strictEqual(fault.field, "seed.deep[0]")
    assert.match(fault.remedy, /function/)
    const made = Projection.make({ ...good, seed: () => new Money(), step: (s) => s })
    assert.notStrictEqual(made.seed(), made.seed())
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    assert.strictEqual(
      refusal(() => Projection.make({ ...good, seed: cycle, step: (s) => s })).field,
      "seed.self"
    )
    assert.strictEqual(
      refusal(() => Projection.make({ ...good, seed: new Map([[1, () => 1]]), step: (s) => s })).field,
      "seed"
    )
  })

  it("names the event at which a step threw, and what to do", () => {
    const cause = new Error("out of range")
    const picky = Projection.make({
      name: "picky",
      version: 1,
      seed: 0,
      events: Ledger,
      step: (n, { seq }) => {
        if (seq === 2) throw cause
        return n + 1
      }
    })
    const fault = refusal(() => fold(picky, events([1, 2, 3])))
    assert.strictEqual(fault.field, "projection \"picky\"")
    assert.strictEqual(fault.reason, "its step threw at seq 2 of stream \"a\" (position 2, type \"Added\")")
    assert.strictEqual(fault.cause, cause)
    assert.strictEqual(fold(picky, events([1])), 1)
  })

  it("refuses a seed that throws and a step that makes promises", () => {
    const seedless = Projection.make({
      ...good,
      seed: (): number => {
        throw new Error("no seed")
      }
    })
    assert.match(refusal(() => fold(seedless, [])).reason, /seed threw/)
    const late: unknown = async (n: number) => n
    const waiting = Projection.make({ ...good, step: late as (n: number) => number }) // As JavaScript could do.
    assert.match(refusal(() => fold(waiting, events([1]))).reason, /promise/)
  })

  it("is refused at once where it is made of the wrong things", () => {
    const wrong: ReadonlyArray<readonly [field: string, options: object]> = [
      ["name", { ...good, name: "" }],
      ["name", { ...good, name: "$mine" }],
      ["name", { ...good, name: "\ud800" }],
      ["version", { ...good, version: 0 }],
      ["version", { ...good, version: 1.5 }],
      ["version", { ...good, version: "1" }],
      ["step", { ...good, step: 1 }],
      ["events", { ...good, events: {} }],
      ["stepp", { ...good, stepp: 1 }],
      ["state", { ...good, state: {} }]
    ]
    for (const [field, options] of wrong) {
      assert.strictEqual(refusal(() => Projection.make(options as typeof good)).field, field, JSON.stringify(options))
    }
    assert.throws(() => Projection.make({ ...good, name: "x".repeat(257) }), /limit of 256/)
  })

  it("is told from anything else", () => {
    assert.isTrue(Projection.is(sum))
    for (const other of [undefined, null, 1, {}, good, () => sum]) assert.isFalse(Projection.is(other))
  })

  it("reads every event as it is stored where no catalogue is given", () => {
    assert.strictEqual(Projection.make(good).events, anyEvents)
  })

  it("takes its state's type from the schema, where there is one", () => {
    const tags = Projection.make({
      name: "tags",
      version: 1,
      state: Schema.Struct({ tags: Schema.Array(Schema.String), kind: Schema.Literals(["a", "b"]) }),
      seed: { tags: [], kind: "a" },
      events: Catalogue.make({ Tagged: Schema.String }),
      step: ({ kind, tags: before }, { data }) => ({ tags: [...before, data], kind: kind === "a" ? "b" : "a" })
    })
    const tagged = { ...eventOf("a", 1, 1), type: "Tagged" as const, data: "x" }
    assert.deepStrictEqual(fold(tags, [tagged]), { tags: ["x"], kind: "b" })
  })
})
