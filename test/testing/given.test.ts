/** Given and then: what has happened, what is made of it, and how an expectation that fails says why. */
import { Catalogue, Invalid, Projection, ReadModel } from "@persist/core"
import { defaultStream, defaultTime, ExpectationFailed, given } from "@persist/testing"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { failureOf } from "./failure.ts"
import { buyers, discounted, OldOrders, order, Orders, paid, placed, placedIn, till } from "./orders.ts"

const seen = Projection.make({
  name: "seen",
  version: 1,
  seed: (): ReadonlyArray<string> => [],
  step: (list, { at, position, seq, stream, type }) => [...list, `${position} ${stream}/${seq} ${type} ${at}`]
})

describe("given", () => {
  it("events are numbered in their streams and in the total order, and happen when the one before them did", () => {
    const t = defaultTime
    given(Orders, placed("ada", 5), { ...placedIn("order-1", "bob", 7), at: 50 }, discounted(1))
      .at(new Date(70)).and(Orders, paid)
      .project(seen).expect([
        `1 ${defaultStream}/1 Placed ${t}`,
        "2 order-1/1 Placed 50",
        `3 ${defaultStream}/2 Discounted 50`,
        `4 ${defaultStream}/3 Paid 70`
      ])
  })

  it("changes nothing that was given before", () => {
    const one = given(Orders, placed("ada", 5))
    one.and(Orders, paid)
    one.when(till, { pay: 5 }).expect(paid)
    one.at(7)
    one.and(Orders, paid).project(seen).expect((list) => list.length === 2)
    one.project(seen).expect([`1 ${defaultStream}/1 Placed ${defaultTime}`])
  })

  it("an event is read as it would be stored: what its schema makes of it, apart from what the test holds", () => {
    const Dated = Catalogue.make({ Happened: Schema.Struct({ on: Schema.DateFromString }) })
    const on = new Date(5)
    const days = Projection.make({
      name: "days",
      version: 1,
      events: Dated,
      seed: (): ReadonlyArray<Date> => [],
      step: (list, { data }) => [...list, data.on]
    })
    const { state } = given(Dated, { type: "Happened", data: { on } }).project(days).expect([new Date(5)])
      .project(days)
    expect(state[0]).not.toBe(on)
  })

  it("old versions are read as the new one", () => {
    given(OldOrders, { type: "Placed", data: { by: "ada", euros: 12.5 } })
      .and(Orders, discounted(50))
      .project(order).expect({ by: "ada", cents: 1200, status: "open" })
  })

  it.each([
    [
      "data that doesn't fit",
      { type: "Placed", data: { by: "ada", cents: 1.5 } },
      "event.data.cents: expected an integer"
    ],
    ["a type that isn't there", { type: "Placd", data: null }, `event.type: "Placd" isn't in the catalogue`],
    ["no data", { type: "Placed" }, "event.data: "],
    ["a property nobody knows", { ...paid, strem: "a" }, "strem: is no option here"],
    ["an empty stream", { ...paid, stream: "" }, "stream: an empty string is no name"],
    ["half a millisecond", { ...paid, at: 0.5 }, "at: 0.5 is no time"],
    ["meta of ours", { ...paid, meta: { $v: 1 } }, "event.meta"]
  ])("an event with %s can't have happened", (_, event, reason) => {
    // Wrong on purpose, beyond what the types let through.
    const error = failureOf(() => given(Orders, paid, event as typeof paid))
    expect(error).toBeInstanceOf(Invalid)
    expect(error.message).toContain(`given event 2: no store would take it; ${reason}`)
  })

  it("refuses what is no time", () => {
    expect(failureOf(() => given(Orders).at(new Date(NaN)))).toBeInstanceOf(Invalid)
  })
})

