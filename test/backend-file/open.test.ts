/** Opening: what a store says of itself, and everything that is no store, can't become one or may not be used so. */
import { assert, describe, it } from "@effect/vitest"
import { layer, make, renewIncarnation } from "@persist/backend-file"
import { disk } from "@persist/backend-file/disk"
import { latestManifest } from "@persist/backend-file/manifest"
import { append, commit, put } from "@persist/conformance/given"
import { Backend, origin } from "@persist/core"
import * as Effect from "effect/Effect"
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { answersClosed } from "../backend-sqlite/closed.ts"
import { errorOf, fingerprint } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { contents, history } from "./history.ts"
import { directory, newPath, visit } from "./place.ts"

describe("what a store says of itself", () => {
  it.effect("it is durable, for one writer; who only reads shares it with that one", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const { about } = yield* make({ path })
      assert.deepStrictEqual(
        [about.name, about.durability, about.shared, about.ambiguous, about.lacks.size],
        ["file", "disk", false, false, 0]
      )
      const reader = yield* make({ path, readonly: true })
      assert.deepStrictEqual([reader.about.shared, reader.about.incarnation], [true, about.incarnation])
      assert.match(about.incarnation, /^[0-9a-f-]{36}$/)
    }))

  it.effect("the incarnation is the directory's own, whoever opens it", () =>
    Effect.gen(function*() {
      const [path, other] = [yield* newPath, yield* newPath]
      const incarnation = (at: string) => visit(at, ({ about }) => Effect.succeed(about.incarnation))
      const first = yield* incarnation(path)
      assert.strictEqual(yield* incarnation(path), first)
      assert.notStrictEqual(yield* incarnation(other), first)
    }))

  it.effect("the incarnation is another one once it was renewed, and who reads is told so", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const before = yield* visit(
        path,
        (backend) => Effect.as(backend.commit([commit({ append: [append("s", "1")] })]), backend.about.incarnation)
      )
      const reader = yield* make({ path, readonly: true })
      const renewed = yield* renewIncarnation({ path })
      assert.notStrictEqual(renewed, before)
      const refused = yield* errorOf(reader.head)
      assert.match(refused.message, /replaced while it was open: it was given another incarnation; open it again/)
      yield* visit(
        path,
        ({ about, head }) => Effect.map(head, (at) => assert.deepStrictEqual([about.incarnation, at], [renewed, 1]))
      )
    }))

  it.effect("an older copy in its place is told to who reads, and has read more than it holds", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const add = visit(path, (backend) => backend.commit([commit({ append: [append("s", "1")] })]))
      yield* add
      cpSync(path, `${path}.old`, { recursive: true })
      yield* add
      const reader = yield* make({ path, readonly: true })
      assert.strictEqual(yield* reader.head, 2)
      rmSync(path, { recursive: true })
      renameSync(`${path}.old`, path)
      const refused = yield* errorOf(reader.head)
      assert.match(refused.message, /replaced while it was open: it went back from position 2 to 1; open it again/)
    }))

  it.effect("it isn't renewed where there is no store, where somebody writes it, nor by who only reads", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      assert.match((yield* errorOf(renewIncarnation({ path }))).message, /there is no store at/)
      const { about } = yield* make({ path })
      assert.strictEqual((yield* errorOf(renewIncarnation({ path })))._tag, "Unavailable")
      assert.strictEqual((yield* errorOf(renewIncarnation({ path, readonly: true })))._tag, "Invalid")
      assert.strictEqual((yield* make({ path, readonly: true })).about.incarnation, about.incarnation)
    }))

  it.effect("as a layer it's the backend", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const head = yield* Effect.provide(Effect.flatMap(Backend, (backend) => backend.head), layer({ path }))
      assert.strictEqual(head, origin)
      assert.deepStrictEqual(readdirSync(path).toSorted(), ["index", "lock", "log", "manifest-0000000002", "store"])
    }))
})

