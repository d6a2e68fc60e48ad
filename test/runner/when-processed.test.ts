/** Reading one's own writes through a processor, whoever runs it. */
import { assert, describe, it } from "@effect/vitest"
import { registerReader } from "@persist/core"
import { reaction, run, subscription, whenProcessed } from "@persist/runner"
import { isIn, partitionsOf } from "@persist/runner/partition"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

describe("whoever waits for a processor", () => {
  it.live("goes on once all of its partitions are done with what was there, and finds what they made", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const counts = store.kv("counts")
      let given = 0
      const counting = reaction({
        name: "counting",
        events: Counted,
        partitions: 4,
        handle: (events) => {
          given += events.length
          return Effect.succeed(events.map(({ data, stream }) => counts.ops.put(`${stream}/${data.n}`, data.n)))
        }
      })
      yield* Effect.forkChild(run(store, [counting], quick))
      for (let n = 1; n <= 5; n++) {
        yield* fill(store, 6, 1, n)
        yield* whenProcessed(store, counting, yield* store.head)
        assert.deepStrictEqual([yield* counts.count(), given], [6 * n, 6 * n])
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

  for (const { index, of } of partitionsOf(3)) {
    it.live(`waits for partition ${index} of ${of}, though the others are done`, () =>
      Effect.gen(function*() {
        const store = yield* newStore
        const goOn = yield* Deferred.make<void>()
        const done: Array<string> = []
        const slow = subscription({
          name: "slow",
          events: Counted,
          partitions: of,
          handle: ({ stream }) =>
            isIn({ index, of }, stream) ? Deferred.await(goOn) : Effect.sync(() => done.push(stream))
        })
        yield* fill(store, 9, 1)
        const others = Array.from({ length: 9 }, (_, n) => `order-${n}`).filter((key) => !isIn({ index, of }, key))
        yield* Effect.forkChild(run(store, [slow], quick))
        yield* until(Effect.sync(() => done.length === others.length))
        const early = yield* errorOf(whenProcessed(store, slow, yield* store.head, { within: 20 }))
        assert.strictEqual(early._tag, "Unavailable")
        yield* Deferred.succeed(goOn, undefined)
        yield* whenProcessed(store, slow, yield* store.head)
      }))
  }

  it.live("waits for what the store itself hasn't come to, and finds what lies beyond a page of others' events", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const two = subscription({ name: "two", events: Counted, partitions: 2, handle: () => Effect.void })
      const far = yield* errorOf(whenProcessed(store, two, (yield* store.head) + 1, { within: 5 }))
      assert.strictEqual(far._tag, "Unavailable")
      const names = Array.from({ length: 20 }, (_, n) => `order-${n}`)
      const [of0 = "", of1 = ""] = partitionsOf(2).map((partition) => names.find((name) => isIn(partition, name)))
      const { ops } = store.log(Counted)
      const many = Array.from({ length: 1000 }, (_, n) => ({ type: "Counted" as const, data: { n } }))
      for (const [stream, events] of [[of0, many], [of0, many.slice(0, 1)], [of1, many.slice(0, 1)]] as const) {
        yield* store.commit([ops.append(stream, events, { expected: "any" })])
      }
      // The one partition is done; nobody has begun with the other.
      yield* registerReader(store, "two#0", { from: "end" })
      const late = yield* errorOf(whenProcessed(store, two, yield* store.head, { within: 5 }))
      assert.strictEqual(late._tag, "Unavailable")
    }))

  it.live("is refused what is no position", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const none = subscription({ name: "none", events: Counted, handle: () => Effect.void })
      const error = yield* errorOf(whenProcessed(store, none, -1))
      assert.match(error.message, /^position: /)
    }))
})
