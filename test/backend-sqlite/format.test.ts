/** The file's format: kept files of every one are read as they were written, and foreign ones are left alone. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { settle } from "@persist/backend-sqlite/config"
import { openDatabase } from "@persist/backend-sqlite/open"
import { currentFormat } from "@persist/backend-sqlite/schema"
import { Seq } from "@persist/core"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { copyFileSync, readdirSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { startTogether } from "./child.ts"
import { appendOf, commitOf, contents, driver, errorOf, fingerprint, newPath, putOf, visit } from "./place.ts"
import { sampleContents, sampleHead, sampleIdentified } from "./sample.ts"

const formats = Array.from({ length: currentFormat }, (_, i) => i + 1)

/** A copy of the kept file of a format. */
const kept = (format: number) =>
  Effect.tap(
    newPath,
    (path) => Effect.sync(() => copyFileSync(fileURLToPath(new URL(`format/v${format}.db`, import.meta.url)), path))
  )

const schemaOf = (path: string) =>
  driver(path, (db) => ({
    objects: db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all(),
    format: db.pragma("user_version", { simple: true }),
    application: db.pragma("application_id", { simple: true }),
    check: db.pragma("integrity_check", { simple: true })
  }))

describe("a file of an older format", () => {
  it.effect.each(formats)("format %d is migrated and holds what it held", (format) =>
    Effect.gen(function*() {
      const path = yield* kept(format)
      const incarnation = driver(path, (db) => db.prepare("SELECT incarnation FROM store").pluck().get())
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          assert.strictEqual(backend.about.incarnation, incarnation)
          const head = format === 1 ? sampleHead : sampleHead + 1
          assert.deepStrictEqual<unknown>(yield* contents(backend), sampleContents(head))
          const resolved = yield* backend.resolve("once")
          assert.strictEqual(Option.isSome(resolved), format > 1)
          const [again, appended] = yield* backend.commit([sampleIdentified, appendOf("emptied", "3")])
          assert.strictEqual(again._tag === "Committed" && again.repeated, format > 1)
          assert.strictEqual(appended?._tag === "Committed" && Number(appended.appended[0]?.first), 3)
        }))
      const fresh = yield* newPath
      yield* visit(fresh, () => Effect.void)
      const expected = schemaOf(fresh)
      assert.strictEqual(expected.check, "ok")
      assert.deepStrictEqual(schemaOf(path), expected)
    }))

  it.effect("readonly doesn't migrate it, and says what does", () =>
    Effect.gen(function*() {
      const path = yield* kept(1)
      const before = fingerprint(dirname(path)).filter((file) => file.startsWith("app.db "))
      const error = yield* errorOf(Effect.scoped(make({ path, readonly: true })))
      assert.strictEqual(error._tag, "Unsupported")
      assert.match(error.message, /format 1 of the file, .* is not supported; open it once without readonly/)
      assert.deepStrictEqual(fingerprint(dirname(path)).filter((file) => file.startsWith("app.db ")), before)
    }))

  it.effect("without the index of truncated streams: readonly finds them all the same, and leaves the file alone", () =>
    Effect.gen(function*() {
      const path = yield* kept(currentFormat)
      const listed = (readonly: boolean) =>
        Effect.scoped(Effect.gen(function*() {
          // The test would be over before it had waited so long.
          const { streams } = yield* make({ path, readonly, busyTimeout: 60_000 })
          const found = yield* streams({ prefix: "", after: undefined, limit: 1000, shortened: true })
          return found.filter(({ first }) => first > 1).map(({ stream }) => stream)
        }))
      const before = schemaOf(path)
      const without = yield* listed(true)
      assert.include(without, "emptied")
      assert.deepStrictEqual(schemaOf(path), before)
      // Nor does it wait for those who write.
      const writer = new Database(path)
      writer.exec("BEGIN IMMEDIATE")
      assert.deepStrictEqual(yield* listed(false), without)
      assert.deepStrictEqual(schemaOf(path), before)
      writer.close()
      assert.deepStrictEqual(yield* listed(false), without)
      assert.notDeepEqual(schemaOf(path), before)
    }))

  it.effect.each([true, false])(
    "waits as long as it's told afterwards, the index made %s",
    (free) =>
      Effect.gen(function*() {
        const path = yield* kept(currentFormat)
        const writer = new Database(path)
        if (!free) writer.exec("BEGIN IMMEDIATE")
        const db = yield* openDatabase(settle({ path, busyTimeout: 123 }))
        assert.strictEqual(db.pragma("busy_timeout", { simple: true }), 123)
        db.close()
        writer.close()
      })
  )

  it.effect("goes on where the index of truncated streams is taken away", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, ({ commit, streams }) =>
        Effect.gen(function*() {
          yield* commit([appendOf("a", "1", "2"), appendOf("b", "1", "2")])
          yield* commit([commitOf({ truncate: [{ stream: "b", before: Seq(2) }] })])
          const names = Effect.map(
            streams({ prefix: "", after: undefined, limit: 10, shortened: true }),
            (found) => found.map(({ stream }) => stream)
          )
          // All others are left out where there is the index.
          assert.deepStrictEqual(yield* names, ["b"])
          driver(path, (db) => db.exec("DROP INDEX stream_shortened"))
          assert.deepStrictEqual(yield* names, ["a", "b"])
        }))
    }))

  it.live("processes that open it at once migrate it once", () =>
    Effect.gen(function*() {
      const path = yield* kept(1)
      const children = yield* startTogether(4, "open.ts", () => [path, "false"])
      const said = yield* Effect.forEach(children, ({ line }) => line)
      assert.strictEqual(said.length, 4)
      for (const line of said) assert.match(line, new RegExp(`^opened at ${sampleHead},`))
    }))
})

