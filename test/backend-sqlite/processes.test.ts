/** Several processes on one file, and processes that end in the middle of it. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { currentFormat } from "@persist/backend-sqlite/schema"
import { type BackendShape } from "@persist/core"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync
} from "node:fs"
import { dirname, join } from "node:path"
import { runChild, startChild, startTogether } from "./child.ts"
import {
  appendOf,
  commitOf,
  directory,
  driver,
  errorOf,
  eventOf,
  eventsOf,
  everything,
  newPath,
  putOf,
  visit
} from "./place.ts"

const integrity = (path: string) => driver(path, (db) => db.pragma("integrity_check", { simple: true }))

describe("processes that write at once", () => {
  it.live("their appends get the seqs 1 to N, each its own in order, and no increment is lost", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const [writers, each] = [2, 300]
      const children = yield* startTogether(writers, "append.ts", (n) => [path, `w${n}`, String(each)])
      for (const { line } of children) assert.strictEqual(yield* line, "done")
      const backend = yield* make({ path })
      const events = yield* eventsOf(backend, "shared")
      assert.deepStrictEqual(events.map(({ seq }) => Number(seq)), Array.from({ length: 600 }, (_, i) => i + 1))
      for (let n = 0; n < writers; n++) {
        const own = events.map(({ data }) => String(data)).filter((data) => data.startsWith(`["w${n}"`))
        assert.deepStrictEqual(own, Array.from({ length: each }, (_, i) => JSON.stringify([`w${n}`, i + 1])))
      }
      const { items } = yield* backend.readAll(everything)
      assert.deepStrictEqual(items, events)
      for (let i = 1; i < items.length; i++) {
        assert.isAbove(items[i]?.position ?? 0, items[i - 1]?.position ?? 0)
      }
      const [count] = yield* backend.get([{ namespace: "n", key: "count" }])
      assert.strictEqual(count?.value, "600")
      assert.strictEqual(yield* backend.head, 1200)
      assert.strictEqual(integrity(path), "ok")
    }))

  it.effect("a lock that is held past the busy timeout is Unavailable, and nothing happened", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path, busyTimeout: 20 })
      yield* backend.commit([appendOf("s", "1")])
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(path)),
        (db) => Effect.sync(() => db.close())
      )
      other.exec("BEGIN IMMEDIATE")
      const error = yield* errorOf(backend.commit([appendOf("s", "2")]))
      assert.strictEqual(error._tag, "Unavailable")
      assert.match(error.message, /^commit: another connection holds the lock; try again, or raise busyTimeout$/)
      assert.strictEqual((yield* eventsOf(backend, "s")).length, 1)
      other.exec("ROLLBACK")
      const [outcome] = yield* backend.commit([appendOf("s", "2")])
      assert.strictEqual(outcome._tag === "Committed" && Number(outcome.appended[0]?.first), 2)
    }))
})

describe("handles of one process", () => {
  it.live("keep the file's locks when another one is opened, closed or refused", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      yield* backend.commit([appendOf("s", "1")])
      for (const readonly of [false, true]) yield* Effect.scoped(make({ path, readonly }))
      driver(path, (db) => db.pragma("user_version = 99"))
      yield* errorOf(Effect.scoped(make({ path })))
      driver(path, (db) => db.pragma(`user_version = ${currentFormat}`))
      // By another name the lock on the file is all that tells a process of this one's handle.
      linkSync(path, `${path}.link`)
      assert.strictEqual(yield* runChild("leave-wal.ts", [`${path}.link`]), "SQLITE_BUSY")
    }))
})

describe("a reader beside a process that writes", () => {
  it.live("pages without a gap, and never sees half a commit", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      const child = yield* startChild("load.ts", [path])
      assert.strictEqual(yield* child.line, "ready")
      yield* child.go
      const seen: Array<number> = []
      const keys = [{ namespace: "n", key: "last" }, { namespace: "n", key: "same" }]
      let after = everything.after
      for (let n = 0; n < 600; n++) {
        const acknowledged = Number(yield* child.line)
        // Several looks while the child is at its next commits.
        for (let look = 0; look < 5; look++) {
          const { items, through } = yield* backend.readAll({ ...everything, after })
          for (const { seq } of items) seen.push(seq)
          after = through
          const [last, same] = yield* backend.get(keys)
          assert.strictEqual(last?.value, same?.value)
        }
        assert.isAtLeast(seen.length, acknowledged)
      }
      yield* child.kill
      assert.deepStrictEqual(seen, Array.from(seen, (_, i) => i + 1))
    }))
})

describe("a process that follows", () => {
  it.live("is woken by every commit of another one", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      yield* backend.commit([appendOf("s", "before")])
      const follower = yield* startChild("follow.ts", [path])
      assert.strictEqual(yield* follower.line, "ready")
      yield* follower.go
      assert.strictEqual(yield* follower.line, "before")
      assert.strictEqual(yield* follower.line, "following")
      for (let n = 0; n < 20; n++) {
        yield* backend.commit([appendOf("s", `now ${n}`)])
        assert.strictEqual(yield* follower.line, `now ${n}`)
      }
    }))

  it.live("ends when it has nothing else to do", () =>
    Effect.gen(function*() {
      const child = yield* startChild("idle.ts", [yield* newPath])
      assert.strictEqual(yield* child.line, "ready")
      yield* child.go
      assert.strictEqual(yield* child.line, "listening")
      assert.strictEqual(yield* child.ended, 0)
    }))
})

/** What `load.ts` leaves behind is whole commits, all acknowledged ones among them. */
const assertWhole = Effect.fnUntraced(function*(backend: BackendShape, acknowledged: number) {
  const seqs = (yield* eventsOf(backend, "load")).map(({ seq }) => Number(seq))
  assert.isAtLeast(seqs.length, acknowledged)
  assert.strictEqual(seqs.length % 3, 0)
  assert.deepStrictEqual(seqs, Array.from(seqs, (_, i) => i + 1))
  const [last] = yield* backend.get([{ namespace: "n", key: "last" }])
  assert.strictEqual(last?.value ?? "0", String(seqs.length))
  assert.strictEqual(yield* backend.head, seqs.length / 3 * 5)
})

