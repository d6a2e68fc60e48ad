/** Compaction and registration race: whoever is registered first is asked, and nobody loses events they still need. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  compact,
  deleteSnapshots,
  makeStore,
  Projection,
  registerReader,
  resetReader,
  type StoreError,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"

const sum = Projection.make({ name: "sum", version: 1, seed: 0, step: (state: number) => state + 1 })

/** Does something once, just before the first commit that truncates. */
const before = (backend: BackendShape, act: Effect.Effect<unknown, StoreError>): BackendShape => {
  let done = false
  return {
    ...backend,
    commit: (batch) => {
      if (done || batch.every(({ truncate }) => truncate.length === 0)) return backend.commit(batch)
      done = true
      return Effect.andThen(Effect.orDie(act), backend.commit(batch))
    }
  }
}

const compactWhile = (act: (store: StoreShape) => Effect.Effect<unknown, StoreError>) =>
  Effect.gen(function*() {
    const backend = yield* makeMemory()
    const rival = yield* makeStore(backend)
    yield* rival.log().append("s", [1, 2, 3, 4, 5].map((data) => ({ type: "N", data })), { expected: 0 })
    yield* registerReader(rival, "old", { from: "end" })
    const store = yield* makeStore(before(backend, act(rival)))
    const compacted = yield* compact(store, { projection: sum, stream: "s" })
    return { compacted, first: (yield* store.log().info("s"))?.first, store }
  })

describe("a compaction that looked at the readers before", () => {
  it.effect("goes to the end where nothing comes between", () =>
    Effect.gen(function*() {
      const { first } = yield* compactWhile(() => Effect.void)
      assert.strictEqual(first, 5)
    }))

  it.effect("a reader was registered leaves it what it needs", () =>
    Effect.gen(function*() {
      const { compacted, first } = yield* compactWhile((rival) => registerReader(rival, "new"))
      assert.strictEqual(first, 1)
      assert.deepStrictEqual([compacted.boundedBy._tag, compacted.removed], ["Reader", 0])
    }))

  it.effect("a reader was set back leaves it what it needs", () =>
    Effect.gen(function*() {
      const { first } = yield* compactWhile((rival) => resetReader(rival, "old"))
      assert.strictEqual(first, 1)
    }))

  it.effect("a snapshot's deletion changes nothing", () =>
    Effect.gen(function*() {
      const { first } = yield* compactWhile((rival) => deleteSnapshots(rival, { projection: "sum" }))
      assert.strictEqual(first, 5)
    }))
})
