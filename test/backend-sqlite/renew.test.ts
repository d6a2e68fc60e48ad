/** A new incarnation: everything else stays, old checkpoints are told apart, and who has the store open is refused. */
import { assert, describe, it } from "@effect/vitest"
import { make, renewIncarnation } from "@persist/backend-sqlite"
import { listReaders, makeStore, moveCheckpoint, registerReader, resetReader } from "@persist/core"
import * as Effect from "effect/Effect"
import { readdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { appendOf, commitOf, contents, directory, driver, errorOf, eventsOf, newPath, putOf, visit } from "./place.ts"

describe("a new incarnation", () => {
  it.effect("is another, is the file's own from then on, and changes nothing else", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const before = yield* visit(path, (backend) =>
        Effect.gen(function*() {
          yield* backend.commit([
            appendOf("s", "1", "2"),
            commitOf({ identity: { id: "once", digest: "d" }, write: [putOf("n", "k", "1")] })
          ])
          return { held: yield* contents(backend), incarnation: backend.about.incarnation }
        }))
      const renewed = yield* renewIncarnation({ path })
      assert.match(renewed, /^[0-9a-f-]{36}$/)
      assert.notStrictEqual(renewed, before.incarnation)
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          assert.strictEqual(backend.about.incarnation, renewed)
          assert.deepStrictEqual(yield* contents(backend), before.held)
          assert.strictEqual((yield* backend.resolve("once"))._tag, "Some")
        }))
      assert.notStrictEqual(yield* renewIncarnation({ path }), renewed)
      assert.deepStrictEqual(readdirSync(dirname(path)), ["app.db"])
    }))

  it.effect("makes every checkpoint that was saved before one of another history, mended by a reset", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) =>
        Effect.scoped(Effect.gen(function*() {
          const store = yield* makeStore(backend)
          yield* store.log().append("s", { type: "T", data: 1 }, { expected: 0 })
          yield* moveCheckpoint(store, yield* registerReader(store, "r"), 1)
        })))
      yield* renewIncarnation({ path })
      yield* visit(path, (backend) =>
        Effect.scoped(Effect.gen(function*() {
          const store = yield* makeStore(backend)
          const error = yield* errorOf(registerReader(store, "r"))
          assert.strictEqual(error._tag, "Corrupt")
          assert.match(error.message, /^checkpoint of reader "r": it belongs to another history of the store/)
          assert.deepStrictEqual((yield* listReaders(store)).map(({ lag }) => lag), [undefined])
          yield* resetReader(store, "r", { position: 1 })
          assert.strictEqual((yield* registerReader(store, "r")).position, 1)
        })))
    }))

  it.effect("is told to whoever has the store open by its next commit, of which nothing happens", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const open = yield* make({ path })
      yield* open.commit([appendOf("s", "1")])
      const idle = yield* make({ path })
      yield* renewIncarnation({ path })
      for (const handle of [open, idle]) {
        const error = yield* errorOf(handle.commit([appendOf("s", "2")]))
        assert.strictEqual(error._tag, "Unavailable")
        assert.match(error.message, /^commit: the store was given another incarnation while it was open; open it again/)
        assert.lengthOf(yield* eventsOf(handle, "s"), 1)
      }
      yield* visit(path, (fresh) => fresh.commit([appendOf("s", "2")]))
      assert.strictEqual((yield* errorOf(open.commit([appendOf("s", "3")])))._tag, "Unavailable")
      assert.lengthOf(yield* eventsOf(open, "s"), 2)
    }))

  it.effect("is refused where there is no store in a file, and none is made", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const empty = `${root}/empty.db`
      const other = `${root}/other.db`
      writeFileSync(empty, "")
      driver(other, (db) => db.exec("CREATE TABLE theirs (x)"))
      const cases = [
        [{ path: `${root}/none.db` }, "path", /there is no store at/],
        [{ path: empty }, "path", /there is no store at/],
        [{ path: other }, "path", /another application's/],
        [{ path: root }, "path", /not a regular file/],
        [{ path: ":memory:" }, "path", /a store in memory/],
        [{ path: other, readonly: true }, "readonly", /is written; leave it out/]
      ] as const
      for (const [config, field, reason] of cases) {
        const error = yield* errorOf(renewIncarnation(config))
        assert.deepInclude(error, { _tag: "Invalid", field })
        assert.match(error.message, reason)
      }
      assert.deepStrictEqual(readdirSync(root).sort(), ["empty.db", "other.db"])
    }))
})