describe("a configuration that can't be meant", () => {
  const cases: ReadonlyArray<readonly [field: string, config: unknown]> = [
    ["path", {}],
    ["path", { path: "" }],
    ["path", { path: 7 }],
    ["path", { path: "a\0b" }],
    ["readonly", { path: "data", readonly: "yes" }],
    ["segmentBytes", { path: "data", segmentBytes: 1023 }],
    ["segmentBytes", { path: "data", segmentBytes: 2 ** 31 }],
    ["segmentBytes", { path: "data", segmentBytes: 5000.5 }],
    ["pollInterval", { path: "data", pollInterval: 0 }],
    ["pollInterval", { path: "data", pollInterval: Number.NaN }],
    ["readOnly", { path: "data", readOnly: true }]
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
    ["a file", /is no directory; name/, (path) => writeFileSync(path, "x")],
    ["a directory with other files", /holds other files and no store; name/, (path) => {
      mkdirSync(path)
      writeFileSync(join(path, "notes.txt"), "x")
    }],
    ["a directory within a file", /doesn't exist; create it/, (path) => {
      rmSync(dirname(path), { recursive: true })
      writeFileSync(dirname(path), "x")
    }]
  ]
  for (const readonly of [false, true]) {
    it.effect.each(cases)(`%s, readonly ${readonly}`, ([, reason, prepare]) =>
      Effect.gen(function*() {
        const path = join(yield* directory, "parent", "data")
        mkdirSync(dirname(path))
        prepare(path)
        const before = fingerprint(dirname(dirname(path)))
        const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
        assert.strictEqual(error._tag, "Invalid")
        assert.match(error.message, reason)
        assert.deepStrictEqual(fingerprint(dirname(dirname(path))), before)
      }))
  }

  it.effect("nothing, or an empty directory, readonly", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const refusal = errorOf(Effect.scoped(make({ path, readonly: true })))
      assert.match((yield* refusal).message, /^path: there is no store at .*readonly$/)
      mkdirSync(path)
      assert.match((yield* refusal).message, /^path: there is no store in .*readonly$/)
      assert.deepStrictEqual(readdirSync(path), [])
    }))

  it.effect("an empty directory becomes a store, and one whose making was interrupted too", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      mkdirSync(path)
      writeFileSync(join(path, "store.0123.tmp"), "half")
      yield* visit(path, (backend) => backend.commit([commit({ append: [append("s", "1")] })]))
      assert.strictEqual(yield* visit(path, (backend) => backend.head), 1)
      assert.notInclude(readdirSync(path), "store.0123.tmp")
    }))
})

describe("a store that lacks a part", () => {
  const written = Effect.gen(function*() {
    const path = yield* newPath
    yield* visit(path, (backend) => Effect.forEach(history, backend.commit))
    return path
  })
  const cases: ReadonlyArray<readonly [part: string, reason: RegExp, remove: (path: string) => void]> = [
    ["its identity", /store: the file is gone/, (path) => rmSync(join(path, "store"))],
    ["its manifest", /there is no manifest, though there is a log/, (path) => {
      for (const name of readdirSync(path)) if (name.startsWith("manifest")) rmSync(join(path, name))
    }],
    ["its log", /\.log, at byte 0: the file is gone/, (path) => rmSync(join(path, "log"), { recursive: true })]
  ]
  it.effect.each(cases)("%s: is Corrupt, and named", ([, reason, remove]) =>
    Effect.gen(function*() {
      const path = yield* written
      remove(path)
      const error = yield* errorOf(Effect.scoped(make({ path })))
      assert.strictEqual(error._tag, "Corrupt")
      assert.match(error.message, reason)
    }))

  it.effect("its manifest: who only reads can't tell it from one that is being made, and is told both", () =>
    Effect.gen(function*() {
      const path = yield* written
      for (const name of readdirSync(path)) if (name.startsWith("manifest")) rmSync(join(path, name))
      const error = yield* errorOf(Effect.scoped(make({ path, readonly: true })))
      assert.strictEqual(error._tag, "Unavailable")
      assert.match(error.message, /only being made, or lost it; .* restore the store from a backup/)
    }))

  it.effect("its index: it's made anew, and said so", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const small = { path, segmentBytes: 1024 }
      const before = yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* make(small)
        yield* Effect.forEach(history, backend.commit)
        return yield* contents(backend)
      }))
      assert.isAbove(readdirSync(join(path, "index")).length, 0)
      for (const name of readdirSync(join(path, "index"))) rmSync(join(path, "index", name))
      const { value, warnings } = yield* warningsIn(Effect.scoped(Effect.flatMap(make(small), contents)))
      assert.deepStrictEqual(value, before)
      assert.match(warnings.join(), /The index of .* is made anew: .*\.run/)
      assert.isAbove(readdirSync(join(path, "index")).length, 0)
      const again = yield* warningsIn(Effect.scoped(Effect.flatMap(make(small), contents)))
      assert.deepStrictEqual(again, { value: before, warnings: [] })
    }))
})

