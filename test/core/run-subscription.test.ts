/** Durable subscriptions: every event handled, by one of those who run the name, through failures and restarts. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  anyEvents,
  Catalogue,
  checkpointNamespace,
  type Commit,
  listReaders,
  makeStore,
  readCheckpoint,
  registerReader,
  resetReader,
  runSubscription,
  runSubscriptionPages,
  slowestReader,
  type StoreShape,
  type SubscriptionOptions
} from "@persist/core"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { type Fault, faults, makeFaulty } from "./faulty.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly n: number }> {}

const events = Catalogue.make({ N: Schema.Int })
const now = { startImmediately: true } as const

const append = (store: StoreShape, ...data: ReadonlyArray<number>) =>
  store.log(events).append("s", data.map((n) => ({ type: "N", data: n }) as const), { expected: "any" })

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

const filled = (count: number) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty()
    const store = yield* makeStore(faulty.backend, { retries: 0 })
    if (count > 0) yield* append(store, ...upTo(count))
    return { faulty, store }
  })

const savedBy = (store: StoreShape, name = "r") =>
  Effect.map(readCheckpoint(store, name), (found) => Option.isSome(found) ? Number(found.value.position) : undefined)

const isSave = ({ write }: Commit) => write.some(({ namespace }) => namespace === checkpointNamespace)

/** Runs until `count` events were handled, then stops as a process does that is told to. */
const handle = Effect.fnUntraced(function*(
  store: StoreShape,
  count: number,
  options: Partial<SubscriptionOptions<typeof events>> = {}
) {
  const seen: Array<number> = []
  const enough = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(runSubscription(store, {
    name: "r",
    events,
    ...options,
    handle: ({ data }) => {
      seen.push(data)
      return seen.length === count ? Deferred.succeed(enough, undefined) : Effect.void
    }
  }))
  yield* Effect.raceFirst(Deferred.await(enough), Fiber.join(fiber))
  yield* Fiber.interrupt(fiber)
  return seen
})

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

  it.effect("a handler that fails stops it with its own error, everything before saved, and that event comes again", () =>
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
