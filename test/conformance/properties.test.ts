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

  it("catches one that remembers what it isn't given", () => {
    let seen = 0
    expect(() => checkReadModel(model(0, Schema.Int, () => ++seen))).toThrow(/building it again/)
  })
})