describe("a file of a newer format", () => {
  for (const readonly of [false, true]) {
    it.effect(`is refused and left alone, readonly ${readonly}`, () =>
      Effect.gen(function*() {
        const path = yield* newPath
        yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
        driver(path, (db) => db.pragma("user_version = 99"))
        const before = fingerprint(dirname(path))
        const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
        assert.strictEqual(error._tag, "Unsupported")
        assert.match(error.message, /format 99 of the file, .* open it with the newer version that wrote it/)
        assert.deepStrictEqual(fingerprint(dirname(path)), before)
      }))

    it.effect(`is recognised while its header still says otherwise, readonly ${readonly}`, () =>
      Effect.gen(function*() {
        const path = yield* newPath
        yield* visit(path, (old) =>
          Effect.gen(function*() {
            driver(path, (db) => db.pragma("user_version = 99"))
            const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
            assert.strictEqual(error._tag, "Unsupported")
            // The handle that was open before must not write what the newer version wouldn't understand.
            const refused = yield* errorOf(old.commit([commitOf({ write: [putOf("n", "k", "1")] })]))
            assert.strictEqual(refused._tag, "Unsupported")
            assert.strictEqual(yield* old.head, 0)
          }))
        // Only the last one to close takes the log away: none was left open.
        assert.deepStrictEqual(readdirSync(dirname(path)), ["app.db"])
      }))
  }
})

describe("a new file", () => {
  it.live("processes that create it at once make one store", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const children = yield* startTogether(5, "open.ts", () => [path, "false"])
      const said = yield* Effect.forEach(children, ({ line }) => line)
      assert.strictEqual(said.length, 5)
      assert.match(said[0] ?? "", /^opened at 0, [0-9a-f-]{36}$/)
      assert.deepStrictEqual(new Set(said), new Set(said.slice(0, 1)))
    }))

  const lock = (path: string, sql: string) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const db = new Database(path)
        db.pragma("journal_mode = DELETE")
        db.exec(sql)
        return db
      }),
      (db) => Effect.sync(() => db.close())
    )

  it.live.each(["BEGIN; SELECT * FROM store", "BEGIN IMMEDIATE"])(
    "the switch to WAL waits no longer than the busy timeout for %s",
    (sql) =>
      Effect.gen(function*() {
        const path = yield* newPath
        yield* visit(path, () => Effect.void)
        yield* lock(path, sql)
        const error = yield* errorOf(Effect.scoped(make({ path, busyTimeout: 20 })))
        assert.strictEqual(error._tag, "Unavailable")
        assert.match(error.message, /^open: another connection holds the lock; try again, or raise busyTimeout$/)
      })
  )

  it.live("the switch to WAL waits for one who writes", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, () => Effect.void)
      const writer = yield* lock(path, "BEGIN IMMEDIATE")
      const opening = yield* Effect.forkChild(make({ path }), { startImmediately: true })
      assert.isUndefined(opening.pollUnsafe())
      writer.exec("COMMIT")
      const backend = yield* Fiber.join(opening)
      assert.strictEqual(yield* backend.head, 0)
      assert.strictEqual(readFileSync(path)[18], 2)
    }))
})