describe("a directory of a newer version", () => {
  it.effect.each([false, true])("is refused and left alone, readonly %s", (readonly) =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, () => Effect.void)
      const file = join(path, "store")
      writeFileSync(file, readFileSync(file, "utf8").replace("\"format\": 1", "\"format\": 2"))
      const error = yield* errorOf(Effect.scoped(make({ path, readonly })))
      assert.strictEqual(error._tag, "Unsupported")
      assert.match(error.message, /format 2 of .*store, where this version knows 1 to 1.*newer version that wrote it/)
    }))
})

describe("opening", () => {
  it.effect("a large tail is sealed when the store is closed, a small one is gone on with", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const fill = (bytes: number) =>
        visit(path, (backend) => backend.commit([commit({ write: [put("k", "x".repeat(bytes))] })]))
      const sealed = () => latestManifest(disk, path)?.sealed.length
      yield* fill(1000)
      yield* fill(1000)
      assert.strictEqual(sealed(), 0)
      yield* fill(1_100_000)
      assert.strictEqual(sealed(), 1)
      assert.strictEqual(latestManifest(disk, path)?.usage, "closed")
      assert.strictEqual(yield* visit(path, ({ head }) => head), 3)
    }))

  it.effect("what isn't part of the store is swept from its directories", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) => backend.commit([commit({ append: [append("s", "1")] })]))
      const stray = [join(path, "log", "00000000000009-0.log"), join(path, "manifest-0000000001"), join(path, "a.tmp")]
      for (const file of stray) writeFileSync(file, "x")
      yield* visit(path, () => Effect.void)
      assert.strictEqual(readdirSync(join(path, "log")).length, 1)
      for (const file of stray) assert.notInclude(readdirSync(dirname(file)), file.slice(dirname(file).length + 1))
    }))
})

describe("readonly", () => {
  it.effect("reads what is there, and writes nothing", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const writer = yield* make({ path })
      yield* Effect.forEach(history, writer.commit)
      const before = fingerprint(path)
      const reader = yield* make({ path, readonly: true })
      assert.deepStrictEqual(yield* contents(reader), yield* contents(writer))
      const error = yield* errorOf(reader.commit([commit({ append: [append("s", "3")] })]))
      assert.strictEqual(error._tag, "Denied")
      assert.match(error.message, /^commit: the store was opened with readonly; open it without readonly/)
      assert.deepStrictEqual(fingerprint(path), before)
    }))
})

describe("a closed handle", () => {
  it.effect.each([false, true])(
    "answers every verb with a typed error, readonly %s",
    (readonly) =>
      Effect.gen(function*() {
        const path = yield* newPath
        yield* visit(path, () => Effect.void)
        const backend = yield* Effect.scoped(make({ path, readonly }))
        yield* answersClosed(backend, readonly)
      })
  )
})
