/** Opening: what a store says of itself, and everything that is no store, can't become one or may not be used so. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { settle } from "@persist/backend-sqlite/config"
import { unreadable } from "@persist/backend-sqlite/error"
import { watchFile } from "@persist/backend-sqlite/file"
import { openDatabase } from "@persist/backend-sqlite/open"
import * as Effect from "effect/Effect"
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { runChild } from "./child.ts"
import { answersClosed } from "./closed.ts"
import {
  appendOf,
  commitOf,
  contents,
  directory,
  driver,
  errorOf,
  fingerprint,
  newPath,
  putOf,
  visit
} from "./place.ts"

describe("what a store says of itself", () => {
  it.effect("durability follows the path and synchronous", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const durability = (config: Parameters<typeof make>[0]) =>
        Effect.scoped(Effect.map(make(config), ({ about }) => [about.durability, about.shared]))
      assert.deepStrictEqual(yield* durability({ path }), ["disk", true])
      assert.deepStrictEqual(yield* durability({ path, synchronous: "FULL" }), ["disk", true])
      assert.deepStrictEqual(yield* durability({ path, synchronous: "NORMAL" }), ["process", true])
      assert.deepStrictEqual(yield* durability({ path, synchronous: "OFF" }), ["process", true])
      assert.deepStrictEqual(yield* durability({ path: ":memory:" }), ["memory", false])
    }))

  it.effect.each([["FULL", 2], ["NORMAL", 1], ["OFF", 0]] as const)(
    "synchronous %s is SQLite's %d, and the other settings reach it too",
    ([synchronous, mode]) =>
      Effect.gen(function*() {
        const db = yield* openDatabase(settle({ path: yield* newPath, synchronous, busyTimeout: 123 }))
        const setting = (name: string) => db.pragma(name, { simple: true })
        assert.strictEqual(setting("synchronous"), mode)
        assert.strictEqual(setting("busy_timeout"), 123)
        assert.strictEqual(setting("cache_size"), -65_536)
        db.close()
      })
  )

  it.effect("the incarnation is the file's own, whoever opens it", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const other = yield* newPath
      const incarnation = (at: string) => visit(at, ({ about }) => Effect.succeed(about.incarnation))
      const first = yield* incarnation(path)
      assert.match(first, /^[0-9a-f-]{36}$/)
      assert.strictEqual(yield* incarnation(path), first)
      assert.notStrictEqual(yield* incarnation(other), first)
      assert.notStrictEqual(yield* incarnation(":memory:"), yield* incarnation(":memory:"))
    }))

  it.effect("a file that was opened lies in WAL mode, marked as a store in its header", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
      const header = readFileSync(path)
      assert.strictEqual(header.readUInt32BE(68), 0x70657273)
      assert.strictEqual(header[18], 2)
      assert.deepStrictEqual(readdirSync(dirname(path)), ["app.db"])
    }))
})

describe("a configuration that can't be meant", () => {
  const cases: ReadonlyArray<readonly [field: string, config: unknown]> = [
    ["path", {}],
    ["path", { path: "" }],
    ["path", { path: 7 }],
    ["path", { path: "a\0b" }],
    ["path", { path: "app.db " }],
    ["readonly", { path: "app.db", readonly: "yes" }],
    ["readonly", { path: ":memory:", readonly: true }],
    ["synchronous", { path: "app.db", synchronous: "full" }],
    ["busyTimeout", { path: "app.db", busyTimeout: -1 }],
    ["busyTimeout", { path: "app.db", busyTimeout: 1.5 }],
    ["busyTimeout", { path: "app.db", busyTimeout: 2 ** 31 }],
    ["pollInterval", { path: "app.db", pollInterval: 0 }],
    ["pollInterval", { path: "app.db", pollInterval: Number.NaN }],
    ["readOnly", { path: "app.db", readOnly: true }]
  ]
  it.effect.each(cases)("%s of %j", ([field, config]) =>
    Effect.gen(function*() {
      // What a caller without types may pass.
      const error = yield* errorOf(Effect.scoped(make(config as Parameters<typeof make>[0])))
      assert.strictEqual(error._tag, "Invalid")
      assert.strictEqual("field" in error && error.field, field)
      assert.isTrue("remedy" in error && error.remedy.length > 0)
    }))
})

describe("a path where there is no store", () => {
  const cases: ReadonlyArray<readonly [name: string, reason: RegExp, prepare: (path: string) => void]> = [
    ["random bytes", /not a store/, (path) => writeFileSync(path, Uint8Array.from({ length: 9000 }, (_, i) => i * 37))],
    ["a few bytes", /not a store/, (path) => writeFileSync(path, "SQLite format 3\0")],
    ["a text with notes beside it that are called a journal", /not a store/, (path) => {
      writeFileSync(path, "x".repeat(9000))
      writeFileSync(`${path}-journal`, "Monday. ".repeat(200))
    }],
    ["another application's database", /another application/, (path) =>
      driver(path, (db) => {
        db.pragma("journal_mode = WAL")
        db.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
      })],
    ["a database without tables", /another application/, (path) => driver(path, (db) => db.exec("VACUUM"))],
    ["a directory", /not a regular file/, (path) => mkdirSync(path)]
  ]
  for (const readonly of [false, true]) {
    it.effect.each(cases)(`%s, readonly ${readonly}`, ([, reason, prepare]) =>
      Effect.gen(function*() {
        const path = yield* newPath
        prepare(path)
        const before = fingerprint(dirname(path))
        const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
        assert.strictEqual(error._tag, "Invalid")
        assert.match(error.message, new RegExp(`^path: .*${reason.source}.*; name a`))
        assert.deepStrictEqual(fingerprint(dirname(path)), before)
      }))

    it.effect(`a directory that isn't there, or is a file, readonly ${readonly}`, () =>
      Effect.gen(function*() {
        const root = yield* directory
        writeFileSync(join(root, "file"), "")
        for (const path of [join(root, "none", "app.db"), join(root, "file", "app.db")]) {
          const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
          assert.strictEqual(error._tag, "Invalid")
          assert.match(error.message, /^path: the directory .* doesn't exist; create it/)
        }
        assert.deepStrictEqual(readdirSync(root), ["file"])
      }))
  }

  it.effect("nothing, readonly", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const error = yield* errorOf(Effect.scoped(make({ path, readonly: true })))
      assert.strictEqual(error._tag, "Invalid")
      assert.match(error.message, /^path: there is no file at .*; correct the path, or open it without readonly/)
      assert.deepStrictEqual(readdirSync(dirname(path)), [])
    }))

  it.effect("an empty file becomes a store", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      writeFileSync(path, "")
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
      assert.strictEqual(yield* visit(path, (backend) => backend.head), 1)
    }))
})

describe("readonly", () => {
  it.effect("reads what is there, also while another handle writes, and writes nothing", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const written = yield* make({ path })
      yield* written.commit([appendOf("s", "1"), commitOf({ write: [putOf("n", "k", "1")] })])
      const reader = yield* make({ path, readonly: true })
      assert.deepStrictEqual(yield* contents(reader), yield* contents(written))
      yield* written.commit([appendOf("s", "2")])
      assert.deepStrictEqual(yield* contents(reader), yield* contents(written))
      const before = readFileSync(path)
      const error = yield* errorOf(reader.commit([appendOf("s", "3")]))
      assert.strictEqual(error._tag, "Denied")
      assert.match(error.message, /^commit: the store was opened with readonly; open it without readonly/)
      assert.isTrue(readFileSync(path).equals(before))
      assert.strictEqual(yield* reader.head, 3)
    }))

  it.effect("leaves a closed store's bytes as they were", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1", "2")]))
      const before = readFileSync(path)
      const head = yield* Effect.scoped(Effect.flatMap(make({ path, readonly: true }), ({ head: read }) => read))
      assert.strictEqual(head, 2)
      assert.isTrue(readFileSync(path).equals(before))
    }))
})

describe("a file that the system won't give", () => {
  // Linux shows every process its own memory as a file, of whose beginning nothing can be read.
  it.effect("is Unavailable where its header can't be read", ({ skip }) =>
    Effect.gen(function*() {
      if (process.platform !== "linux") return skip("only Linux has such a file")
      const error = yield* errorOf(Effect.scoped(make({ path: "/proc/self/mem", readonly: true })))
      assert.strictEqual(error._tag, "Unavailable")
      assert.match(error.message, /^open: \/proc\/self\/mem can't be read \(EIO\); check the disk, then try again/)
    }))

  it.each([["EACCES", "Denied"], ["EPERM", "Denied"], ["EIO", "Unavailable"], ["EMFILE", "Unavailable"]] as const)(
    "%s is %s",
    (code, tag) => {
      const error = unreadable("open", "/a/app.db", Object.assign(new Error("whatever"), { code }))
      assert.strictEqual(error._tag, tag)
      assert.match(error.message, new RegExp(`^open: /a/app.db can't be read \\(${code}\\); `))
    }
  )

  it.effect("is not written to where it's gone before it's watched", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      assert.throws(
        () => watchFile(path),
        /^open: the file was moved, deleted or replaced while it was open; open the store/
      )
    }))
})

describe("without permission", () => {
  // Root may do everything, so that the child gives its rights away first.
  const opening = (path: string, readonly: boolean) =>
    runChild("open.ts", [path, String(readonly)], { unprivileged: true })

  it.live("each missing permission is named with its remedy, and nothing is changed", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const path = join(root, "app.db")
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
      const before = fingerprint(root)
      chmodSync(root, 0o755)
      chmodSync(path, 0o600)
      assert.match(yield* opening(path, true), /^Invalid path: no permission to read it .*; grant the permission/)
      chmodSync(path, 0o644)
      assert.match(yield* opening(path, false), /^Invalid path: no permission to write to it .*; .*readonly/)
      assert.match(yield* opening(path, true), /^Denied open: the directory may not be written.*use a copy elsewhere/)
      chmodSync(path, 0o666)
      assert.match(yield* opening(path, false), /^Invalid path: no permission to write to its directory .*; .*readonly/)
      const missing = join(root, "new.db")
      assert.match(yield* opening(missing, false), /^Invalid path: no permission to write to its directory/)
      assert.deepStrictEqual(fingerprint(root), before)
      chmodSync(root, 0o777)
      assert.match(yield* opening(path, false), /^opened at 1/)
    }))
})

describe("a closed handle", () => {
  it.effect("answers every verb with a typed error", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* Effect.scoped(make({ path }))
      yield* answersClosed(backend)
      assert.strictEqual(yield* visit(path, ({ head }) => head), 0)
    }))
})
