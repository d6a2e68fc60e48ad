/** When what is due may be done: also by a clock that is set back meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { origin } from "@persist/core"
import { eventSource } from "@persist/core/event-pages"
import { Deadlines } from "@persist/runner/deadline"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Counted, fill, newStore } from "./orders.ts"

/** A clock that says these times, one each time that it's asked, and then always the last. */
const saying = (times: ReadonlyArray<number>) =>
  Effect.map(Clock.Clock, (clock): Clock.Clock => {
    let asked = 0
    const next = () => times[Math.min(asked++, times.length - 1)] ?? 0
    return Object.assign(Object.create(clock), { currentTimeMillis: Effect.sync(next), currentTimeMillisUnsafe: next })
  })

const newDeadlines = Effect.gen(function*() {
  const store = yield* newStore
  yield* fill(store, 1, 1)
  const source = yield* Effect.fromResult(eventSource(store, Counted, {}))
  return { store, deadlines: new Deadlines(store, source) }
})

const at = (deadlines: Deadlines, due: number, times: ReadonlyArray<number>, looked = origin) =>
  Effect.flatMap(
    saying(times),
    (clock) => Effect.provideService(deadlines.wait(Option.some(due), looked), Clock.Clock, clock)
  )

describe("what is due", () => {
  it.live("is done once all is handled that was there by then, though the clock is set back meanwhile", () =>
    Effect.gen(function*() {
      const { deadlines, store } = yield* newDeadlines
      assert.isAbove(yield* at(deadlines, 800, [1000, 500]), 0)
      assert.strictEqual(yield* at(deadlines, 800, [1000, 500], yield* store.head), 0)
    }))

  it.live("doesn't rest on what a clock said that was wrong", () =>
    Effect.gen(function*() {
      const { deadlines, store } = yield* newDeadlines
      const looked = yield* store.head
      assert.strictEqual(yield* at(deadlines, 90_000, [100_000], looked), 0)
      yield* fill(store, 1, 1, 2)
      // As long ago as it was set back, it isn't known any more what was there by now.
      assert.isAbove(yield* at(deadlines, 800, [1000], looked), 0)
      assert.strictEqual(yield* at(deadlines, 800, [1000], yield* store.head), 0)
    }))

  it.live("is done though more comes all the time: what came after it ran out isn't waited for", () =>
    Effect.gen(function*() {
      const { deadlines, store } = yield* newDeadlines
      const there = yield* store.head
      assert.isAbove(yield* at(deadlines, 800, [1000]), 0)
      yield* fill(store, 1, 1, 2)
      assert.strictEqual(yield* at(deadlines, 800, [1000], there), 0)
    }))
})
