/** When snapshots are saved, and how many are kept. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { load, makeStore, SnapshotPolicy, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { append, entries, memoryStore, sum, upTo, warningsIn } from "./ledger.ts"

const saving = (store: StoreShape, snapshots: SnapshotPolicy, ...numbers: ReadonlyArray<number>) =>
  Effect.andThen(
    append(store, "a", ...numbers),
    Effect.map(load(store, sum, { stream: "a", snapshots }), ({ replayed }) => replayed)
  )

describe("snapshot-policy", () => {
  it.effect("every n events: once so many were read, and the older ones beyond `keep` go", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const policy = SnapshotPolicy.every(3, { keep: 2 })
      const read = [
        yield* saving(store, policy, 1),
        yield* saving(store, policy, 2),
        yield* saving(store, policy, 3),
        yield* saving(store, policy, 4),
        yield* saving(store, policy, 5, 6, 7),
        yield* saving(store, policy, 8, 9, 10)
      ]
      assert.deepStrictEqual(read, [1, 2, 3, 1, 4, 3])
      assert.deepStrictEqual((yield* entries(backend)).map(({ key }) => Number(key.slice(-3))), [7, 10])
    }))

  it.effect("by cost: by the data's size or the time taken", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const bySize = SnapshotPolicy.byCost({ size: 4 })
      assert.deepStrictEqual(
        [yield* saving(store, bySize, 1, 2, 3), yield* saving(store, bySize, 4), yield* saving(store, bySize, 5)],
        [3, 4, 1]
      )
      assert.strictEqual((yield* entries(backend)).length, 1)
      const cost = { replayed: 5, size: 5, millis: 5 }
      assert.isTrue(SnapshotPolicy.byCost({ millis: 5 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 6 }).due(cost))
      assert.isTrue(SnapshotPolicy.byCost({ millis: 6, size: 5 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 6, size: 6 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 1 }).due({ ...cost, replayed: 0 }))
    }))

  it.effect("never: none is saved, those there are used", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      assert.strictEqual(yield* saving(store, SnapshotPolicy.never, ...upTo(2000)), 2000)
      assert.deepStrictEqual(yield* entries(backend), [])
      assert.strictEqual(yield* saving(store, SnapshotPolicy.every(1), 1), 2001)
      assert.strictEqual(yield* saving(store, SnapshotPolicy.never, 1), 1)
    }))

  it.effect("where nothing is said, every 1,000 events; as of a past moment never", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(999))
      yield* load(store, sum, { stream: "a" })
      yield* append(store, "a", 1)
      yield* load(store, sum, { stream: "a", asOf: { seq: 1000 } })
      assert.deepStrictEqual(yield* entries(backend), [])
      yield* load(store, sum, { stream: "a" })
      assert.strictEqual((yield* entries(backend)).length, 1)
    }))

  it("refuses what makes no policy", () => {
    const wrong: ReadonlyArray<readonly [field: string, make: () => unknown]> = [
      ["events", () => SnapshotPolicy.every(0)],
      ["events", () => SnapshotPolicy.every(1.5)],
      ["keep", () => SnapshotPolicy.every(1, { keep: 0 })],
      ["keepEvents", () => SnapshotPolicy.every(1, { keepEvents: 0 })],
      ["kept", () => SnapshotPolicy.every(1, { kept: 1 } as object)],
      ["size", () => SnapshotPolicy.byCost({})],
      ["size", () => SnapshotPolicy.byCost({ size: -1 })],
      ["millis", () => SnapshotPolicy.byCost({ millis: 0 })]
    ]
    for (const [field, make] of wrong) {
      assert.throws(make, new RegExp(`^${field}: `))
    }
  })

  it.effect("a store that can't scan its keys keeps one snapshot of each scope, which is used all the same", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore({
        ...memory,
        about: { ...memory.about, lacks: new Set(["scan"]) },
        scan: () => Effect.die(new Error("asked to scan"))
      })
      const policy = SnapshotPolicy.every(2)
      const { value, warnings } = yield* warningsIn(Effect.gen(function*() {
        const read = [
          yield* saving(store, policy, 1, 2),
          yield* saving(store, policy, 3),
          yield* saving(store, policy, 4),
          yield* saving(store, policy, 5)
        ]
        const past = yield* load(store, sum, { stream: "a", asOf: { seq: 3 } })
        return [...read, past.replayed, past.state.seen]
      }))
      assert.deepStrictEqual(value, [2, 1, 2, 1, 3, 3])
      assert.deepStrictEqual(warnings, [])
      assert.strictEqual((yield* entries(memory)).length, 1)
    }))
})
