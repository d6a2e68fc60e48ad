/** Durable subscriptions: what they handle, how they stop, and what they refuse. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  anyEvents,
  listReaders,
  makeStore,
  registerReader,
  runReadModel,
  runSubscription,
  runSubscriptionPages,
  slowestReader,
  waitFor
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { countOf } from "./counts.ts"
import { append, events, filled, handle, isSave, now, Refused, savedBy, upTo } from "./handling.ts"

describe("durable subscription", () => {
  it.effect("handles what's there and what comes, and after a restart goes on where it stopped", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(5)
      const running = yield* Effect.forkChild(handle(store, 7), now)
      yield* append(store, 6, 7)
      assert.deepStrictEqual(yield* Fiber.join(running), upTo(7))
      yield* append(store, 8)
      assert.deepStrictEqual(yield* handle(store, 1), [8])
    }))

  it.effect("begins where it's told the first time only", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(3)
      assert.deepStrictEqual(yield* handle(store, 1, { from: { position: 2 } }), [3])
      yield* append(store, 4)
      assert.deepStrictEqual(yield* handle(store, 1, { from: "end" }), [4])
    }))

  it.effect("is registered before it reads, so that compaction waits for it", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(3)
      const asked = yield* Deferred.make<number | undefined>()
      yield* handle(store, 1, { batch: 1 })
      const after = Number(yield* slowestReader(store, "s"))
      const fiber = yield* Effect.forkChild(runSubscription(store, {
        name: "new",
        events,
        handle: () => Effect.flatMap(slowestReader(store, "s"), (least) => Deferred.succeed(asked, least))
      }))
      assert.deepStrictEqual([after, yield* Deferred.await(asked)], [1, 0])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a handler that fails stops it with its own error, all before saved, and that event comes again", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(9)
      const refusing = runSubscription(store, {
        name: "r",
        events,
        handle: ({ data }) => data === 4 ? Effect.fail(new Refused({ n: data })) : Effect.void
      })
      assert.deepStrictEqual(yield* Effect.flip(refusing), new Refused({ n: 4 }))
      assert.strictEqual(yield* savedBy(store), 3)
      assert.deepStrictEqual(yield* Effect.flip(refusing), new Refused({ n: 4 }))
      assert.deepStrictEqual(yield* handle(store, 6), [4, 5, 6, 7, 8, 9])
    }))

  it.effect("ends as every call on a closed store does, whether the store is closed before or meanwhile", () =>
    Effect.gen(function*() {
      const { faulty } = yield* filled(0)
      const scope = yield* Scope.make()
      const store = yield* Scope.provide(makeStore(faulty.backend), scope)
      yield* append(store, 1, 2)
      const handled = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        Effect.flip(runSubscription(store, {
          name: "r",
          events,
          handle: ({ data }) => data === 2 ? Deferred.succeed(handled, undefined) : Effect.void
        })),
        now
      )
      const keeping = yield* Effect.forkChild(Effect.flip(runReadModel(store, countOf())), now)
      yield* Deferred.await(handled)
      yield* waitFor(store, countOf(), 2)
      yield* Scope.close(scope, Exit.void)
      const again = Effect.flip(runSubscription(store, { name: "r", events, handle: () => Effect.void }))
      for (const error of [yield* Fiber.join(running), yield* Fiber.join(keeping), yield* again]) {
        assert.deepInclude(error, { _tag: "Invalid", field: "store", reason: "it is closed" })
      }
    }))

  it.effect("ends as unavailable where the backend ends its wake-ups", () =>
    Effect.gen(function*() {
      const { faulty } = yield* filled(1)
      const store = yield* makeStore({ ...faulty.backend, changes: Stream.empty })
      const error = yield* Effect.flip(runSubscription(store, { name: "r", events, handle: () => Effect.void }))
      assert.deepInclude(error, { _tag: "Unavailable", operation: "follow" })
      assert.isAtLeast(Number(yield* savedBy(store)), 1)
    }))

  it.effect("a handler that throws or dies is its own defect; what was handled before is saved", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(4)
      const bug = new Error("bug")
      const throwing = runSubscription(store, {
        name: "r",
        events,
        handle: ({ data }) => {
          if (data === 3) throw bug
          return Effect.void
        }
      })
      const exit = yield* Effect.exit(throwing)
      assert.deepStrictEqual(Exit.isFailure(exit) && exit.cause.reasons.map((reason) => reason._tag), ["Die"])
      assert.strictEqual(yield* savedBy(store), 2)
    }))

  it.effect("by the page, a failure saves nothing of the page", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(6)
      const pages: Array<ReadonlyArray<number>> = []
      const run = runSubscriptionPages(store, {
        name: "r",
        events,
        batch: 2,
        handle: ({ items }) => {
          pages.push(items.map(({ data }) => data))
          return pages.length % 2 === 0 ? Effect.fail(new Refused({ n: pages.length })) : Effect.void
        }
      })
      assert.deepStrictEqual(yield* Effect.flip(run), new Refused({ n: 2 }))
      assert.strictEqual(yield* savedBy(store), 2)
      assert.deepStrictEqual(yield* Effect.flip(run), new Refused({ n: 4 }))
      assert.strictEqual(yield* savedBy(store), 4)
      assert.deepStrictEqual(pages, [[1, 2], [3, 4], [3, 4], [5, 6]])
    }))

  it.effect("one that fails touches no other, and no append", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(2)
      const failing = yield* Effect.forkChild(Effect.exit(runSubscription(store, {
        name: "bad",
        events,
        handle: ({ data }) => {
          if (data === 2) throw new Error("bug")
          return Effect.void
        }
      })))
      const good = yield* Effect.forkChild(handle(store, 4))
      assert.isTrue(Exit.isFailure(yield* Fiber.join(failing)))
      yield* append(store, 3, 4)
      assert.deepStrictEqual(yield* Fiber.join(good), [1, 2, 3, 4])
      assert.strictEqual(yield* savedBy(store, "bad"), 1)
    }))

  it.effect("an interruption waits for the event in hand and saves it", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(9)
      const [inHand, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const seen: Array<number> = []
      const fiber = yield* Effect.forkChild(runSubscription(store, {
        name: "r",
        events,
        handle: ({ data }) =>
          data === 3
            ? Effect.andThen(Deferred.succeed(inHand, undefined), Deferred.await(release)).pipe(
              Effect.andThen(Effect.sync(() => seen.push(data)))
            )
            : Effect.sync(() => seen.push(data))
      }))
      yield* Deferred.await(inHand)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber), now)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(stopping)
      assert.deepStrictEqual([seen, yield* savedBy(store)], [[1, 2, 3], 3])
    }))

  it.effect("by the page, an interruption waits for the page in hand and saves it", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(9)
      const [inHand, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const fiber = yield* Effect.forkChild(runSubscriptionPages(store, {
        name: "r",
        events,
        batch: 3,
        saveEvery: 100,
        handle: () => Effect.andThen(Deferred.succeed(inHand, undefined), Deferred.await(release))
      }))
      yield* Deferred.await(inHand)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber), now)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(stopping)
      assert.strictEqual(yield* savedBy(store), 3)
    }))

  it.effect("saves as often as it's told, and at the end", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* filled(10)
      const saves = () => faulty.commits.filter(isSave).length
      yield* handle(store, 10, { batch: 1, saveEvery: 4 })
      // Registered, after 4, after 8, and the rest when it was stopped.
      assert.deepStrictEqual([saves(), yield* savedBy(store)], [4, 10])
      yield* append(store, ...upTo(6))
      yield* handle(store, 6, { batch: 2 })
      assert.strictEqual(saves(), 4 + 3)
    }))

  it.effect("another filter under a known name goes on from its checkpoint", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(3)
      yield* handle(store, 3, { prefix: "s" })
      yield* append(store, 4)
      assert.deepStrictEqual(yield* handle(store, 1, { types: ["N"] }), [4])
      assert.deepInclude((yield* listReaders(store))[0], { prefix: "", types: ["N"] })
    }))

  it.effect("a checkpoint of another history is refused before anything is handled", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      yield* registerReader(yield* makeStore(backend), "r")
      const restored = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "another" } })
      yield* append(restored, 1)
      const error = yield* Effect.flip(
        runSubscription(restored, { name: "r", events: anyEvents, handle: () => Effect.die("handled") })
      )
      assert.strictEqual(error._tag, "Corrupt")
      assert.include(error.message, "reset")
    }))

  it.effect("wrong options are refused, and nobody is registered", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(1)
      const options = { name: "r", events, handle: () => Effect.die("handled") }
      const refusals: ReadonlyArray<readonly [string, object]> = [
        ["name", { events, handle: options.handle }],
        ["name", { ...options, name: "" }],
        ["name", { ...options, name: "$r" }],
        ["name", { ...options, name: 3 }],
        ["events", { ...options, events: undefined }],
        ["handle", { ...options, handle: undefined }],
        ["saveEvery", { ...options, saveEvery: 0 }],
        ["types", { ...options, types: ["Nope"] }],
        ["from", { ...options, from: "middle" }],
        ["from.position", { ...options, from: { position: 99 } }],
        ["retries", { ...options, retries: 3 }]
      ]
      for (const [field, wrong] of refusals) {
        const error = yield* Effect.flip(runSubscription(store, wrong as typeof options))
        assert.deepInclude(error, { _tag: "Invalid", field })
      }
      assert.deepStrictEqual(yield* listReaders(store), [])
    }))
})
