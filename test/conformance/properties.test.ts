/** The checks for users' own projections, deciders and read models: what's sound passes, what isn't is caught. */
import { checkDecider, checkProjection, checkReadModel, eventsOf } from "@persist/conformance"
import { Catalogue, Decider, Invalid, Projection, ReadModel } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const Account = Catalogue.make({
  Credited: Schema.Struct({ cents: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })) }),
  Debited: Schema.Struct({ cents: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })) })
})

const balance = Projection.make({
  name: "balance",
  version: 1,
  events: Account,
  seed: 0,
  step: (sum, { data, type }) => type === "Credited" ? sum + data.cents : sum - data.cents
})

const counting = <S>(seed: S, step: (state: S, event: { readonly at: number }) => S) =>
  Projection.make({ name: "p", version: 1, events: Account, seed, step: (state: S, event): S => step(state, event) })

describe("eventsOf", () => {
  it("gives several streams in one order, each numbered from 1", () => {
    const histories = fc.sample(eventsOf(Account), { numRuns: 30, seed: 1 })
    for (const history of histories) {
      expect(history.map(({ position }) => Number(position))).toEqual(history.map((_, i) => i + 1))
      for (const [, own] of Map.groupBy(history, ({ stream }) => stream)) {
        expect(own.map(({ seq }) => Number(seq))).toEqual(own.map((_, i) => i + 1))
      }
    }
    expect(Math.max(...histories.map((history) => new Set(history.map(({ stream }) => stream)).size))).toBe(3)
  })

  it("takes the data of a type from whoever says how to make it", () => {
    const Even = Catalogue.make({ Even: Schema.Int.check(Schema.makeFilter((n) => n % 2_000_003 === 1)) })
    expect(() => fc.sample(eventsOf(Even), 20)).toThrow("events.Even: too few values")
    const data = { Even: fc.nat(9).map((n) => n * 2_000_003 + 1) }
    const found = fc.sample(eventsOf(Even, { data }), { numRuns: 20, seed: 1 }).flat()
    expect(found.length).toBeGreaterThan(20)
    expect(found.every((event) => event.data % 2_000_003 === 1)).toBe(true)
  })

  it("says of which type no values can be made", () => {
    const Strange = Catalogue.make({ Fine: Schema.Int, Strange: Schema.instanceOf(WeakRef) })
    expect(() => eventsOf(Strange)).toThrow("events.Strange: no values")
  })
})

describe("checkProjection", () => {
  it("passes a sound one, and looks at histories with events", () => {
    checkProjection(balance)
    expect(fc.sample(eventsOf(Account), { numRuns: 20, seed: 1 }).some((events) => events.length > 3)).toBe(true)
  })

  it.each([
    ["the clock", counting(0, () => Date.now()), "Date.now"],
    ["randomness", counting(0, () => Math.random()), "Math.random"]
  ])("catches a step that looks at %s", (_, projection, what) => {
    expect(() => checkProjection(projection)).toThrow(what)
  })

  it("catches a step that changes its state in place", () => {
    const list = counting<Array<number>>([], (state, { at }) => {
      state.push(at)
      return state
    })
    expect(() => checkProjection(list)).toThrow(/Property failed/)
  })

  it("catches a step that remembers what it isn't given", () => {
    let seen = 0
    expect(() => checkProjection(counting(0, () => ++seen))).toThrow(/a second replay/)
  })

  it("catches a state that a snapshot doesn't bring back", () => {
    const last = Projection.make({
      name: "last",
      version: 1,
      events: Account,
      seed: { at: 0, kept: "no" },
      state: Schema.Struct({ at: Schema.Int, kept: Schema.String.pipe(Schema.decodeTo(Schema.String)) }),
      step: ({ at }, event) => ({ at: at + event.at, kept: undefined as unknown as string }) // on purpose
    })
    expect(() => checkProjection(last)).toThrow(/Property failed/)
  })

  it("catches a step that knows its own states again", () => {
    const own = new WeakSet<object>()
    const chunked = counting({ many: 0 }, (state) => {
      const next = { many: own.has(state) || state.many === 0 ? state.many + 1 : 0 }
      own.add(next)
      return next
    })
    expect(() => checkProjection(chunked)).toThrow(/the snapshot after/)
  })

  it("shows the smallest history, and finds it again by its seed and path", () => {
    const failing = counting(0, (sum, { at }) => sum === 2 ? Date.now() : at > 0 ? sum + 1 : sum)
    const messageOf = (options?: { readonly seed: number; readonly path: string }): string => {
      try {
        checkProjection(failing, options)
        return ""
      } catch (error) {
        return String(error)
      }
    }
    const message = messageOf()
    const [, seed = "", path = ""] = /seed: (-?\d+), path: "([\d:]+)"/.exec(message) ?? []
    const again = messageOf({ seed: Number(seed), path })
    // Three events are the least that show it.
    expect(message.match(/"stream":/g)).toHaveLength(3)
    expect(again).toContain(/Counterexample: .*/.exec(message)?.[0])
    expect(/Shrunk 0 time/.test(again)).toBe(true)
  })

  it("prints the seed that brings a failure back", () => {
    expect(() => checkProjection(counting(0, () => Date.now()), { seed: 7 })).toThrow(/seed: 7/)
  })

  it("refuses a catalogue without types", () => {
    expect(() => checkProjection(Projection.make({ name: "p", version: 1, seed: 0, step: (n: number) => n }))).toThrow(
      Invalid
    )
  })
})

