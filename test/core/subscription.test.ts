/** Subscriptions as streams: no event lost or repeated wherever they start, filtered, bounded, and never stuck. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  anyEvents,
  type BackendShape,
  Catalogue,
  makeStore,
  moveCheckpoint,
  registerReader,
  type StoreShape,
  subscribe,
  type SubscribeOptions,
  subscribePages
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { makeFaulty } from "./faulty.ts"

const events = Catalogue.make({ N: Schema.Int, M: Schema.Int })
const marker = -1

const newStore = Effect.flatMap(makeMemory(), (backend) => makeStore(backend))

const append = (store: StoreShape, stream: string, ...data: ReadonlyArray<number>) =>
  store.log(events).append(stream, data.map((n) => ({ type: "N", data: n }) as const), { expected: "any" })

const numbers = (found: ReadonlyArray<{ readonly data: unknown }>) => found.map(({ data }) => data)

const take = (store: StoreShape, count: number, options: Partial<SubscribeOptions<typeof events>> = {}) =>
  Effect.map(
    Stream.runCollect(Stream.take(subscribe(store, { events, from: "start", ...options }), count)),
    numbers
  )

/** Some ways to be late: how often a fiber gives way before it goes on. */
const giveWay = (times: number) => Effect.forEach(Array.from({ length: times }), () => Effect.yieldNow)

