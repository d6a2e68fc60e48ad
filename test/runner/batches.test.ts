/** How many events of a partition are handled together, where it finds few of its own among many. */
import { assert, describe, it } from "@effect/vitest"
import { origin } from "@persist/core"
import { eventSource } from "@persist/core/event-pages"
import { batches } from "@persist/runner/batches"
import { keysIn } from "@persist/runner/partition"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Counted, newStore } from "./orders.ts"

describe("a partition far behind", () => {
  it.effect("gathers its events out of many pages, and never for so long that nothing is saved", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { ops } = store.log(Counted)
      for (const part of [0, 1, 2, 3, 4]) {
        yield* store.commit(
          Array.from(
            { length: 10_000 },
            (_, i) => ops.append(`order-${part * 10_000 + i}`, { type: "Counted", data: { n: 1 } }, { expected: 0 })
          )
        )
      }
      const source = yield* Effect.fromResult(eventSource(store, Counted, {}))
      const own = keysIn({ index: 3, of: 100 }, ({ stream }) => stream)
      const found = yield* Stream.runCollect(Stream.take(batches(store, source, origin, own), 2))
      assert.deepStrictEqual(found.map(({ through }) => Number(through)), [32_000, 50_000])
      const isOwn = Effect.map(
        Stream.runCollect(store.log().readAll()),
        (all) => all.filter((each) => (own(each)?.length ?? 0) > 0)
      )
      assert.deepStrictEqual(
        found.flatMap((batch) => batch.own.map(({ event }) => event.stream)),
        (yield* isOwn).map(({ stream }) => stream)
      )
    }))
})
