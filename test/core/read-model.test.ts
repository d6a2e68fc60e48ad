/** Read models: the fold of the log by key, whatever the pages, crashes and rivals on the way. */
import { assert, describe, it } from "@effect/vitest"
import {
  Catalogue,
  catchUp,
  type CaughtUp,
  type Event,
  type EventOf,
  type Fenced,
  type Limits,
  listReaders,
  makeStore,
  ReadModel,
  rebuild,
  runReadModel,
  type StoreShape,
  waitFor
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { faults, makeFaulty } from "./faulty.ts"

const events = Catalogue.make({ Added: Schema.Int, Removed: Schema.Int })

interface Total {
  readonly sum: number
  readonly times: number
}

const Total = Schema.Struct({ sum: Schema.Int, times: Schema.Int })

/** Several keys an event, one of them named twice; keys come and go, and some events change nothing. */
const definition = {
  name: "totals",
  version: 1,
  events,
  value: Total,
  seed: { sum: 0, times: 0 },
  keys: ({ data, stream }: EventOf<typeof events>) => data === 9 ? [] : [stream, "all", `last ${data % 3}`, stream],
  step: (state: Total, { data, type }: EventOf<typeof events>, key: string) =>
    type === "Added"
      ? { sum: state.sum + data, times: state.times + 1 }
      : key === "all"
      ? state
      : undefined
}

const totals = ReadModel.make(definition)

/** What the model says, written down as plainly as can be. */
const expected = (log: ReadonlyArray<Pick<Event, "type" | "stream" | "data">>): Record<string, Total> => {
  const states = new Map<string, Total>()
  for (const { data, stream, type } of log) {
    const n = Number(data)
    if (n === 9) continue
    for (const key of [stream, "all", `last ${n % 3}`]) {
      const { sum, times } = states.get(key) ?? { sum: 0, times: 0 }
      if (type === "Added") states.set(key, { sum: sum + n, times: times + 1 })
      else if (key !== "all") states.delete(key)
      else if (states.has(key)) states.set(key, { sum, times })
      else states.set(key, { sum: 0, times: 0 })
    }
  }
  return Object.fromEntries(states)
}

const statesOf = (store: StoreShape, model = totals) =>
  Effect.map(
    Stream.runCollect(model.kv(store).scan()),
    (entries): Record<string, Total> => Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  )

const positionOf = (store: StoreShape, model = totals) =>
  Effect.map(listReaders(store), (readers) => Number(readers.find(({ name }) => name === model.reader)?.position ?? 0))

const logUpTo = (store: StoreShape, to: number) => Stream.runCollect(store.log().readAll({ to }))

/** At any moment the states are those of the events up to the checkpoint, no more and no less. */
const assertConsistent = Effect.fnUntraced(function*(store: StoreShape) {
  const position = yield* positionOf(store)
  assert.deepStrictEqual(yield* statesOf(store), expected(yield* logUpTo(store, position)))
})

const newStore = (limits?: Partial<Limits>) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty(limits)
    return { faulty, store: yield* makeStore(faulty.backend, { retries: 0 }) }
  })

interface Input {
  readonly stream: string
  readonly type: "Added" | "Removed"
  readonly data: number
}

const append = (store: StoreShape, { data, stream, type }: Input) =>
  store.log(events).append(stream, { type, data }, { expected: "any" })

const added = (data: number, stream = "s"): Input => ({ stream, type: "Added", data })

const inputs = fc.array(
  fc.record({
    stream: fc.constantFrom("a", "b", "c"),
    type: fc.constantFrom("Added", "Added", "Removed"),
    data: fc.integer({ min: 0, max: 9 })
  }),
  { minLength: 1, maxLength: 25 }
)

const isCaughtUp = (end: CaughtUp | Fenced): end is CaughtUp => end._tag === "CaughtUp"

