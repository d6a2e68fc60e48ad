/** Read models under runners: kept in one place at a time, equal to a replay, whatever happens meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type EventOf, makeStore, ReadModel, type StoreShape } from "@persist/core"
import { dropParked, health, listParked, readModel, retryParked, run } from "@persist/runner"
import { makeFaults } from "@persist/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

/** The sum of each stream's numbers. */
const sums = (fails: (event: EventOf<typeof Counted>) => boolean = () => false) =>
  ReadModel.make({
    name: "sums",
    version: 1,
    events: Counted,
    keys: ({ stream }) => stream,
    seed: 0,
    value: Schema.Int,
    step: (sum: number, event) => {
      if (fails(event)) throw new Error("no")
      return sum + event.data.n
    }
  })

const sumsOf = (store: StoreShape) =>
  Effect.map(
    Stream.runCollect(sums().kv(store).scan()),
    (entries) => Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  )

const of = (streams: number, sum: number) =>
  Object.fromEntries(Array.from({ length: streams }, (_, n) => [`order-${n}`, sum]))

describe("a read model under a runner", () => {
  it.live("is kept, by one of several, and by another when that one leaves", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 5, 3)
      const first = yield* Effect.forkChild(run(store, [readModel(sums())], { ...quick, label: "first" }))
      yield* Effect.forkChild(run(store, [readModel(sums())], { ...quick, label: "second" }))
      yield* until(sumsOf(store), ({ "order-0": sum }) => sum === 6)
      yield* Fiber.interrupt(first)
      yield* fill(store, 5, 1, 4)
      yield* until(sumsOf(store), ({ "order-4": sum }) => sum === 10)
      assert.deepStrictEqual(yield* sumsOf(store), of(5, 10))
      const { processors } = yield* health(store)
      assert.deepStrictEqual(processors.map(({ name, partitions }) => [name, partitions[0]?.runner?.label]), [
        ["sums@1", "second"]
      ])
    }))

  it.live("takes every event into account once though replies get lost", () =>
    Effect.gen(function*() {
      const faults = makeFaults(makeMemory())
      const store = yield* makeStore(yield* faults.backend)
      yield* fill(store, 10, 2)
      faults.randomly({ seed: 3, lost: 0.2, unavailable: 0.1 })
      yield* Effect.forkChild(run(store, [readModel(sums())], quick))
      yield* Effect.forkChild(run(store, [readModel(sums())], quick))
      yield* until(sumsOf(store), (found) => Object.keys(found).length === 10)
      faults.clear()
      yield* fill(store, 10, 5, 3)
      yield* until(sumsOf(store), ({ "order-9": sum }) => (sum ?? 0) >= 28)
      assert.deepStrictEqual(yield* sumsOf(store), of(10, 28))
    }))

  it.live("leaves out an event that is parked and what follows of its key, until it goes through", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      let broken = true
      yield* fill(store, 3, 4)
      const model = sums(({ data, stream }) => broken && stream === "order-1" && data.n === 2)
      const processor = readModel(model, { failure: { retries: 0, finally: "park" } })
      yield* Effect.forkChild(run(store, [processor], quick))
      const parked = Stream.runCollect(listParked(store, "sums@1"))
      const [poison, ...behind] = yield* until(parked, ({ length }) => length === 3)
      assert.deepStrictEqual(behind.map(({ state }) => state), ["behind", "behind"])
      yield* until(sumsOf(store), ({ "order-2": sum }) => sum === 10)
      assert.deepStrictEqual(yield* sumsOf(store), { ...of(3, 10), "order-1": 1 })
      broken = false
      yield* retryParked(store, "sums@1", poison?.position ?? 0)
      yield* until(sumsOf(store), ({ "order-1": sum }) => sum === 10)
      assert.deepStrictEqual(yield* parked, [])
    }))

  it.live("whose keys can't be told stops there", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      const wrong = {
        ...sums(),
        keys: () => {
          throw new Error("no key")
        }
      }
      yield* Effect.forkChild(run(store, [readModel(wrong, { failure: { retries: 0 } })], quick))
      const { processors } = yield* until(
        health(store),
        ({ processors: [one] }) => one?.partitions[0]?.state === "stopped"
      )
      assert.strictEqual(processors[0]?.partitions[0]?.error?.error, "Error: no key")
    }))

  it.live("keeps nothing of what an event that failed has done to a state that its step changes in place", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const spoiling = ReadModel.make({
        name: "spoiling",
        version: 1,
        events: Counted,
        keys: ({ stream }) => stream,
        seed: () => ({ count: 0, last: 0 }),
        value: Schema.Struct({ count: Schema.mutableKey(Schema.Int), last: Schema.mutableKey(Schema.Int) }),
        step: (state, { data: { n } }) => {
          state.count++
          if (n === 2) throw new Error("no")
          state.last = n
          return state
        }
      })
      const policy = { retries: 2, delay: 1, finally: "park" } as const
      yield* Effect.forkChild(run(store, [readModel(spoiling, { failure: policy })], quick))
      const [poison] = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 2)
      yield* dropParked(store, "spoiling@1", poison?.position ?? 0)
      const state = yield* until(
        Effect.map(spoiling.kv(store).get("order-0"), Option.getOrUndefined),
        (found) => found?.last === 3
      )
      assert.deepStrictEqual(state, { count: 2, last: 3 })
    }))

  it.live("changes no more keys by an event than there is room for when that goes through after it was parked", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const limits = { ...backend.about.limits, commitEvents: 8 }
      const store = yield* makeStore({ ...backend, about: { ...backend.about, limits } })
      let broken = true
      const spread = ReadModel.make({
        name: "spread",
        version: 1,
        events: Counted,
        keys: ({ data }) => Array.from({ length: data.n }, (_, i) => `${i}`),
        seed: 0,
        value: Schema.Int,
        step: (sum: number, { data }) => {
          if (broken && data.n === 6) throw new Error("no")
          return sum + data.n
        }
      })
      yield* fill(store, 1, 7)
      yield* Effect.forkChild(run(store, [readModel(spread, { failure: { retries: 0, finally: "park" } })], quick))
      const list = Stream.runCollect(listParked(store))
      const [sixth, last] = yield* until(list, ({ length }) => length === 2)
      yield* retryParked(store, "spread@1", last?.position ?? 0)
      broken = false
      yield* retryParked(store, "spread@1", sixth?.position ?? 0)
      const left = yield* until(list, ([first]) => first?.state === "parked" && first.position === last?.position)
      // The checkpoint, and what was parked, are written too.
      assert.match(left[0]?.attempts[0]?.error ?? "", /LimitExceeded: keys of event 7 of .* 7 keys .* 6/)
      assert.strictEqual(Option.getOrNull(yield* spread.kv(store).get("5")), 6)
    }))
})
