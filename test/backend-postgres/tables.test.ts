/** Projections into the application's own tables: every event takes effect once, whatever ends the run. */
import { assert, describe, it } from "@effect/vitest"
import { runTables } from "@persist/backend-postgres"
import { listReaders, resetReader } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { type ClientBase, Pool } from "pg"
import { errorOf } from "../backend-sqlite/place.ts"
import { sharedPostgres, sql } from "../servers/postgres.ts"
import { startProxy } from "../servers/proxy.ts"
import { newStore } from "./place.ts"
import { count, Counted, makeTally, runTally, tallied } from "./tally.ts"

const newPool = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Pool({ connectionString: url, max: 2 }).on("error", () => {})),
    (pool) => Effect.promise(() => pool.end())
  )

const numbers = (to: number) => Array.from({ length: to }, (_, n) => n + 1)

/** A store with a table, and a pool for it. */
const begun = Effect.gen(function*() {
  const { schema, store, url } = yield* newStore
  yield* makeTally(url, schema)
  return { schema, store, url, pool: yield* newPool(url) }
})

/** Waits until the table holds so many numbers, and gives them; dies with a run that ends before. */
const reach = Effect.fnUntraced(
  function*(url: string, schema: string, many: number, run: Fiber.Fiber<unknown, unknown>) {
    while (true) {
      const found = yield* tallied(url, schema)
      if (found.length >= many) return found
      const ended = run.pollUnsafe()
      if (ended !== undefined) return yield* Effect.die(new Error("the run has ended", { cause: ended }))
    }
  }
)