describe("checkDecider", () => {
  const spend = Schema.Struct({ cents: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })) })
  it("passes a sound one", () => {
    const sound = Decider.make({
      name: "spend",
      projection: balance,
      decide: (sum, { cents }: typeof spend.Type) =>
        cents > sum ? Result.fail("too little") : [{ type: "Debited" as const, data: { cents } }]
    })
    expect(() => checkDecider(sound, spend)).not.toThrow()
  })

  it("catches one whose events don't fit, one that throws and one that looks at the clock", () => {
    const deciding = (decide: (sum: number) => number) =>
      Decider.make({
        name: "d",
        projection: balance,
        decide: (sum, _: null) => [{ type: "Credited" as const, data: { cents: decide(sum) } }]
      })
    const command = fc.constant(null)
    checkDecider(deciding(() => 1), command)
    expect(() => checkDecider(deciding(() => 0), command)).toThrow(/decided\[0\]/)
    expect(() => checkDecider(deciding((sum) => sum > 200 ? JSON.parse("no") : 1), command)).toThrow(/Property failed/)
    expect(() => checkDecider(deciding(() => Date.now() > 0 ? 1 : 2), command)).toThrow(/Date\.now/)
  })
})

describe("checkReadModel", () => {
  const model = <A>(seed: A, value: Schema.Codec<A, unknown>, step: (state: A) => A | undefined) =>
    ReadModel.make({ name: "m", version: 1, events: Account, keys: ({ type }) => type, seed, value, step })

  it("passes a sound one", () => {
    expect(() => checkReadModel(model(0, Schema.Int, (n) => n > 3 ? undefined : n + 1))).not.toThrow()
  })

  it("looks at several keys where streams are keys", () => {
    const seen = new Set<string>()
    checkReadModel(
      ReadModel.make({
        name: "m",
        version: 1,
        events: Account,
        keys: ({ stream }) => [stream, "all"],
        seed: { n: 0 },
        value: Schema.Struct({ n: Schema.Int }),
        step: ({ n }, _, key) => {
          seen.add(key)
          return { n: n + 1 }
        }
      })
    )
    expect(seen.size).toBeGreaterThan(3)
  })

  it("catches one that looks at the clock or at randomness, or changes its states in place", () => {
    const states = Schema.mutable(Schema.Array(Schema.Int))
    expect(() => checkReadModel(model(0, Schema.Int, () => Date.now() % 2))).toThrow("Date.now")
    expect(() =>
      checkReadModel(model<Array<number>>([], states, (list) => {
        list.push(1)
        return list
      }))
    ).toThrow(/Property failed/)
    const random = { ...model(0, Schema.Int, (n) => n + 1), keys: () => `${Math.random()}` }
    expect(() => checkReadModel(random)).toThrow("Math.random")
  })

  it("catches one that remembers what it isn't given", () => {
    let seen = 0
    expect(() => checkReadModel(model(0, Schema.Int, () => ++seen))).toThrow(/building it again/)
  })
})