describe("a process that is killed", () => {
  it.live("has done all that it acknowledged, and nothing by halves", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      let acknowledged = 0
      for (let round = 0; round < 3; round++) {
        const child = yield* startChild("load.ts", [path])
        assert.strictEqual(yield* child.line, "ready")
        yield* child.go
        for (let n = 0; n < 40 + 7 * round; n++) acknowledged = Number(yield* child.line)
        yield* child.kill
        assert.isAbove(statSync(`${path}-wal`).size, 0)
        yield* visit(path, (backend) => assertWhole(backend, acknowledged))
        assert.strictEqual(integrity(path), "ok")
      }
      assert.isAtLeast(acknowledged, 360)
    }))

  it.effect("and whose log was cut anywhere, leaves a prefix of whole commits", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      for (let n = 0; n < 8; n++) {
        yield* backend.commit([commitOf({
          append: [{ stream: "load", events: [eventOf("1"), eventOf("2"), eventOf("3".repeat(5000))] }],
          write: [putOf("n", "last", String(3 * n + 3)), putOf("n", "same", String(3 * n + 3))]
        })])
      }
      const size = statSync(`${path}-wal`).size
      const lengths = new Set<number>()
      for (let cut = 0; cut <= 60; cut++) {
        const copy = yield* newPath
        copyFileSync(path, copy)
        copyFileSync(`${path}-wal`, `${copy}-wal`)
        truncateSync(`${copy}-wal`, Math.floor(size * cut / 60))
        yield* visit(copy, (cutBackend) =>
          Effect.gen(function*() {
            yield* assertWhole(cutBackend, 0)
            lengths.add((yield* eventsOf(cutBackend, "load")).length)
          }))
      }
      assert.deepStrictEqual([...lengths].sort((a, b) => a - b), [0, 3, 6, 9, 12, 15, 18, 21, 24])
    }))
})

describe("a file that is taken away while it is open", () => {
  const files = ["", "-wal", "-shm"]
  const cases: ReadonlyArray<readonly [name: string, take: (path: string) => Effect.Effect<void, unknown>]> = [
    ["deleted", (path) => Effect.sync(() => files.forEach((end) => rmSync(path + end)))],
    ["moved", (path) => Effect.sync(() => files.forEach((end) => renameSync(path + end, `${path}.old${end}`)))],
    ["replaced", (path) =>
      Effect.andThen(
        Effect.sync(() => files.forEach((end) => rmSync(path + end))),
        visit(path, () => Effect.void)
      )]
  ]
  it.effect.each(cases)("%s: commits are refused rather than lost", ([, take]) =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      yield* backend.commit([appendOf("s", "1")])
      yield* take(path)
      const error = yield* errorOf(backend.commit([appendOf("s", "2")]))
      assert.strictEqual(error._tag, "Unavailable")
      assert.match(error.message, /^commit: the file was moved, deleted or replaced .*; open the store again$/)
    }))
})

describe("a file that can't be reached while it is open", () => {
  it.effect("commits fail and do nothing, until it can be reached again", () =>
    Effect.gen(function*() {
      const path = join(yield* directory, "inner", "app.db")
      const inner = dirname(path)
      mkdirSync(inner)
      const backend = yield* make({ path })
      yield* backend.commit([appendOf("s", "1")])
      renameSync(inner, `${inner}.aside`)
      symlinkSync(inner, inner)
      for (const batch of [[appendOf("s", "2")], [appendOf("s", "2"), appendOf("t", "2")]] as const) {
        const error = yield* errorOf(backend.commit(batch))
        assert.strictEqual(error._tag, "Unavailable")
        assert.strictEqual(
          error.message,
          `commit: ${path} can't be reached (ELOOP); check the directories on the way, then try again`
        )
      }
      rmSync(inner)
      renameSync(`${inner}.aside`, inner)
      assert.strictEqual(yield* backend.head, 1)
      yield* backend.commit([appendOf("s", "3")])
      assert.deepStrictEqual((yield* eventsOf(backend, "s")).map(({ data }) => data), ["1", "3"])
      assert.strictEqual((yield* backend.readAll(everything)).items.length, 2)
    }))

  it.live("for want of permission they are Denied", () =>
    Effect.gen(function*() {
      const root = yield* directory
      chmodSync(root, 0o777)
      assert.strictEqual(
        yield* runChild("bar.ts", [root], { unprivileged: true }),
        `Denied commit: ${root}/inner/app.db can't be reached (EACCES); `
          + "grant the process permission to search the directories on the way, then at 2"
      )
    }))
})
