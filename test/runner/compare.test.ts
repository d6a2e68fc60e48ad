/** Two versions of a read model beside each other. */
import { assert, describe, it } from "@effect/vitest"
import { catchUp, ReadModel } from "@persist/core"
import { compareVersions } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, newStore } from "./orders.ts"

/** A state for each number, but for those that are left out; those that differ say so. */
const numbers = (version: number, has: (n: number) => boolean, differs: (n: number) => boolean) =>
  ReadModel.make({
    name: "numbers",
    version,
    events: Counted,
    keys: ({ data: { n } }) => has(n) ? `key-${String(n).padStart(4, "0")}` : [],
    seed: { n: 0, text: "" },
    value: Schema.Struct({ n: Schema.Int, text: Schema.String }),
    step: (_state, { data: { n } }) => ({ n, text: differs(n) ? "other" : "same" })
  })

describe("a comparison of two versions", () => {
  it.effect("names each key whose states differ, or that one of them hasn't, across pages", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const all = Array.from({ length: 2500 }, (_, n) => n)
      yield* store.log(Counted).append("all", all.map((n) => ({ type: "Counted", data: { n } })), { expected: 0 })
      const models = [
        numbers(1, (n) => n % 7 !== 0, () => false),
        numbers(2, (n) => n < 1200 || n % 5 === 0, (n) => n % 100 === 1)
      ]
      for (const model of models) yield* catchUp(store, model)
      const { after, before, differences } = yield* compareVersions(store, "numbers", 1, 2)
      assert.deepStrictEqual([before.version, after.version], [1, 2])
      assert.isAbove(before.position, 0)
      const told = yield* Stream.runCollect(differences)
      const has = [(n: number) => n % 7 !== 0, (n: number) => n < 1200 || n % 5 === 0] as const
      const differing = all.filter((n) => has[0](n) !== has[1](n) || (has[0](n) && n % 100 === 1))
      assert.deepStrictEqual(told.map(({ key }) => Number(key.slice(4))), differing)
      assert.deepStrictEqual(told[0], { key: "key-0000", before: undefined, after: { n: 0, text: "same" } })
      assert.deepStrictEqual(told[1], {
        key: "key-0001",
        before: { n: 1, text: "same" },
        after: { n: 1, text: "other" }
      })
      assert.match((yield* errorOf(compareVersions(store, "numbers", 1, 3))).message, /"numbers@3" isn't known/)
    }))
})
