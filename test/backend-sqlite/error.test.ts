/** Failures: how the driver's are told apart, and damage that is named where it is met. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { classify } from "@persist/backend-sqlite/error"
import type { BackendError } from "@persist/core"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { closeSync, openSync, readdirSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { appendOf, commitOf, driver, errorOf, eventsOf, everything, newPath, putOf, visit } from "./place.ts"

describe("the driver's errors", () => {
  const cases: ReadonlyArray<readonly [code: string, tag: BackendError["_tag"], said: RegExp]> = [
    ["SQLITE_BUSY", "Unavailable", /another connection holds the lock; try again, or raise busyTimeout/],
    ["SQLITE_BUSY_RECOVERY", "Unavailable", /holds the lock/],
    ["SQLITE_BUSY_SNAPSHOT", "Unavailable", /holds the lock/],
    ["SQLITE_BUSY_TIMEOUT", "Unavailable", /holds the lock/],
    ["SQLITE_LOCKED", "Unavailable", /holds the lock/],
    ["SQLITE_LOCKED_SHAREDCACHE", "Unavailable", /holds the lock/],
    ["SQLITE_PROTOCOL", "Unavailable", /holds the lock/],
    ["SQLITE_FULL", "Unavailable", /the disk is full; free some space/],
    ["SQLITE_NOMEM", "Unavailable", /out of memory/],
    ["SQLITE_IOERR_NOMEM", "Unavailable", /out of memory/],
    ["SQLITE_IOERR_READ", "Unavailable", /\(SQLITE_IOERR_READ\); check the disk/],
    ["SQLITE_IOERR_FSYNC", "Unavailable", /\(SQLITE_IOERR_FSYNC\); check the disk/],
    ["SQLITE_CANTOPEN", "Unavailable", /can't be opened; check/],
    ["SQLITE_CANTOPEN_DIRTYWAL", "Unavailable", /can't be opened; check/],
    ["SQLITE_READONLY_DBMOVED", "Unavailable", /moved, deleted or replaced .*; open the store again/],
    ["SQLITE_READONLY", "Denied", /\(SQLITE_READONLY\); grant the process permission/],
    ["SQLITE_READONLY_CANTINIT", "Denied", /grant the process permission/],
    ["SQLITE_READONLY_DIRECTORY", "Denied", /the directory .*; grant the process permission/],
    ["SQLITE_PERM", "Denied", /grant the process permission/],
    ["SQLITE_AUTH", "Denied", /grant the process permission/],
    ["SQLITE_CORRUPT", "Corrupt", /^\/a\/app.db, in get: .*\(SQLITE_CORRUPT\); .*restore from a backup/],
    ["SQLITE_CORRUPT_INDEX", "Corrupt", /SQLITE_CORRUPT_INDEX/],
    ["SQLITE_NOTADB", "Corrupt", /SQLITE_NOTADB/],
    ["SQLITE_IOERR_DATA", "Corrupt", /SQLITE_IOERR_DATA/],
    ["SQLITE_IOERR_CORRUPTFS", "Corrupt", /SQLITE_IOERR_CORRUPTFS/],
    ["SQLITE_CONSTRAINT_UNIQUE", "Corrupt", /SQLITE_CONSTRAINT_UNIQUE/],
    ["SQLITE_ERROR", "Corrupt", /SQLITE_ERROR/]
  ]
  it.each(cases)("%s is %s", (code, tag, said) => {
    // Whatever the message says: the code decides.
    for (const message of ["database is locked", "disk full", ""]) {
      const error = classify("get", "/a/app.db", new Database.SqliteError(message, code))
      assert.strictEqual(error._tag, tag)
      assert.match(error.message, said)
    }
  })

  it.each([
    new TypeError("database is locked"),
    new Database.SqliteError("bad parameter", "SQLITE_MISUSE"),
    new Database.SqliteError("bind or column index out of range", "SQLITE_RANGE")
  ])("%s is a bug, and stays one", (bug) => {
    assert.throws(() => classify("get", "/a/app.db", bug), bug.message)
  })
})

describe("damage", () => {
  it.effect("a page of rubbish is Corrupt, with the file and the verb that met it", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          for (let n = 0; n < 40; n++) yield* backend.commit([appendOf("s", "x".repeat(3000))])
        }))
      const pages = driver(path, (db) =>
        db.prepare("SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf'").pluck().all())
      assert.isAbove(pages.length, 10)
      const file = openSync(path, "r+")
      for (const page of pages) {
        writeSync(file, new Uint8Array(4096).fill(0xa5), 0, 4096, (Number(page) - 1) * 4096)
      }
      closeSync(file)
      const backend = yield* make({ path })
      const read = yield* errorOf(backend.readAll(everything))
      assert.strictEqual(read._tag, "Corrupt")
      assert.strictEqual("where" in read && read.where, `${path}, in readAll`)
      const commit = yield* errorOf(backend.commit([appendOf("s", "1")]))
      assert.strictEqual(commit._tag, "Corrupt")
      assert.strictEqual("where" in commit && commit.where, `${path}, in commit`)
    }))

  const cases: ReadonlyArray<readonly [where: RegExp, sql: string]> = [
    [
      /^event at position 2: the payload is a number, neither text nor bytes/,
      "UPDATE event SET data = 42 WHERE seq = 2"
    ],
    [/^table type: a row names the id 99/, "UPDATE event SET type = 99"],
    [/^key "k": the payload is a number/, "UPDATE entry SET value = 1"],
    [/^table recorded, commit "once": the stored result can't be read/, "UPDATE recorded SET result = '{}'"],
    [/^table recorded, commit "once": the stored result can't be read/, "UPDATE recorded SET result = '[1,[],['"]
  ]
  it.effect.each(cases)("%s", ([where, sql]) =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      yield* backend.commit([
        appendOf("s", "1", "2"),
        commitOf({ identity: { id: "once", digest: "d" }, write: [putOf("n", "k", "1")] })
      ])
      driver(path, (db) => db.exec(sql))
      // Another handle, which remembers no names.
      const fresh = yield* make({ path })
      const failures = yield* Effect.forEach([
        Effect.asVoid(fresh.readAll(everything)),
        Effect.asVoid(eventsOf(fresh, "s")),
        Effect.asVoid(fresh.get([{ namespace: "n", key: "k" }])),
        Effect.asVoid(fresh.resolve("once"))
      ], (read) => Effect.exit(errorOf(read)))
      const errors = failures.flatMap((exit) => exit._tag === "Success" ? [exit.value] : [])
      assert.isAbove(errors.length, 0)
      for (const error of errors) {
        assert.strictEqual(error._tag, "Corrupt")
        assert.match(error.message, where)
      }
    }))

  it.effect("a stream's name that is gone", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
      driver(path, (db) => db.exec("DELETE FROM stream"))
      const error = yield* errorOf(visit(path, (backend) => backend.readAll(everything)))
      assert.match(error.message, /^table stream: a row names the id 1, which isn't there/)
    }))

  it.effect("a table or the identity that is gone is met when opening", () =>
    Effect.gen(function*() {
      for (const sql of ["DROP TABLE recorded", "DELETE FROM store"]) {
        const path = yield* newPath
        yield* visit(path, () => Effect.void)
        driver(path, (db) => db.exec(sql))
        const scope = yield* Scope.make()
        assert.strictEqual((yield* errorOf(Scope.provide(make({ path }), scope)))._tag, "Corrupt")
        // Closed at once, the log gone with it, although the scope is still open.
        assert.deepStrictEqual(readdirSync(dirname(path)), ["app.db"])
      }
    }))
})