describe("project", () => {
  it("folds all streams in their order, or the one that is named", () => {
    const both = given(Orders, placed("ada", 5), placedIn("order-1", "bob", 7), discounted(1))
    both.project(order).expect({ by: "bob", cents: 6, status: "open" })
      .project(order, "order-1").expect({ by: "bob", cents: 7, status: "open" })
      .project(order, "nobody's").expect({ by: "", cents: 0, status: "new" })
  })

  it("of a read model gives the states by key, of the types and streams that it reads", () => {
    given(Orders, placedIn("order-1", "ada", 5), placedIn("order-2", "bob", 7), placedIn("order-3", "ada", 1))
      .and(Orders, placedIn("draft-1", "eve", 9), discounted(1))
      .project(buyers).expect({ ada: { orders: 2, cents: 6 }, bob: { orders: 1, cents: 7 } })
      .project(buyers).expect(({ ada }) => ada?.cents === 6)
  })

  it("of a read model gives states as they read back from where they are stored", () => {
    const kept = { cents: 5, orders: 1 }
    const { state } = given(Orders, placedIn("order-1", "ada", 5)).project({ ...buyers, step: () => kept })
    expect(state["ada"]).toEqual(kept)
    expect(state["ada"]).not.toBe(kept)
  })

  it("of a read model deletes, takes null for a state, and counts a key that's named twice once", () => {
    const last = ReadModel.make({
      name: "last",
      version: 1,
      events: Orders,
      keys: () => ["all", "all"],
      seed: (): ReadonlyArray<string> | null => [],
      value: Schema.NullOr(Schema.Array(Schema.String)),
      step: (state, { type }) => type === "Paid" ? undefined : type === "Placed" ? null : [...state ?? ["null"], type]
    })
    given(Orders, discounted(1)).project(last).expect({ all: ["Discounted"] })
      .and(Orders, placed("ada", 1)).project(last).expect({ all: null })
      .and(Orders, discounted(1)).project(last).expect({ all: ["null", "Discounted"] })
      .and(Orders, paid).project(last).expect({})
  })

  it("fails where a fold throws, can't read an event or gives what can't be stored, naming the event", () => {
    const bug = new Error("bug")
    const throwing = (): never => {
      throw bug
    }
    const sick = Projection.make({ name: "sick", version: 1, seed: 0, step: throwing })
    expect(failureOf(() => given(Orders, paid).project(sick)).message)
      .toContain(`projection "sick": its step threw at seq 1 of stream "test"`)

    const Other = Catalogue.make({ Other: Schema.Null })
    const foreign = Projection.make({ name: "foreign", version: 1, events: Other, seed: 0, step: (n) => n })
    expect(failureOf(() => given(Orders, paid).project(foreign)).message)
      .toContain(`event 1 of stream "test", type "Paid": type: isn't in the catalogue`)

    const at = `event 1 of stream "order-1", Placed {"by":"ada","cents":5}`
    const models = [
      [{ ...buyers, keys: throwing }, `can't take ${at}; Error: bug`],
      [{ ...buyers, step: throwing }, `can't take ${at}; Error: bug`],
      [{ ...buyers, keys: () => "" }, `can't take ${at}; Invalid: key: an empty string is no name`],
      // Wrong on purpose, beyond what the types let through.
      [{ ...buyers, keys: () => null as unknown as string }, "keys: are neither a string nor an array"],
      [{ ...buyers, step: () => ({ orders: 0.5, cents: 0 }) }, `state of key "ada".orders: expected an integer`]
    ] as const
    for (const [model, message] of models) {
      const error = failureOf(() => given(Orders, placedIn("order-1", "ada", 5)).project(model))
      expect(error.message).toContain(`read model "buyers"`)
      expect(error.message).toContain(message)
    }
  })
})

