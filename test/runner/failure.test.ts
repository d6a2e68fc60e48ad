/** How often what fails is tried again, and after how long. */
import { assert, describe, it } from "@effect/vitest"
import { health, run, subscription, whenProcessed, workflow } from "@persist/runner"
import { delayAfter, policyOf } from "@persist/runner/failure"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const failure = { retries: 1, delay: 1 }

describe("what fails", () => {
  it("is tried again after twice as long each time, up to the longest delay, as often as it's said", () => {
    const policy = policyOf({ retries: 5, delay: 100, longestDelay: 500 })
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6].map((attempts) => delayAfter(policy, attempts)), [
      100,
      200,
      400,
      500,
      500,
      undefined
    ])
  })

  it.live("is counted for each event by itself", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const given: Array<readonly [n: number, attempt: number]> = []
      const shaky = subscription({
        name: "shaky",
        events: Counted,
        failure,
        handle: ({ data }, { attempt }) =>
          Effect.suspend(() => {
            given.push([data.n, attempt])
            return attempt === 0 ? Effect.fail("at first") : Effect.void
          })
      })
      yield* fill(store, 1, 3)
      yield* Effect.forkChild(run(store, [shaky], quick))
      yield* whenProcessed(store, shaky, yield* store.head)
      // What comes after it in the page is given for the first time with it, and fails then.
      assert.deepStrictEqual(given, [[1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]])
    }))

  it.live("is counted for each timer by itself", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const failed = new Set<string>()
      let fired = 0
      const shaky = workflow({
        name: "shaky",
        events: Counted,
        failure,
        correlate: ({ stream }) => stream,
        state: Schema.Null,
        seed: null,
        commands: Counted,
        step: (_, happened) => {
          if (happened.type !== "$timer") return { state: null, timers: { a: 1, b: 2, c: 3 } }
          if (!failed.has(happened.timer)) {
            failed.add(happened.timer)
            throw new Error("at first")
          }
          fired++
          return { state: null }
        }
      })
      yield* fill(store, 1, 1)
      yield* Effect.forkChild(run(store, [shaky], quick))
      yield* until(Effect.sync(() => fired === 3))
    }))

  it.live("for a timer at no time names the event that set it, or the timer", () =>
    Effect.gen(function*() {
      const errorOf = Effect.fnUntraced(function*(later: (at: number) => number) {
        const store = yield* newStore
        const wrong = workflow({
          name: "wrong",
          events: Counted,
          correlate: ({ stream }) => stream,
          state: Schema.Null,
          seed: null,
          commands: Counted,
          failure: { retries: 0 },
          step: (_, happened) => ({
            state: null,
            timers: happened.type === "$timer" ? { again: -1 } : { later: later(happened.at) }
          })
        })
        yield* fill(store, 1, 1)
        yield* Effect.forkChild(run(store, [wrong], quick))
        const { processors } = yield* until(health(store), (found) =>
          found.processors.some(({ partitions }) => partitions[0]?.state === "stopped"))
        return processors[0]?.partitions[0]?.error?.error ?? ""
      })
      assert.match(
        yield* errorOf(() =>
          0.5
        ),
        /timers.later: 0.5 is no time .*, set at event 1 of stream "order-0", type "Counted", position 1;/
      )
      assert.match(
        yield* errorOf((at) => at),
        /timers.again: -1 is no time .*, set at timer "later" of instance "order-0";/
      )
    }))
})
