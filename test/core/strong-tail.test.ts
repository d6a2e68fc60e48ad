/** The tail that strong reads fold: where it begins, what it makes of an entry, and a model that is built again. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { catchUp, makeStore, strong } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import * as Effect from "effect/Effect"
import { added, append, totals } from "./totals.ts"

describe("the tail of strong reads", () => {
  it.effect("begins right behind the checkpoint, with what came before that was saved", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const store = yield* makeStore(backend)
      yield* append(store, added(1, "a"))
      let isNext = false
      const keeper = yield* makeStore({
        ...backend,
        commit: (batch) =>
          Effect.suspend(() => {
            const saves = batch.some(({ write }) => write.some(({ namespace }) => namespace === totals.namespace))
            if (!saves || isNext) return backend.commit(batch)
            isNext = true
            return Effect.andThen(Effect.orDie(append(store, added(2, "a"))), backend.commit(batch))
          })
      })
      yield* catchUp(keeper, totals)
      assert.isTrue(isNext)
      const { folded, states } = yield* strong(store, totals).getMany(["a"])
      assert.deepStrictEqual([folded, states.get("a")], [1, { sum: 3, times: 2 }])
    }))

  it.effect("gives an entry the position of its last event", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory())
      yield* append(store, added(1, "a"))
      yield* catchUp(store, totals)
      const { position } = yield* append(store, added(2, "a"))
      const { items } = yield* strong(store, totals).query()
      assert.strictEqual(items.find(({ key }) => key === "a")?.revision, position)
    }))

  it.effect("isn't folded onto states that were cleared and made again since it was read", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const store = yield* makeStore(backend)
      yield* append(store, added(1, "a"))
      yield* catchUp(store, totals)
      yield* append(store, added(2, "a"))
      const own = checkpoints(store)
      const cleared = Effect.flatMap(
        own.get(totals.reader),
        (found) =>
          found._tag === "None" ? Effect.void : store.commit([
            own.ops.put(totals.reader, { ...found.value, position: 0 }),
            store.kv(totals.namespace).ops.clear()
          ])
      )
      let reads = 0
      const disturbed = yield* makeStore({
        ...backend,
        // The second one reads the states that the tail changes.
        get: (names) =>
          Effect.suspend(() =>
            ++reads === 2
              ? Effect.orDie(Effect.andThen(cleared, Effect.tap(backend.get(names), () => catchUp(store, totals))))
              : backend.get(names)
          )
      })
      const { items } = yield* strong(disturbed, totals).query()
      assert.deepStrictEqual(items.find(({ key }) => key === "a")?.value, { sum: 3, times: 2 })
    }))
})