describe("an expectation of a state that fails", () => {
  it("says until which event each part was as expected, which changed it last, or that none did", () => {
    const error = failureOf(() =>
      given(Orders, placed("ada", 1200), discounted(700), discounted(0)).project(order)
        .expect({ by: "bob", cents: 1200, status: "paid" })
    )
    expect(error).toBeInstanceOf(ExpectationFailed)
    expect(error).toMatchObject({
      name: "ExpectationFailed",
      expected: { by: "bob", cents: 1200, status: "paid" },
      actual: { by: "ada", cents: 500, status: "open" }
    })
    expect(error.message).toBe(`projection "order" after 3 events isn't as expected
  by: expected "bob", got "ada"
    never as expected; event 1 of stream "test", Placed {"by":"ada","cents":1200}, changed it last, from "" to "ada"
  cents: expected 1200, got 500
    as expected until event 2 of stream "test", Discounted {"cents":700}, changed it from 1200 to 500
  status: expected "paid", got "open"
    never as expected; event 1 of stream "test", Placed {"by":"ada","cents":1200}, changed it last, from "new" to "open"
  expected {"by":"bob","cents":1200,"status":"paid"}
  got      {"by":"ada","cents":500,"status":"open"}`)
    expect(failureOf(() => given(Orders).project(order).expect({ by: "", cents: 1, status: "new" })).message)
      .toContain("never as expected; it is so from the start, and no event changed it")
  })

  it("says so of a state that its step changes in place too", () => {
    const totals = Projection.make({
      name: "totals",
      version: 1,
      events: Orders,
      seed: () => new Map<string, Array<number>>(),
      step: (map, event) => {
        if (event.type === "Placed") map.set(event.data.by, [...map.get(event.data.by) ?? [], event.data.cents])
        else map.get("ada")?.push(0)
        return map
      }
    })
    expect(
      failureOf(() =>
        given(Orders, placed("ada", 5), discounted(1), paid).project(totals).expect(new Map([["ada", [5, 0]]]))
      ).message
    ).toBe(`projection "totals" after 3 events isn't as expected
  ada[2]: expected nothing, got 0
    as expected until event 3 of stream "test", Paid null, changed it from nothing to 0
  expected Map {"ada":[5,0]}
  got      Map {"ada":[5,0,0]}`)
  })

  it("says so of a read model, by key", () => {
    expect(
      failureOf(() =>
        given(Orders, placedIn("order-1", "ada", 5)).project(buyers).expect({ bob: { orders: 1, cents: 5 } })
      )
        .message
    ).toBe(
      `read model "buyers" after 1 event isn't as expected
  bob: expected {"orders":1,"cents":5}, got nothing
    never as expected; it is so from the start, and no event changed it
  ada: expected nothing, got {"orders":1,"cents":5}
    as expected until event 1 of stream "order-1", Placed {"by":"ada","cents":5}, changed it from nothing to ` +
        `{"orders":1,"cents":5}
  expected {"bob":{"orders":1,"cents":5}}
  got      {"ada":{"orders":1,"cents":5}}`
    )
  })

  it("tells a fold that isn't one from its events", () => {
    let calls = 0
    const counting = Projection.make({ name: "counting", version: 1, events: Orders, seed: 0, step: () => ++calls })
    expect(failureOf(() => given(Orders, paid).project(counting).expect(2)).message)
      .toContain("folded again it is as expected: the fold isn't a function of its events")
  })

  it("of a check says why, and until which event it passed", () => {
    const three = given(Orders, placed("ada", 5), discounted(3), discounted(1)).project(order)
    expect(failureOf(() => three.expect(({ cents }) => cents > 2 || cents === 0)).message)
      .toBe(
        `projection "order" after 3 events doesn't pass: the check gave false
  state: {"by":"ada","cents":1,"status":"open"}
    passed until event 2 of stream "test", Discounted {"cents":3}, changed it from ` +
          `{"by":"ada","cents":5,"status":"open"} to {"by":"ada","cents":2,"status":"open"}`
      )
    const error = failureOf(() => three.expect(({ cents }) => expect(cents).toBe(7)))
    expect(error.message).toMatch(/the check threw AssertionError: expected 1 to be 7/)
    expect(error.message).toContain("never passed; event 3 of stream \"test\", Discounted")
    expect(error.cause).toBeInstanceOf(Error)
    // A check that waits is never waited for, whatever its type.
    const late = (() => Promise.resolve(true)) as unknown as () => boolean
    expect(failureOf(() => three.expect(late)).message).toContain("the check gave a promise, and nobody waits for it")
    expect(failureOf(() => three.expect(() => false))).not.toHaveProperty("expected")
  })
})
