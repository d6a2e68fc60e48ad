/** What `given` makes of events is what a store makes of them: the same states, positions, times and decisions. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-memory"
import { eventsOf } from "@persist/conformance"
import { catchUp, decide, makeStore, project, Projection } from "@persist/core"
import { given } from "@persist/testing"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { buyers, order, type OrderCommand, Orders, till } from "./orders.ts"

const whole = Projection.make({
  name: "whole",
  version: 1,
  events: Orders,
  seed: (): ReadonlyArray<unknown> => [],
  step: (list, event) => [...list, event]
})

const streams = ["order-1", "draft-1", "order-2"] as const
const who = ["ada", "bob", "eve"] as const

// The kit names streams by number, and its text can't always be a key: both are given names that models can use.
const histories = fc.sample(eventsOf(Orders, { events: 12 }), { numRuns: 25, seed: 4 }).map((events) =>
  events.map((event) => {
    const n = Number(event.stream.at(-1)) - 1
    const place = { stream: streams[n] ?? streams[0], at: event.at }
    switch (event.type) {
      case "Placed":
        return { ...place, type: event.type, data: { ...event.data, by: who[event.data.by.length % 3] ?? "" } }
      case "Discounted":
        return { ...place, type: event.type, data: event.data }
      case "Paid":
        return { ...place, type: event.type, data: event.data }
    }
  })
)
const commands: ReadonlyArray<OrderCommand> = [{ pay: 3 }, { pay: 1e9 }, { discount: 0 }, { discount: 2 }]

describe("given", () => {
  it.effect("agrees with a store", () =>
    Effect.gen(function*() {
      assert.isAbove(Math.max(...histories.map(({ length }) => length)), 8)
      let decided = 0
      for (const history of histories) {
        const store = yield* makeStore(yield* make())
        for (const { stream, ...event } of history) yield* store.log(Orders).append(stream, event, { expected: "any" })
        const test = given(Orders, ...history)

        assert.deepStrictEqual(test.project(whole).state, (yield* project(store, whole, { all: true })).state)
        for (const stream of streams) {
          assert.deepStrictEqual(test.project(order, stream).state, (yield* project(store, order, { stream })).state)
        }
        yield* catchUp(store, buyers)
        const kept = yield* Stream.runCollect(buyers.kv(store).scan())
        assert.deepStrictEqual(
          test.project(buyers).state,
          Object.fromEntries(kept.map(({ key, value }) => [key, value]))
        )

        for (const command of commands) {
          const before = yield* store.head
          const asked = yield* Effect.result(decide(store, till, "order-1", command))
          const appended = yield* Stream.runCollect(store.log(Orders).readAll({ after: before }))
          const then = test.when(till, command, "order-1")
          if (asked._tag === "Failure") then.expectFailure((failure) => assert.deepStrictEqual(failure, asked.failure))
          else if (appended.length === 0) then.expectNothing()
          else {
            decided++
            then.expect((events) =>
              assert.deepStrictEqual(
                events.map(({ type, data }) => [type, data]),
                appended.map(({ type, data }) => [type, data])
              )
            )
            break // From here on the store has more events than the test.
          }
        }
      }
      assert.isAbove(decided, 3)
    }))
})
