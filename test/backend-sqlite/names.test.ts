/** Remembered names: bounded, and never another than the file's. */
import { assert, describe, it } from "@effect/vitest"
import { settle } from "@persist/backend-sqlite/config"
import { Names } from "@persist/backend-sqlite/names"
import { openDatabase } from "@persist/backend-sqlite/open"
import * as Effect from "effect/Effect"

describe("names", () => {
  it.effect("are forgotten rather than kept without bound, and then looked up again", () =>
    Effect.gen(function*() {
      const db = yield* openDatabase(settle({ path: ":memory:" }))
      const names = new Names(db, "type")
      db.exec("INSERT INTO type (id, name) VALUES (7, 'kept')")
      assert.strictEqual(names.nameOf(7), "kept")
      // Past the bound, with pairs that the file doesn't have: those still remembered are found, the others aren't.
      for (let id = 1000; id < 101_100; id++) names.remember(id, `n${id}`)
      assert.isUndefined(names.idOf("n1000"))
      assert.strictEqual(names.idOf("n101099"), 101_099)
      assert.strictEqual(names.idOf("kept"), 7)
      names.forget()
      assert.isUndefined(names.idOf("n101099"))
      db.close()
    }))
})
