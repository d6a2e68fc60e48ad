/** When and then: what a decider was asked, what it decided, and how an expectation of that fails. */
import { Catalogue, Decider, Invalid, Projection } from "@persist/core"
import { ExpectationFailed, given } from "@persist/testing"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { failureOf } from "./failure.ts"
import { discounted, order, Orders, paid, placed, placedIn, till } from "./orders.ts"

const open = given(Orders, placed("ada", 1200))
const asked = (command: string) =>
  `decider "till", asked for ${command} where the state is {"by":"ada","cents":1200,"status":"open"},`

describe("when", () => {
  it("asks on the state of the stream, and what was decided has then happened", () => {
    open.when(till, { pay: 1000 }).expectFailure({ _tag: "TooLittle", missing: 200 })
      .when(till, { discount: 200 }).expect(discounted(200))
      .when(till, { pay: 1000 }).expect(paid)
      .when(till, { pay: 1000 }).expectFailure({ _tag: "NotOpen" })
      .project(order).expect({ by: "ada", cents: 1000, status: "paid" })
  })

  it("decides on the only stream there is, or on the one that is named", () => {
    given(Orders, placedIn("order-1", "ada", 5)).when(till, { pay: 5 }).expect(paid)
      .project(order, "order-1").expect({ by: "ada", cents: 5, status: "paid" })
    const two = given(Orders, placedIn("order-1", "ada", 5), placedIn("order-2", "bob", 7))
    two.when(till, { pay: 5 }, "order-1").expect(paid).when(till, { pay: 7 }, "order-2").expect(paid)
      .project(order, "order-2").expect({ by: "bob", cents: 7, status: "paid" })
    expect(failureOf(() => two.when(till, { pay: 5 })).message).toBe(
      "stream: the events given are of 2 streams, and a decider decides on one; name it: when(decider, command, stream)"
    )
    given(Orders).when(till, { pay: 5 }).expectFailure({ _tag: "NotOpen" })
  })

  it("events of a decision happen at the time that was set", () => {
    const dates = Projection.make({ name: "dates", version: 1, seed: [0], step: (list, { at }) => [...list, at] })
    open.at(99).when(till, { pay: 1200 }).expect({ ...paid, at: 99 })
      .project(dates).expect((list) => list.at(-1) === 99)
  })

  it("gives the decision, for other assertions", () => {
    expect(open.when(till, { discount: 1 }).decision).toEqual(Result.succeed([discounted(1)]))
    expect(open.when(till, { pay: 1 }).decision).toEqual(Result.fail({ _tag: "TooLittle", missing: 1199 }))
  })

  it("fails for a decision that throws or is none, as a store does", () => {
    const deciding = (decide: () => ReadonlyArray<never>) =>
      Decider.make({ name: "d", projection: order, decide: (_, __: null) => decide() })
    const bug = new Error("bug")
    const throwing = failureOf(() =>
      open.when(
        deciding(() => {
          throw bug
        }),
        null
      )
    )
    expect(throwing).toMatchObject({ _tag: "Invalid", field: `decider "d"`, reason: "its decision threw", cause: bug })
    // Wrong on purpose, beyond what the types let through.
    const none = deciding(() => undefined as unknown as ReadonlyArray<never>)
    expect(failureOf(() => open.when(none, null))).toMatchObject({ field: `decider "d"`, reason: "gave no decision" })
  })
})