describe("a projection into tables", () => {
  it.live("takes what there is and what comes, and goes on from where it was stopped", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      yield* count(store, 1, 7)
      for (const [from, to] of [[8, 10], [11, 15]] as const) {
        const run = yield* Effect.forkChild(runTally(store, schema, pool))
        yield* count(store, from, to)
        assert.deepStrictEqual(yield* reach(url, schema, to, run), numbers(to))
        yield* Fiber.interrupt(run)
      }
      const [reader] = yield* listReaders(store)
      assert.deepInclude(reader, { name: "tally", lag: 0 })
    }), 60_000)

  it.live("leaves nothing of a page whose handler fails, and tells its error", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      yield* count(store, 1, 7)
      const failing = runTally(store, schema, pool, (work, _, page) =>
        page.includes(5) ? Effect.andThen(work, Effect.fail("no fives")) : work)
      assert.strictEqual(yield* Effect.flip(failing), "no fives")
      assert.deepStrictEqual(yield* tallied(url, schema), [1, 2, 3])
      const run = yield* Effect.forkChild(runTally(store, schema, pool))
      assert.deepStrictEqual(yield* reach(url, schema, 7, run), numbers(7))
      yield* Fiber.interrupt(run)
    }), 60_000)

  it.live("hands a page over again after a deadlock and after a lost connection", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      yield* count(store, 1, 7)
      const troubles = [
        (client: ClientBase) => sql(url, `SELECT pg_terminate_backend(${Object(client).processID})`),
        () => Effect.fail(Object.assign(new Error("deadlock"), { code: "40P01", severity: "ERROR" }))
      ]
      const run = yield* Effect.forkChild(
        runTally(store, schema, pool, (work, client) => {
          const trouble = troubles.pop()
          return trouble === undefined ? work : Effect.andThen(work, Effect.andThen(trouble(client), work))
        })
      )
      assert.deepStrictEqual(yield* reach(url, schema, 7, run), numbers(7))
      assert.deepStrictEqual(troubles, [])
      yield* Fiber.interrupt(run)
    }), 60_000)

  it.live("of two that run at once one is fenced, and nothing is counted twice", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      yield* count(store, 1, 4)
      const inHand = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      // The first holds a page while the second takes the same one and is done with it.
      const slow = yield* Effect.forkChild(
        runTally(store, schema, pool, (work) =>
          Deferred.succeed(inHand, undefined).pipe(Effect.andThen(Deferred.await(goOn)), Effect.andThen(work)))
      )
      yield* Deferred.await(inHand)
      const quick = yield* Effect.forkChild(runTally(store, schema, pool))
      yield* reach(url, schema, 4, quick)
      yield* Deferred.succeed(goOn, undefined)
      assert.deepStrictEqual(yield* Fiber.join(slow), { _tag: "Fenced", name: "tally", position: 0 })
      yield* count(store, 5, 6)
      assert.deepStrictEqual(yield* reach(url, schema, 6, quick), numbers(6))
      yield* Fiber.interrupt(quick)
    }), 60_000)

  it.live("counts once where the transaction's connection is cut at any message", () =>
    Effect.gen(function*() {
      const { url } = yield* sharedPostgres
      const { schema, store } = yield* begun
      const proxy = yield* startProxy(Number(new URL(url).port))
      const pool = yield* newPool(proxy.through(url))
      let cuts = 0
      const run = yield* Effect.forkChild(runTally(store, schema, pool))
      for (let n = 1; n <= 30; n += 1) {
        const of = n % 2 === 0 ? "client" : "server"
        yield* proxy.cut({ of, at: n % 3 === 0 ? "before" : "after", n: 1 + n * 7 % 45 })
        yield* count(store, n, n)
        yield* reach(url, schema, n, run)
        cuts += (yield* proxy.wasCut) ? 1 : 0
      }
      assert.deepStrictEqual(yield* tallied(url, schema), numbers(30))
      assert.isAbove(cuts, 3)
      yield* Fiber.interrupt(run)
    }), 120_000)

  it.live(
    "goes on where the answer to its COMMIT is lost: it looks whether that happened",
    () =>
      Effect.gen(function*() {
        const { url } = yield* sharedPostgres
        const { schema, store } = yield* begun
        const proxy = yield* startProxy(Number(new URL(url).port))
        const run = yield* Effect.forkChild(runTally(store, schema, yield* newPool(proxy.through(url))))
        yield* proxy.cut({ of: "server", at: "before", n: 1, marker: "COMMIT\0" })
        for (const n of [1, 2]) {
          yield* count(store, n, n)
          assert.deepStrictEqual(yield* reach(url, schema, n, run), numbers(n))
        }
        assert.isTrue(yield* proxy.wasCut)
        yield* Fiber.interrupt(run)
      }),
    60_000
  )

  it.live("counts once where its process is killed at any statement", () =>
    Effect.gen(function*() {
      const { schema, store, url } = yield* begun
      yield* count(store, 1, 40)
      const child = join(import.meta.dirname, "child/tally.ts")
      // A page takes nine statements: the last three write the checkpoint, notify, and commit.
      for (
        const [when, at] of [["before", 2], ["before", 7], ["after", 7], ["before", 9], ["after", 9], ["after", 12]]
      ) {
        const words = ["--conditions=source", child, url, schema, `${when}`, `${at}`]
        const killed = spawn(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] })
        assert.deepStrictEqual(yield* Effect.promise(() => once(killed, "close")), [null, "SIGKILL"])
      }
      const before = yield* tallied(url, schema)
      assert.deepStrictEqual(before, numbers(before.length))
      const run = yield* Effect.forkChild(runTally(store, schema, yield* newPool(url)))
      assert.deepStrictEqual(yield* reach(url, schema, 40, run), numbers(40))
      yield* Fiber.interrupt(run)
    }), 120_000)
})

describe("what can't be run", () => {
  it.live("is refused by the name of what's wrong", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      const right = { name: "tally", events: Counted, pool, schema, handle: () => Effect.void }
      const refused = (wrong: object) => errorOf(runTables(store, { ...right, ...wrong }))
      assert.deepInclude(yield* refused({ handle: undefined }), { _tag: "Invalid", field: "handle" })
      assert.deepInclude(yield* refused({ pool: {} }), { _tag: "Invalid", field: "pool" })
      assert.deepInclude(yield* refused({ name: "$own" }), { _tag: "Invalid", field: "name" })
      assert.deepInclude(yield* refused({ page: 1 }), { _tag: "Invalid", field: "page" })
      yield* count(store, 1, 1)
      const another = yield* newStore
      assert.deepInclude(yield* refused({ schema: another.schema }), { _tag: "Invalid", field: "pool" })
      const older = yield* newPool(url)
      older.on("connect", (client) => Reflect.set(client, "getTransactionStatus", undefined))
      assert.deepInclude(yield* refused({ pool: older }), { _tag: "Invalid", field: "pool" })
      // A handler that ends the transaction can't be followed by the checkpoint.
      const ends = {
        handle: (client: { query: (text: string) => Promise<unknown> }) => Effect.promise(() => client.query("COMMIT"))
      }
      assert.deepInclude(yield* refused(ends), { _tag: "Invalid", field: "client" })
      yield* resetReader(store, "tally")
      assert.deepStrictEqual(yield* tallied(url, schema), [])
    }), 60_000)
})
