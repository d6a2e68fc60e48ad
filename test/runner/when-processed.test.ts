/** Reading one's own writes through a processor, whoever runs it. */
import { assert, describe, it } from "@effect/vitest"
import { reaction, run, subscription, whenProcessed } from "@persist/runner"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick } from "./until.ts"

describe("whoever waits for a processor", () => {
  it.live("goes on once all of its partitions are done with what was there, and finds what they made", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const counts = store.kv("counts")
      const counting = reaction({
        name: "counting",
        events: Counted,
        partitions: 4,
        handle: (events) =>
          Effect.succeed(events.map(({ data, stream }) => counts.ops.put(`${stream}/${data.n}`, data.n)))
      })
      yield* Effect.forkChild(run(store, [counting], quick))
      for (let n = 1; n <= 5; n++) {
        yield* fill(store, 6, 1, n)
        yield* whenProcessed(store, counting, yield* store.head)
        assert.strictEqual(yield* counts.count(), 6 * n)
      }
    }))

  it.live("isn't told too early, nor held up by partitions that have nothing to do", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = subscription({
        name: "slow",
        events: Counted,
        partitions: 8,
        handle: () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(goOn))
      })
      yield* Effect.forkChild(run(store, [slow], quick))
      yield* fill(store, 1, 1)
      const head = yield* store.head
      yield* Deferred.await(asked)
      const early = yield* errorOf(whenProcessed(store, slow, head, { within: 20 }))
      assert.match(early.message, /"slow" has not come to position \d+ within 20 ms; look at its health/)
      yield* Deferred.succeed(goOn, undefined)
      yield* whenProcessed(store, slow, head)
    }))

  it.live("is refused what is no position", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const none = subscription({ name: "none", events: Counted, handle: () => Effect.void })
      const error = yield* errorOf(whenProcessed(store, none, -1))
      assert.match(error.message, /^position: /)
    }))
})