describe("expect", () => {
  it("looks at type and data in order; at meta, id and time where they are named", () => {
    open.when(till, { pay: 1300 }).expect(paid)
    open.when(till, { pay: 1300 }).expect({ ...paid, meta: { paid: 1300 } })
    const pay = open.when(till, { pay: 1300 })
    expect(failureOf(() => pay.expect({ ...paid, meta: { paid: 1 } })).message).toContain(
      "[0].meta.paid: expected 1, got 1300"
    )
    expect(failureOf(() => pay.expect({ ...paid, id: "a" })).message).toContain(`[0].id: expected "a", got`)
    expect(failureOf(() => pay.expect({ ...paid, at: 1 })).message).toContain("[0].at: expected 1, got")
  })

  it("fails with what differs", () => {
    const error = failureOf(() => open.when(till, { discount: 7 }).expect(discounted(8), paid))
    expect(error).toBeInstanceOf(ExpectationFailed)
    expect(error.message).toBe(`${asked(`{"discount":7}`)} decided otherwise than expected
  [0].data.cents: expected 8, got 7
  [1]: expected {"type":"Paid","data":null}, got nothing
  expected [{"type":"Discounted","data":{"cents":8}},{"type":"Paid","data":null}]
  got      [{"type":"Discounted","data":{"cents":7}}]`)
    expect(failureOf(() => open.when(till, { pay: 1 }).expect(paid)).message).toBe(
      `${asked(`{"pay":1}`)} refused with {"_tag":"TooLittle","missing":1199}: expected [{"type":"Paid","data":null}]`
    )
  })

  it("compares events as they read back from the store", () => {
    const Dated = Catalogue.make({
      Happened: Schema.Struct({ on: Schema.DateFromString, why: Schema.optionalKey(Schema.String) })
    })
    const none = Projection.make({ name: "none", version: 1, events: Dated, seed: 0, step: (n) => n })
    const dated = Decider.make({
      name: "dated",
      projection: none,
      decide: (_, on: Date) => [{ type: "Happened", data: { on } }]
    })
    given(Dated).when(dated, new Date(5)).expect({ type: "Happened", data: { on: new Date(5) } })
    expect(
      failureOf(() => given(Dated).when(dated, new Date(NaN)).expect({ type: "Happened", data: { on: new Date(5) } }))
    )
      .toMatchObject({ _tag: "Invalid", field: "decided event 1" })
    expect(
      failureOf(() => given(Dated).when(dated, new Date(5)).expect({ type: "Happened", data: { on: new Date(NaN) } }))
    )
      .toMatchObject({ _tag: "Invalid", field: "expected event 1" })
  })

  it("takes a check of the events", () => {
    open.when(till, { discount: 7 }).expect((events) => events.length === 1).project(order)
      .expect({ by: "ada", cents: 1193, status: "open" })
    const discount = open.when(till, { discount: 7 })
    expect(failureOf(() => discount.expect((events) => events.length > 1)).message).toBe(
      `${asked(`{"discount":7}`)} decided [{"type":"Discounted","data":{"cents":7}}]: the check gave false`
    )
    const bug = new Error("bug")
    const thrown = failureOf(() =>
      discount.expect(() => {
        throw bug
      })
    )
    expect(thrown.message).toContain("the check threw Error: bug")
    expect(thrown.cause).toBe(bug)
    expect(failureOf(() => open.when(till, { pay: 1 }).expect(() => true)).message).toContain(
      `refused with {"_tag":"TooLittle","missing":1199}: expected events that pass a check`
    )
  })
})

describe("expectNothing", () => {
  it("holds where nothing is to change, and for nothing else", () => {
    open.when(till, { discount: 0 }).expectNothing().project(order).expect({ by: "ada", cents: 1200, status: "open" })
    expect(failureOf(() => open.when(till, { discount: 7 }).expectNothing()).message).toBe(
      `${asked(`{"discount":7}`)} decided [{"type":"Discounted","data":{"cents":7}}]: expected nothing`
    )
    expect(failureOf(() => open.when(till, { pay: 7 }).expectNothing()).message).toBe(
      `${asked(`{"pay":7}`)} refused with {"_tag":"TooLittle","missing":1193}: expected nothing`
    )
  })
})

describe("expectFailure", () => {
  it("compares the failure, or asks a check, and nothing has happened", () => {
    const pay = open.when(till, { pay: 1000 })
    pay.expectFailure({ _tag: "TooLittle", missing: 200 }).project(order).expect(({ cents }) => cents === 1200)
    pay.expectFailure(({ _tag }) => _tag === "TooLittle")
    expect(failureOf(() => pay.expectFailure({ _tag: "TooLittle", missing: 1 })).message).toBe(
      `${asked(`{"pay":1000}`)} refused otherwise than expected
  missing: expected 1, got 200
  expected {"_tag":"TooLittle","missing":1}
  got      {"_tag":"TooLittle","missing":200}`
    )
    expect(failureOf(() => pay.expectFailure(({ _tag }) => _tag === "NotOpen")).message).toBe(
      `${asked(`{"pay":1000}`)} refused with {"_tag":"TooLittle","missing":200}: the check gave false`
    )
  })

  it("fails where something was decided", () => {
    const discount = open.when(till, { discount: 0 })
    expect(failureOf(() => discount.expectFailure({ _tag: "NotOpen" })).message).toBe(
      `${asked(`{"discount":0}`)} decided []: expected it to refuse with {"_tag":"NotOpen"}`
    )
    expect(failureOf(() => discount.expectFailure(() => true)).message).toContain("a failure that passes a check")
  })

  it("tells the decider's own Invalid from one of a decision that is wrong", () => {
    const own = new Invalid({ field: "amount", reason: "is odd", remedy: "make it even" })
    const even = Decider.make({ name: "even", projection: order, decide: (_, __: null) => Result.fail(own) })
    open.when(even, null).expectFailure(own)
  })
})
