/** Read models: the fold of the log by key, whatever its pages, readable while it follows. */
import { assert, describe, it } from "@effect/vitest"
import { catchUp, ReadModel, rebuild, runReadModel, waitFor } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import {
  added,
  append,
  assertConsistent,
  definition,
  expected,
  inputs,
  isCaughtUp,
  logUpTo,
  newStore,
  statesOf,
  totals
} from "./totals.ts"

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
