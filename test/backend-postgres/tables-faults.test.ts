/** Projections into tables, whatever ends a run: cut connections, lost and late ends, kills, others who took over. */
import { assert, describe, it } from "@effect/vitest"
import { moveCheckpoint, readCheckpoint } from "@persist/core"
import { run } from "@persist/runner"
import { runners } from "@persist/runner/names"
import { Worker } from "@persist/runner/worker"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { quick, until } from "../runner/until.ts"
import { sharedPostgres, sql } from "../servers/postgres.ts"
import { startProxy } from "../servers/proxy.ts"
import { begun, count, newPool, numbers, reach, sorted, tallied, tally } from "./tally.ts"

/** The same, and a pool that leads through a proxy; the server ends a transaction that is idle for a second. */
const proxied = Effect.gen(function*() {
  const setting = yield* begun
  const { url } = yield* sharedPostgres
  const proxy = yield* startProxy(Number(new URL(url).port))
  const hasty = `${proxy.through(url)}?options=-c%20idle_in_transaction_session_timeout%3D1s`
  return { ...setting, proxy, pool: yield* newPool(hasty) }
})

/** Waits until so many sessions of the database wait for a lock. */
const waiting = (url: string) =>
  until(
    sql(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"),
    ({ length }) => length > 0
  )

/** Runs the tally in a process of its own, which signals itself around its nth statement; gone with the scope. */
const startChild = (...words: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "child/tally.ts"), ...words], {
        stdio: ["ignore", "inherit", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

describe("a projection into tables counts each event once", () => {
  it.live("where the transaction's connection is cut at any message", () =>
    Effect.gen(function*() {
      const { pool, proxy, schema, store, url } = yield* proxied
      let cuts = 0
      yield* Effect.forkChild(run(store, [tally(pool, schema)], quick))
      for (let n = 1; n <= 30; n += 1) {
        const of = n % 2 === 0 ? "client" : "server"
        yield* proxy.cut({ of, at: n % 3 === 0 ? "before" : "after", n: 1 + n * 7 % 45 })
        yield* count(store, n, n)
        yield* reach(url, schema, n)
        cuts += (yield* proxy.wasCut) ? 1 : 0
      }
      assert.deepStrictEqual(yield* tallied(url, schema), numbers(30))
      assert.isAbove(cuts, 3)
    }), 120_000)

  it.live("where the answer to its COMMIT is lost", () =>
    Effect.gen(function*() {
      const { pool, proxy, schema, store, url } = yield* proxied
      yield* Effect.forkChild(run(store, [tally(pool, schema)], quick))
      yield* proxy.cut({ of: "server", at: "before", n: 1, marker: "COMMIT\0" })
      for (const n of [1, 2]) {
        yield* count(store, n, n)
        assert.deepStrictEqual(yield* reach(url, schema, n), numbers(n))
      }
      assert.isTrue(yield* proxy.wasCut)
    }), 60_000)

  it.live(
    "where its COMMIT takes effect only after it was given up, and where it never does",
    () =>
      Effect.gen(function*() {
        const { pool, proxy, schema, store, url } = yield* proxied
        // Whoever wrote one twice would fail at that, and stop.
        yield* sql(url, `ALTER TABLE ${schema}.tally ADD UNIQUE (n)`)
        yield* Effect.forkChild(run(store, [tally(pool, schema)], quick))
        // The one that never arrives is ended by the server, which then lets the next one through.
        for (const [n, arrives] of [[1, true], [2, false], [3, true]] as const) {
          yield* proxy.cut({ of: "client", at: "before", n: 1, marker: "COMMIT\0", late: true })
          yield* count(store, n, n)
          // Others wait for a lock now and then as well.
          yield* until(proxy.isCut)
          yield* waiting(url)
          assert.deepStrictEqual(yield* tallied(url, schema), numbers(n - 1))
          if (arrives) yield* proxy.deliver
          assert.deepStrictEqual(yield* reach(url, schema, n), numbers(n))
        }
        yield* count(store, 4, 4)
        assert.deepStrictEqual(yield* reach(url, schema, 4), numbers(4))
      }),
    60_000
  )

  it.live(
    "where others took over while it was in its transaction: it's fenced, and leaves nothing",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store, url } = yield* begun
        yield* sql(url, `CREATE TABLE ${schema}.total (one int PRIMARY KEY, sum int NOT NULL)`)
        yield* count(store, 1, 4)
        const [written, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const add = `INSERT INTO ${schema}.total VALUES (1, $1)
        ON CONFLICT (one) DO UPDATE SET sum = total.sum + excluded.sum`
        const adding = (pause: Effect.Effect<unknown>) =>
          tally(pool, schema, {
            around: (work, client, page) =>
              work.pipe(
                Effect.andThen(Effect.promise(() => client.query(add, [page.reduce((sum, n) => sum + n, 0)]))),
                Effect.andThen(pause)
              )
          })
        const processor = adding(Effect.andThen(Deferred.succeed(written, undefined), Deferred.await(goOn)))
        const partition = { index: 0, of: 1 }
        const checkpoint = yield* processor.register(store, partition)
        const worker = new Worker({
          store,
          processor: "tally",
          policy: processor.policy,
          checkpoint,
          assignment: yield* processor.assign(store, partition)
        })
        const slow = yield* Effect.forkChild(worker.run)
        yield* Deferred.await(written)
        // What taking over its lease does.
        yield* moveCheckpoint(store, checkpoint, checkpoint.position)
        yield* Effect.forkChild(run(store, [adding(Effect.void)], quick))
        // The other's rows are in its way until that one wakes up.
        yield* waiting(url)
        yield* Deferred.succeed(goOn, undefined)
        assert.deepInclude(yield* Fiber.join(slow), { _tag: "Fenced", name: "tally" })
        assert.deepStrictEqual(yield* reach(url, schema, 4), numbers(4))
        assert.deepStrictEqual(yield* sql(url, `SELECT sum FROM ${schema}.total`), [{ sum: 10 }])
      }),
    60_000
  )

  it.live("where its process is killed at any statement", () =>
    Effect.gen(function*() {
      const { schema, store, url } = yield* begun
      let counted = 0
      // Four pages at once, each of some nine statements, of which the last ones write the checkpoint and commit.
      for (
        const [when, at] of [["before", 5], ["after", 12], ["before", 28], ["after", 30], ["before", 34], ["after", 35]]
      ) {
        yield* count(store, counted + 1, counted += 20)
        const killed = yield* startChild(url, schema, "4", "SIGKILL", `${when}`, `${at}`)
        assert.deepStrictEqual(yield* Effect.promise(() => once(killed, "close")), [null, "SIGKILL"])
      }
      const before = yield* tallied(url, schema)
      assert.strictEqual(new Set(before).size, before.length)
      yield* Effect.forkChild(run(store, [tally(yield* newPool(url), schema, { partitions: 4 })], quick))
      assert.deepStrictEqual(sorted(yield* reach(url, schema, counted)), numbers(counted))
      assert.isTrue(Option.isSome(yield* readCheckpoint(store, "tally#3")))
    }), 120_000)

  for (const [where, at] of [["after what it wrote", 3], ["with the store's lock", 9]] as const) {
    it.live(
      `where its process freezes in its transaction, ${where}, and wakes up after others took over`,
      () =>
        Effect.gen(function*() {
          const { pool, schema, store, url } = yield* begun
          yield* count(store, 1, 5)
          const frozen = yield* startChild(url, schema, "1", "SIGSTOP", "before", `${at}`)
          const idle = sql(
            url,
            `SELECT 1 FROM pg_stat_activity
           WHERE state = 'idle in transaction' AND clock_timestamp() - state_change > interval '200 ms'`
          )
          yield* until(idle, ({ length }) => length > 0)
          yield* Effect.forkChild(run(store, [tally(pool, schema)], quick))
          assert.deepStrictEqual(sorted(yield* reach(url, schema, 5)), numbers(5))
          frozen.kill("SIGCONT")
          // It has given up what it had.
          yield* count(store, 6, 20)
          yield* until(runners(store).count(), (alive) => alive === 2)
          assert.deepStrictEqual(sorted(yield* reach(url, schema, 20)), numbers(20))
        }),
      60_000
    )
  }
})
