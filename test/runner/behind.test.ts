/** What follows a parked event with one of its keys: put aside in few commits, in its turn, whatever is between it. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, type StoreShape, Unavailable } from "@persist/core"
import { parked } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import { fill, newStore } from "./orders.ts"
import { asideOf, picky, running } from "./picky.ts"
import { until } from "./until.ts"

describe("what follows a parked event", () => {
  /** A store that counts the commits of whoever saves, and the entries of `$parked` that are read. */
  const counted = Effect.gen(function*() {
    const backend = yield* makeMemory()
    const figures = { commits: 0, read: 0 }
    const store = yield* makeStore({
      ...backend,
      scan: (range) =>
        Effect.tap(backend.scan(range), ({ length }) =>
          Effect.sync(() => {
            if (range.namespace === "$parked") figures.read += length
          }))
    })
    const commit: StoreShape["commit"] = (ops, options) =>
      Effect.suspend(() => {
        figures.commits++
        return store.commit(ops, options)
      })
    return { figures, plain: yield* makeStore(backend), store: { ...store, commit } }
  })

  it.live("is put aside in few commits, between others too, and isn't read again for every one that comes", () =>
    Effect.gen(function*() {
      const { figures, plain, store } = yield* counted
      const seen: Array<string> = []
      yield* fill(store, 2, 400)
      const wrong = picky(seen, ({ stream }) => stream === "order-0")
      const more = Effect.gen(function*() {
        const all = Effect.zip(parked(plain).count(), Effect.sync(() => seen.length))
        yield* until(all, ([aside, done]) => aside === 400 && done === 400)
        assert.isBelow(figures.commits, 20)
        figures.read = 0
        for (let n = 401; n <= 450; n++) {
          yield* fill(store, 2, 1, n)
          yield* until(all, ([aside, done]) => aside === n && done === n)
        }
      })
      yield* running(store, wrong, more)
      // Once, for what may have been said before this run: nobody has said anything since.
      assert.isAtMost(figures.read, 400)
      assert.deepStrictEqual(seen, Array.from({ length: 450 }, (_, i) => `order-1/${i + 1}`))
    }))

  it.live("is put aside before what is between it, and met again where that is as far as it came", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seen: Array<string> = []
      yield* fill(store, 2, 5)
      let cut = false
      // The commit of what is handled, after that which has put the others aside.
      const commit: StoreShape["commit"] = (ops, options) =>
        Effect.flatMap(parked(store).count(), (count) => {
          if (cut || count < 5) return store.commit(ops, options)
          cut = true
          return Effect.fail(new Unavailable({ operation: "commit", reason: "cut off", remedy: "try again" }))
        })
      const wrong = picky(seen, ({ stream }) => stream === "order-0")
      yield* running({ ...store, commit }, wrong, until(Effect.sync(() => seen.length === 10)))
      assert.deepStrictEqual(seen.slice(5), seen.slice(0, 5))
      assert.deepStrictEqual(yield* asideOf(store), [
        "order-0/1 parked 1",
        ...[2, 3, 4, 5].map((n) => `order-0/${n} behind 0`)
      ])
    }))

  it.live("is put aside whole where that is more than a commit holds", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const limits = { ...backend.about.limits, commitEvents: 8 }
      const store = yield* makeStore({ ...backend, about: { ...backend.about, limits } })
      const seen: Array<string> = []
      yield* fill(store, 2, 20)
      const wrong = picky(seen, ({ stream }) => stream === "order-0")
      yield* running(store, wrong, until(Effect.sync(() => seen.length === 20)))
      assert.deepStrictEqual(yield* asideOf(store), [
        "order-0/1 parked 1",
        ...Array.from({ length: 19 }, (_, i) => `order-0/${i + 2} behind 0`)
      ])
    }))
})
