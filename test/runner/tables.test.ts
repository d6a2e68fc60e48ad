/** Tables whose handler takes fewer events than it was given: no more of them are said to be done with. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeSqlite, transactions } from "@persist/backend-sqlite"
import { makeStore } from "@persist/core"
import { tables } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { connectionTo, newPath } from "../backend-sqlite/place.ts"
import { Counted, fill } from "./orders.ts"

describe("tables", () => {
  it.live("say that as many events are done with as their transaction has", () =>
    Effect.scoped(Effect.gen(function*() {
      const path = yield* newPath
      const store = yield* makeStore(yield* makeSqlite({ path }))
      const db = yield* connectionTo(path)
      yield* fill(store, 1, 5)
      const counting = tables({
        name: "counting",
        events: Counted,
        transact: transactions({ db }),
        handle: (_, events) => events.some(({ data }) => data.n === 3) ? Effect.fail("no") : Effect.void
      })
      const { work } = yield* counting.assign(store, { index: 0, of: 1 })
      const events = yield* Stream.runCollect(store.log(Counted).readAll())
      const said: Array<number> = []
      const saving = (count: number) => {
        said.push(count)
        return [store.kv("said").ops.put("count", count)]
      }
      const handled = yield* work.handle(events, 0, saving, () => {})
      assert.deepStrictEqual([handled.count, handled.outcome?._tag, handled.failed], [2, "Committed", undefined])
      assert.deepStrictEqual(said, [5, 3, 2])
    })))
})
