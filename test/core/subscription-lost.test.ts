/** Subscriptions behind events that are gone: they go on with what is left, and warn. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  anyEvents,
  makeStore,
  registerReader,
  retain,
  runSubscription,
  type StoreShape,
  subscribe
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { append, upTo, warningsIn } from "./ledger.ts"

const warning = "events may have been truncated or deleted before they were read; it goes on with the rest"

/** A store of two streams of three events, and when somebody has gone through its streams. */
const watched = Effect.gen(function*() {
  const backend = yield* makeMemory()
  const store = yield* makeStore(backend)
  yield* append(store, "a", ...upTo(3))
  yield* append(store, "b", ...upTo(3))
  const looked = yield* Deferred.make<void>()
  const reading = yield* makeStore({
    ...backend,
    streams: (range) => Effect.tap(backend.streams(range), () => Deferred.succeed(looked, undefined))
  })
  return { store, reading, looked: Deferred.await(looked) }
})

/** Runs a reader until it has looked what is gone, and said what it has to say; answers the warnings. */
const warned = (reader: Effect.Effect<unknown, unknown>, looked: Effect.Effect<void>) =>
  Effect.map(
    warningsIn(Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(reader)
      yield* looked
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
    })),
    ({ warnings }) => warnings
  )

const following = (store: StoreShape, position: number, seen: Array<string> = []) =>
  Stream.runForEach(
    subscribe(store, { events: anyEvents, from: { position } }),
    ({ seq, stream }) =>
      Effect.sync(() => {
        seen.push(`${stream}@${seq}`)
      })
  )

describe("a subscription", () => {
  it.effect("behind what was truncated or deleted goes on with what is left, and warns once", () =>
    Effect.gen(function*() {
      const { looked, reading, store } = yield* watched
      yield* store.log().truncate("a", 3)
      yield* store.log().delete("b", { expected: "any" })
      yield* append(store, "b", 4)
      const seen: Array<string> = []
      assert.deepStrictEqual(yield* warned(following(reading, 1, seen), looked), [warning])
      assert.deepStrictEqual(seen, ["a@3", "b@4"])
    }))

  it.effect("that begins behind what a rule let go is told, by its name too", () =>
    Effect.gen(function*() {
      const { looked, reading, store } = yield* watched
      yield* retain(store, { prefix: "", maxCount: 1 })
      const run = runSubscription(reading, { name: "late", events: anyEvents, handle: () => Effect.void })
      assert.deepStrictEqual(yield* warned(run, looked), [warning])
    }))

  it.effect("is told nothing of what it has read before, and of other streams", () =>
    Effect.gen(function*() {
      const { looked, reading, store } = yield* watched
      // It has read all of the first stream, and nothing of the other.
      yield* registerReader(store, "known", { from: { position: 3 } })
      yield* retain(store, { prefix: "", before: { seq: 99 } })
      assert.strictEqual((yield* store.log().info("a"))?.first, 4)
      const run = runSubscription(reading, { name: "known", events: anyEvents, handle: () => Effect.void })
      assert.deepStrictEqual(yield* warned(run, looked), [])
      const other = yield* watched
      yield* other.store.log().truncate("a", 3)
      const ofB = Stream.runDrain(subscribe(other.reading, { events: anyEvents, from: "start", prefix: "b" }))
      assert.deepStrictEqual(yield* warned(ofB, other.looked), [])
    }))
})
