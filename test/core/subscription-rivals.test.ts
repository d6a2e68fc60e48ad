/** Durable subscriptions through crashes and beside rivals: every event handled, by one of them. */
import { assert, describe, it } from "@effect/vitest"
import { Catalogue, listReaders, registerReader, resetReader, runSubscription } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { type Fault, faults } from "./faulty.ts"
import { append, events, filled, handle, isSave, now, savedBy, upTo } from "./handling.ts"

describe("durable subscription under faults", () => {
  it.effect("a crash between handling and saving brings the page again, and loses nothing", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* filled(6)
      // The first commit registers it, the second saves its first page.
      faulty.failAt(3, "dies before")
      const seen: Array<number> = []
      const exit = yield* Effect.exit(runSubscription(store, {
        name: "r",
        events,
        batch: 2,
        handle: ({ data }) => Effect.sync(() => seen.push(data))
      }))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual([seen, yield* savedBy(store)], [[1, 2, 3, 4], 2])
      assert.deepStrictEqual(yield* handle(store, 4), [3, 4, 5, 6])
    }))

  it("through any crash every event is handled, in order, and repeated only from the last save on", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({ count: fc.integer({ min: 1, max: 12 }), batch: fc.integer({ min: 1, max: 5 }) }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...faults)), { maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        ({ batch, count }, crashes, saveEvery) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* filled(count)
            const seen: Array<number> = []
            const run = Effect.gen(function*() {
              // The events have the positions 1 to `count`; what comes above are checkpoints.
              let last = (yield* savedBy(store)) ?? 0
              if (last >= count) return
              const finished = yield* Deferred.make<void>()
              const fiber = yield* Effect.forkChild(runSubscription(store, {
                name: "r",
                events,
                batch,
                saveEvery,
                handle: ({ data }) =>
                  Effect.suspend(() => {
                    assert.strictEqual(data, ++last)
                    seen.push(data)
                    return data === count ? Deferred.succeed(finished, undefined) : Effect.void
                  })
              }))
              yield* Effect.raceFirst(Deferred.await(finished), Fiber.join(fiber))
              yield* Fiber.interrupt(fiber)
            })
            for (const [at, fault] of crashes) {
              faulty.failAt(at, fault)
              yield* Effect.exit(run)
            }
            faulty.failAt(Infinity, "refused")
            yield* run
            assert.deepStrictEqual([...new Set(seen)], upTo(count))
          })))
      ),
      { numRuns: 150 }
    ))

  it.effect("of two that run one name each event is handled, and the one that comes second to save is fenced", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(4)
      const [entered, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow: Array<number> = []
      const loser = yield* Effect.forkChild(runSubscription(store, {
        name: "r",
        events,
        batch: 2,
        handle: ({ data }) => {
          slow.push(data)
          return Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(release))
        }
      }))
      yield* Deferred.await(entered)
      assert.deepStrictEqual(yield* handle(store, 4, { batch: 2 }), [1, 2, 3, 4])
      const saved = yield* savedBy(store)
      yield* Deferred.succeed(release, undefined)
      assert.deepStrictEqual(yield* Fiber.join(loser), { _tag: "Fenced", name: "r", position: 0 })
      assert.deepStrictEqual([slow, yield* savedBy(store)], [[1, 2], saved])
    }))

  it.effect("one that is idle fences nobody when it stops", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(2)
      const idle = yield* Effect.forkChild(
        runSubscription(store, {
          name: "r",
          events: Catalogue.make({ Other: Schema.Int }, { unknown: "skip" }),
          handle: () => Effect.void
        }),
        now
      )
      yield* append(store, 3)
      const before = yield* savedBy(store)
      yield* Fiber.interrupt(idle)
      assert.strictEqual(yield* savedBy(store), before)
    }))

  it.effect("a reset fences who is running", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(2)
      const third = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        runSubscription(store, {
          name: "r",
          events,
          batch: 1,
          handle: ({ data }) => data === 2 ? Deferred.await(third) : Effect.void
        }),
        now
      )
      while ((yield* savedBy(store)) !== 1) yield* Effect.yieldNow
      yield* resetReader(store, "r")
      yield* Deferred.succeed(third, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Fenced", name: "r", position: 1 })
      assert.deepStrictEqual(yield* handle(store, 2), [1, 2])
    }))

  it.effect("stretches without its events move it on, and several that only watch each other come to rest", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* filled(0)
      const names = ["x", "y", "z"]
      const done = yield* Effect.forEach(names, () => Deferred.make<void>())
      const fibers = yield* Effect.forEach(names, (name, i) =>
        Effect.forkChild(
          runSubscription(store, {
            name,
            prefix: `${name}/`,
            events,
            handle: () => done[i] === undefined ? Effect.void : Deferred.succeed(done[i], undefined)
          }),
          now
        ))
      for (let i = 0; i < 5; i++) yield* append(store, ...upTo(1000))
      const passed = Effect.map(listReaders(store), (readers) => readers.every(({ position }) => position >= 5000))
      while (!(yield* passed)) yield* Effect.yieldNow
      // Whoever answered a save with a save would have got ahead of this by now, and never come to it.
      for (const name of names) yield* store.log(events).append(`${name}/1`, { type: "N", data: 1 }, { expected: 0 })
      yield* Effect.forEach(done, (one) => Deferred.await(one))
      const saves = faulty.commits.filter(isSave).length
      assert.isAtLeast(saves, 2 * names.length)
      assert.isAtMost(saves, names.length * (1 + 5 + 2))
      yield* Effect.forEach(fibers, (fiber) => Fiber.interrupt(fiber))
    }))

  it.effect("one that can't save tells why, and handled events come again", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* filled(2)
      const tags: Array<string> = []
      for (const fault of ["refused", "lost"] satisfies ReadonlyArray<Fault>) {
        yield* registerReader(store, "r")
        faulty.failAt(1, fault)
        tags.push((yield* Effect.flip(runSubscription(store, { name: "r", events, handle: () => Effect.void })))._tag)
      }
      assert.deepStrictEqual(tags, ["Unavailable", "OutcomeUnknown"])
      yield* append(store, 3)
      assert.deepStrictEqual(yield* handle(store, 1), [3])
    }))
})