describe("subscription", () => {
  it("loses and repeats nothing, whenever it starts among appends and however its pages fall", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ stream: fc.constantFrom("a", "b"), count: fc.integer({ min: 1, max: 4 }), late: fc.nat(9) }),
          {
            minLength: 1,
            maxLength: 12
          }
        ),
        fc.record({ batch: fc.integer({ min: 1, max: 5 }), late: fc.nat(40), slow: fc.nat(3) }),
        (appends, { batch, late, slow }) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const store = yield* newStore
            const seen: Array<number> = []
            const reader = yield* Effect.forkChild(Effect.andThen(
              giveWay(late),
              subscribe(store, { events, from: "start", batch }).pipe(
                Stream.takeUntil(({ data }) => data === marker),
                Stream.runForEach(({ position }) =>
                  Effect.andThen(giveWay(slow), Effect.sync(() => seen.push(position)))
                )
              )
            ))
            for (const [i, one] of appends.entries()) {
              yield* giveWay(one.late)
              yield* append(store, one.stream, ...Array.from({ length: one.count }, () => i))
            }
            yield* append(store, "a", marker)
            yield* Fiber.join(reader)
            const all = yield* Stream.runCollect(store.log(events).readAll())
            assert.isAbove(all.length, appends.length)
            assert.deepStrictEqual(seen, all.map(({ position }) => Number(position)))
          })))
      ),
      { numRuns: 150 }
    ))

  it.effect("starts with everything, with what comes, after a position or after a reader's checkpoint", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* append(store, "a", 1, 2, 3)
      const open = yield* Deferred.make<void>()
      const fromEnd = yield* Effect.forkChild(
        subscribePages(store, { events, from: "end" }).pipe(
          Stream.tap(() => Deferred.succeed(open, undefined)),
          Stream.flatMap(({ items }) => Stream.fromArray(items)),
          Stream.take(1),
          Stream.runCollect
        ),
        { startImmediately: true }
      )
      const held = yield* registerReader(store, "r", { from: { position: 1 } })
      yield* Deferred.await(open)
      yield* append(store, "a", 4)
      assert.deepStrictEqual(numbers(yield* Fiber.join(fromEnd)), [4])
      assert.deepStrictEqual(yield* take(store, 4), [1, 2, 3, 4])
      assert.deepStrictEqual(yield* take(store, 2, { from: { position: 2 } }), [3, 4])
      assert.deepStrictEqual(yield* take(store, 3, { from: { checkpoint: "r" } }), [2, 3, 4])
      yield* moveCheckpoint(store, held, 3)
      assert.deepStrictEqual(yield* take(store, 1, { from: { checkpoint: "r" } }), [4])
    }))

  it.effect("leaves out other streams and types, and has the backend do it", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaulty()
      const store = yield* makeStore(faulty.backend)
      const log = store.log()
      for (const stream of ["a/1", "b/1"]) {
        yield* log.append(stream, [
          { type: "N", data: 1 },
          { type: "Other", data: "?" },
          { type: "M", data: 2 },
          { type: "N", data: 3 }
        ], { expected: 0 })
      }
      assert.deepStrictEqual(yield* take(store, 2, { prefix: "b/", types: ["N"] }), [1, 3])
      assert.deepInclude(faulty.reads.at(-1), { prefix: "b/", types: ["N"] })
      const skipping = Catalogue.make({ N: Schema.Int, M: Schema.Int }, { unknown: "skip" })
      const known = yield* Stream.runCollect(Stream.take(subscribe(store, { events: skipping, from: "start" }), 6))
      assert.deepStrictEqual(numbers(known), [1, 2, 3, 1, 2, 3])
      assert.deepInclude(faulty.reads.at(-1), { types: ["N", "M"] })
      const all = yield* Stream.runCollect(Stream.take(subscribe(store, { events: anyEvents, from: "start" }), 8))
      assert.deepStrictEqual(all.map(({ type }) => type).slice(0, 4), ["N", "Other", "M", "N"])
      assert.deepInclude(faulty.reads.at(-1), { prefix: "", types: undefined })
    }))

  it.effect("a filter or a start that makes no sense is refused", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* append(store, "a", 1)
      const options = { events, from: "start" } as const
      const refusals: ReadonlyArray<readonly [string, unknown]> = [
        ["from", { events }],
        ["from", { ...options, from: "middle" }],
        ["from", { ...options, from: null }],
        ["from.position", { ...options, from: { position: 99 } }],
        ["from.position", { ...options, from: { position: -1 } }],
        ["name", { ...options, from: { checkpoint: "nobody" } }],
        ["events", { from: "start" }],
        ["events", { ...options, events: Catalogue.make({}, { unknown: "skip" }) }],
        ["types", { ...options, types: ["Nope"] }],
        ["types", { ...options, types: [] }],
        ["prefix", { ...options, prefix: 3 }],
        ["batch", { ...options, batch: 0 }],
        ["prefixes", { ...options, prefixes: "a" }]
      ]
      for (const [field, wrong] of refusals) {
        const error = yield* Effect.flip(Stream.runDrain(subscribe(store, wrong as SubscribeOptions<typeof events>)))
        assert.deepInclude(error, { _tag: "Invalid", field })
      }
    }))

  it.effect("a checkpoint of another history is refused", () =>
    Effect.gen(function*() {
      const backend: BackendShape = yield* makeMemory()
      yield* registerReader(yield* makeStore(backend), "r")
      const restored = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "another" } })
      const error = yield* Effect.flip(
        Stream.runDrain(subscribe(restored, { events, from: { checkpoint: "r" } }))
      )
      assert.strictEqual(error._tag, "Corrupt")
    }))

  it.effect("a slow consumer holds up nobody, and nothing is read that it hasn't asked for", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaulty()
      const store = yield* makeStore(faulty.backend)
      yield* append(store, "a", ...Array.from({ length: 100 }, (_, i) => i))
      const [first, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const seen: Array<unknown> = []
      const slow = yield* Effect.forkChild(
        subscribe(store, { events, from: "start", batch: 10 }).pipe(
          Stream.take(110),
          Stream.runForEach(({ data }) => {
            seen.push(data)
            return Effect.andThen(Deferred.succeed(first, undefined), Deferred.await(release))
          })
        )
      )
      yield* Deferred.await(first)
      for (let i = 100; i < 110; i++) yield* append(store, "a", i)
      assert.strictEqual(faulty.reads.length, 1)
      assert.strictEqual(seen.length, 1)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(slow)
      assert.deepStrictEqual(seen, Array.from({ length: 110 }, (_, i) => i))
      assert.isTrue(faulty.reads.every(({ limit }) => limit === 10))
    }))

  it.effect("streams that are truncated or deleted don't hold it up", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const log = store.log(events)
      yield* append(store, "a", 1, 2, 3)
      yield* append(store, "b", 4)
      yield* log.truncate("a", 3)
      yield* log.delete("b", { expected: "any" })
      yield* append(store, "c", 5)
      assert.deepStrictEqual(yield* take(store, 2, { batch: 1 }), [3, 5])
      const following = yield* Effect.forkChild(take(store, 3, { batch: 1 }))
      yield* log.delete("a", { expected: "any" })
      yield* append(store, "b", 6)
      yield* append(store, "c", 7)
      const seen = yield* Fiber.join(following)
      assert.deepStrictEqual(seen.slice(-2), seen.includes(3) ? [5, 6] : [6, 7])
    }))

  it.effect("everything before an event that can't be read is given, then the error that names it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* append(store, "a", 1, 2)
      yield* store.log().append("a", { type: "N", data: "three" }, { expected: "any" })
      yield* append(store, "a", 4)
      const seen: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(subscribe(store, { events, from: "start" }), ({ data }) => Effect.sync(() => seen.push(data)))
      )
      assert.deepStrictEqual([seen, error._tag], [[1, 2], "Corrupt"])
      assert.include(error.message, "event 3 of stream \"a\"")
      assert.deepStrictEqual(yield* take(store, 1, { from: { position: 3 } }), [4])
    }))

  it.effect("pages say how far they looked, those without events too", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* append(store, "a", 1)
      yield* store.kv("k").putMany([["x", 1], ["y", 2]])
      const first = yield* Deferred.make<void>()
      const pages = yield* Effect.forkChild(
        subscribePages(store, { events, from: "start", prefix: "a" }).pipe(
          Stream.tap(() => Deferred.succeed(first, undefined)),
          Stream.take(2),
          Stream.runCollect
        )
      )
      yield* Deferred.await(first)
      yield* append(store, "b", 2)
      assert.deepStrictEqual(
        (yield* Fiber.join(pages)).map(({ items, through }) => [items.length, Number(through)]),
        [[1, 3], [0, 4]]
      )
    }))

  it.effect("everything that is committed reaches it, whichever way it was committed", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const [store, other] = [yield* makeStore(backend), yield* makeStore(backend)]
      const log = store.log(events)
      const all = yield* Effect.forkChild(take(store, 6))
      yield* append(store, "a", 1)
      yield* store.commit([
        log.ops.append("b", { type: "N", data: 2 }, { expected: 0 }),
        store.kv("k").ops.put("x", 1),
        log.ops.append("c", [{ type: "N", data: 3 }, { type: "M", data: 4 }], { expected: "any" })
      ])
      yield* append(other, "a", 5)
      yield* other.commit([other.log(events).ops.append("a", { type: "N", data: 6 }, { expected: 2 })], { id: "once" })
      assert.deepStrictEqual(yield* Fiber.join(all), [1, 2, 3, 4, 5, 6])
    }))
})