describe("read model", () => {
  it.effect("keeps a state for each key, and writes only what changes", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      yield* append(store, added(1, "a"))
      yield* append(store, added(2, "a"))
      yield* append(store, added(9, "a"))
      const first = yield* catchUp(store, totals)
      assert.deepInclude(first, { _tag: "CaughtUp", events: 3, writes: 4 })
      assert.deepStrictEqual(yield* statesOf(store), {
        a: { sum: 3, times: 2 },
        all: { sum: 3, times: 2 },
        "last 1": { sum: 1, times: 1 },
        "last 2": { sum: 2, times: 1 }
      })
      yield* append(store, { stream: "a", type: "Removed", data: 1 })
      const commits = faulty.commits.length
      assert.deepInclude(yield* catchUp(store, totals), { events: 1, writes: 2 })
      // One commit holds the checkpoint, and the two keys that are gone; "all" is as it was.
      assert.deepStrictEqual(
        faulty.commits.slice(commits).map(({ write }) => write.map(({ _tag }) => _tag)),
        [["Put", "Delete", "Delete"]]
      )
      yield* append(store, { stream: "a", type: "Removed", data: 1 })
      assert.deepInclude(yield* catchUp(store, totals), { events: 1, writes: 0 })
      yield* append(store, added(1, "a"))
      yield* catchUp(store, totals)
      assert.deepStrictEqual((yield* statesOf(store))["a"], { sum: 1, times: 1 })
    }))

  it("is the fold of the log, however the pages and commits fall", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(inputs, { minLength: 1, maxLength: 4 }),
        fc.record({ pageLimit: fc.integer({ min: 1, max: 7 }), pageStretch: fc.integer({ min: 1, max: 9 }) }),
        fc.integer({ min: 4, max: 12 }),
        (parts, { pageLimit, pageStretch }, commitEvents) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore({ commitEvents })
            faulty.pageLimit = pageLimit
            faulty.pageStretch = pageStretch
            let folded = 0
            for (const part of parts) {
              yield* Effect.forEach(part, (one) => append(store, one))
              const end = yield* catchUp(store, totals)
              if (isCaughtUp(end)) folded += end.events
              assert.deepStrictEqual(yield* statesOf(store), expected(yield* logUpTo(store, end.position)))
            }
            assert.deepStrictEqual(yield* statesOf(store), expected(parts.flat()))
            assert.strictEqual(folded, parts.flat().length)
            assert.isTrue(faulty.commits.every(({ write }) => write.length <= commitEvents))
          })))
      ),
      { numRuns: 150 }
    ))

  it("is the same after a crash at every commit there is, each event applied once", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 6 }), fc.constantFrom(...faults), (log, pageLimit, fault) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          let crashes = 0
          for (let at = 1;; at++) {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = pageLimit
            yield* Effect.forEach(log, (one) =>
              append(store, one))
            faulty.failAt(at, fault)
            const exit = yield* Effect.exit(catchUp(store, totals))
            if (!faulty.failed()) {
              break
            }
            crashes++
            assert.isTrue(Exit.isFailure(exit))
            yield* assertConsistent(store)
            assert.isTrue(isCaughtUp(yield* catchUp(store, totals)))
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
          }
          // Registering it is one commit, and every page another.
          assert.isAtLeast(crashes, 1 + Math.ceil(log.length / pageLimit))
        })))),
      { numRuns: 40 }
    ))

  it("survives crashes one after another, while the log grows", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(inputs, fc.integer({ min: 1, max: 8 }), fc.constantFrom(...faults)), {
          minLength: 1,
          maxLength: 5
        }),
        fc.integer({ min: 1, max: 6 }),
        (steps, pageLimit) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = pageLimit
            for (const [log, at, fault] of steps) {
              yield* Effect.forEach(log, (one) => append(store, one))
              faulty.failAt(at, fault)
              yield* Effect.exit(catchUp(store, totals))
              faulty.failAt(Infinity, fault)
              yield* assertConsistent(store)
            }
            yield* catchUp(store, totals)
            assert.deepStrictEqual(yield* statesOf(store), expected(steps.flatMap(([log]) => log)))
          })))
      ),
      { numRuns: 100 }
    ))

  it("however many run it together, each event takes effect once and the losers are fenced", async () => {
    let fenced = 0
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.array(fc.nat(6), { minLength: 2, maxLength: 4 }),
        fc.nat(4),
        (log, rivals, late) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            const runners = yield* Effect.forEach(rivals, (delay) =>
              Effect.gen(function*() {
                // A handle of its own, as another process has, whose reads take some time.
                const get = faulty.backend.get
                const own = yield* makeStore({
                  ...faulty.backend,
                  get: (keys) =>
                    Effect.andThen(Effect.forEach(Array.from({ length: delay }), () => Effect.yieldNow), get(keys))
                })
                return yield* Effect.forkChild(
                  Effect.forever(Effect.tap(runReadModel(own, totals), () => Effect.sync(() => fenced++)))
                )
              }))
            for (const one of log) {
              yield* append(store, one)
              yield* Effect.forEach(Array.from({ length: late }), () => Effect.yieldNow)
            }
            yield* waitFor(store, totals, yield* store.head)
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
            yield* Effect.forEach(runners, (fiber) => Fiber.interrupt(fiber))
            yield* assertConsistent(store)
          })))
      )
    )
    assert.isAbove(fenced, 10)
  })

  it("interrupted anywhere it leaves whole commits, and the next run completes them", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.array(fc.nat(30), { maxLength: 6 }), (log, stops) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { faulty, store } = yield* newStore()
          faulty.pageLimit = 2
          yield* Effect.forEach(log, (one) =>
            append(store, one))
          for (const stop of stops) {
            const fiber = yield* Effect.forkChild(runReadModel(store, totals))
            yield* Effect.forEach(Array.from({ length: stop }), () =>
              Effect.yieldNow)
            yield* Fiber.interrupt(fiber)
            yield* assertConsistent(store)
          }
          yield* catchUp(store, totals)
          assert.deepStrictEqual(yield* statesOf(store), expected(log))
        }))))
    ))

  it.effect("follows, is read while it does, and shows your own writes when you wait for them", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const fiber = yield* Effect.forkChild(runReadModel(store, totals))
      for (let i = 1; i <= 5; i++) {
        const { position } = yield* append(store, added(i))
        yield* waitFor(store, totals, position)
        assert.strictEqual((yield* statesOf(store))["all"]?.times, i)
      }
      // Nothing of the model's own lies between: there is nothing to wait for.
      const { revision } = yield* store.kv("other").put("k", 1)
      yield* waitFor(store, totals, revision)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a new version is built beside the old one", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, added(4))
      yield* catchUp(store, totals)
      const doubled = ReadModel.make({
        ...definition,
        version: 2,
        step: (state, { data }) => ({ sum: state.sum + 2 * data, times: state.times + 1 })
      })
      yield* catchUp(store, doubled)
      assert.deepStrictEqual(
        [(yield* statesOf(store))["all"]?.sum, (yield* statesOf(store, doubled))["all"]?.sum],
        [4, 8]
      )
      assert.deepStrictEqual([totals.namespace, doubled.namespace], ["totals@1", "totals@2"])
    }))

  it("rebuilt from zero it's the same, whatever it was before and wherever that crashes", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.constantFrom(...faults), (log, fault) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          let crashes = 0
          for (let at = 1;; at++) {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = 7
            yield* Effect.forEach(log, (one) =>
              append(store, one))
            yield* catchUp(store, totals)
            const spoilt = store.kv(totals.namespace, Total)
            yield* spoilt.put("all", { sum: -1, times: -1 })
            yield* spoilt.put("nobody's", { sum: -1, times: -1 })
            faulty.failAt(at, fault)
            yield* Effect.exit(rebuild(store, totals))
            if (!faulty.failed()) {
              assert.deepStrictEqual(yield* statesOf(store), expected(log))
              break
            }
            crashes++
            const states = yield* statesOf(store)
            if ("nobody's" in states) {
              yield* rebuild(store, totals)
            } else {
              yield* assertConsistent(store)
              yield* catchUp(store, totals)
            }
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
          }
          assert.isAtLeast(crashes, 2)
        })))),
      { numRuns: 40 }
    ))

  it.effect("a rebuild fences who is running it", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const { position } = yield* append(store, added(1))
      const fiber = yield* Effect.forkChild(runReadModel(store, totals))
      yield* waitFor(store, totals, position)
      assert.isTrue(isCaughtUp(yield* rebuild(store, totals)))
      yield* append(store, added(2))
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "Fenced", name: totals.reader })
      yield* catchUp(store, totals)
      yield* assertConsistent(store)
      assert.strictEqual((yield* statesOf(store))["all"]?.sum, 3)
    }))
})
