/** The shop of the examples: two processes of it, killed while it's being filled, and its books are right. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { wreakInShop } from "./shop-havoc.ts"

describe("the shop", () => {
  it.live(
    "agrees with its log, whichever of its processes are killed, stopped and cut off",
    () =>
      Effect.gen(function*() {
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-shop-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const { checked, cutOff, killed, said } = yield* wreakInShop({
          directory,
          // More than will come before all is struck.
          orders: 20_000,
          processes: 2,
          payWithin: 1500,
          seed: "4",
          stretch: 300,
          more: (_, so) => so.killed < 3 || so.stopped < 1
        })
        assert.deepStrictEqual(said, [])
        assert.strictEqual(checked.differences, 0)
        assert.isAtLeast(killed, 3)
        assert.isAbove(cutOff, 0)
        assert.isAbove(checked.invoices, 0)
      }),
    120_000
  )
})
