/** Projections into the application's own tables: what a handler writes and how far it came happen together. */
import { assert, describe, it } from "@effect/vitest"
import { transactions } from "@persist/backend-postgres"
import { listReaders } from "@persist/core"
import { listParked, retryParked, run, tables } from "@persist/runner"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ClientBase } from "pg"
import { errorOf } from "../backend-sqlite/place.ts"
import { quick, until } from "../runner/until.ts"
import { sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"
import { begun, count, Counted, newPool, numbers, reach, sorted, tallied, tally } from "./tally.ts"

const parkedOf = (store: Parameters<typeof listParked>[0]) => Stream.runCollect(listParked(store, "tally"))

describe("a projection into tables", () => {
  it.live(
    "takes what there is and what comes, in each of its partitions, and goes on from where it was stopped",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store, url } = yield* begun
        yield* count(store, 1, 7)
        for (const [from, to] of [[8, 10], [11, 15]] as const) {
          const running = yield* Effect.forkChild(run(store, [tally(pool, schema, { partitions: 3 })], quick))
          yield* count(store, from, to)
          assert.deepStrictEqual(sorted(yield* reach(url, schema, to)), numbers(to))
          yield* Fiber.interrupt(running)
        }
        assert.strictEqual((yield* listReaders(store)).length, 3)
      }),
    60_000
  )

  it.live(
    "leaves nothing of a handler that fails, and parks the event without what was written for it",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store, url } = yield* begun
        let broken = true
        let tries = 0
        const processor = tally(pool, schema, {
          failure: { retries: 2, delay: 1, finally: "park" },
          around: (work, _, page) =>
            Effect.andThen(
              work,
              Effect.suspend(() => {
                if (!broken || !page.includes(5)) return Effect.void
                if (page.length === 1) tries++
                return Effect.fail("no fives")
              })
            )
        })
        yield* count(store, 1, 9)
        yield* Effect.forkChild(run(store, [processor], quick))
        const all = numbers(9)
        assert.deepStrictEqual(yield* reach(url, schema, 8), all.filter((n) => n !== 5))
        const [poison, ...others] = yield* until(parkedOf(store), ({ length }) => length > 0)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(poison?.attempts.length, 3)
        assert.strictEqual(tries, 3)
        broken = false
        yield* retryParked(store, "tally", poison?.position ?? 0)
        assert.deepStrictEqual(sorted(yield* reach(url, schema, 9)), all)
        assert.deepStrictEqual(yield* parkedOf(store), [])
      }),
    60_000
  )

  it.live(
    "takes what the database refuses only at the end for a failure of the handler's",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store, url } = yield* begun
        yield* sql(url, `ALTER TABLE ${schema}.tally ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED`)
        yield* count(store, 1, 3)
        yield* count(store, 2, 2)
        yield* Effect.forkChild(run(store, [tally(pool, schema, { failure: { retries: 0, finally: "park" } })], quick))
        const [twice] = yield* until(parkedOf(store), ({ length }) => length > 0)
        assert.include(twice?.attempts[0]?.error, "tally_n_key")
        yield* count(store, 4, 4)
        assert.deepStrictEqual(yield* reach(url, schema, 4), numbers(4))
      }),
    60_000
  )

  it.live(
    "doesn't take part where it ends the transaction, or overlooks that a statement failed",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store } = yield* begun
        const wrongs = { "ended the transaction": "COMMIT", "overlooked that a statement failed": "SELECT 1/0" }
        for (const [reason, text] of Object.entries(wrongs)) {
          const op = store.kv("k").ops.put("key", 1)
          const asking = (client: ClientBase) => Effect.ignore(Effect.tryPromise(() => client.query(text)))
          const exit = yield* Effect.exit(transactions({ pool, schema })(store, asking, [op]))
          const defect = exit._tag === "Failure" ? Cause.squash(exit.cause) : undefined
          assert.deepInclude(defect, { _tag: "Invalid", field: "handle" })
          assert.include(String(defect), reason)
        }
        assert.isTrue(Option.isNone(yield* store.kv("k").get("key")))
      }),
    60_000
  )

  it.live(
    "is not the worse for a deadlock or a lost connection, which count for no attempt",
    () =>
      Effect.gen(function*() {
        const { pool, schema, store, url } = yield* begun
        const deadlock = Object.assign(new Error("deadlock"), { code: "40P01", severity: "ERROR" })
        const troubles = [
          (pid: unknown) => sql(url, `SELECT pg_terminate_backend(${Number(pid)})`),
          () => Effect.fail(deadlock),
          () => Effect.die(deadlock)
        ]
        // Of one event alone a failure would be its own.
        yield* count(store, 1, 1)
        const processor = tally(pool, schema, {
          around: (work, client) => {
            const trouble = troubles.pop()
            return trouble === undefined
              ? work
              : Effect.andThen(work, Effect.andThen(trouble(Object(client).processID), work))
          }
        })
        yield* Effect.forkChild(run(store, [processor], quick))
        assert.deepStrictEqual(yield* reach(url, schema, 1), numbers(1))
        assert.deepStrictEqual(troubles, [])
      }),
    60_000
  )

  it.live(
    "is ended by the server where it lies idle, after 5 s or what was asked for less",
    () =>
      Effect.gen(function*() {
        const { schema, store, url } = yield* begun
        const limits = async (asked: string) => {
          const text = "SELECT current_setting('idle_in_transaction_session_timeout') AS idle"
          const own = new URL(url)
          own.searchParams.set("options", `-c idle_in_transaction_session_timeout=${asked}`)
          return { text, url: own.href }
        }
        for (const [asked, given] of [["0", "5s"], ["1h", "5s"], ["250ms", "250ms"]] as const) {
          const { text, url: own } = yield* Effect.promise(() => limits(asked))
          const pool = yield* newPool(own)
          const op = store.kv("k").ops.put(asked, 1)
          let idle: unknown
          yield* transactions({ pool, schema })(store, (client) =>
            Effect.promise(async () => {
              idle = (await client.query(text)).rows[0]?.idle
            }), [op])
          assert.strictEqual(idle, given)
          if (asked !== "250ms") continue
          const frozen = transactions({ pool, schema })(
            store,
            (client) => Effect.promise(() => new Promise((resolve) => client.once("end", resolve))),
            [op]
          )
          assert.strictEqual((yield* errorOf(frozen))._tag, "Unavailable")
        }
      }),
    60_000
  )
})

describe("what can't be run", () => {
  it.live("is refused by the name of what's wrong", () =>
    Effect.gen(function*() {
      const { pool, schema, store, url } = yield* begun
      const refused = (make: () => unknown) => Effect.flip(Effect.try(make)).pipe(Effect.map(({ cause }) => cause))
      const right = { name: "tally", events: Counted, transact: transactions({ pool }), handle: () => Effect.void }
      // What a caller without types may pass.
      const wrong = (changed: object) => () => tables(Object.assign({ ...right }, changed))
      assert.deepInclude(yield* refused(wrong({ handle: undefined })), { _tag: "Invalid", field: "handle" })
      assert.deepInclude(yield* refused(wrong({ transact: pool })), { _tag: "Invalid", field: "transact" })
      assert.deepInclude(yield* refused(wrong({ name: "$own" })), { _tag: "Invalid", field: "name" })
      assert.deepInclude(yield* refused(wrong({ page: 1 })), { _tag: "Invalid", field: "page" })
      const config = (changed: object) => () => transactions(Object.assign({ pool }, changed))
      assert.deepInclude(yield* refused(config({ pool: {} })), { _tag: "Invalid", field: "pool" })
      assert.deepInclude(yield* refused(config({ schema: "" })), { _tag: "Invalid", field: "schema" })
      assert.deepInclude(yield* refused(config({ size: 1 })), { _tag: "Invalid", field: "size" })

      const op = store.kv("k").ops.put("key", 1)
      const another = yield* newStore
      const elsewhere = transactions({ pool, schema: another.schema })(store, () => Effect.void, [op])
      assert.deepInclude(yield* errorOf(elsewhere), { _tag: "Invalid", field: "pool" })
      const older = yield* newPool(url)
      older.on("connect", (client) => Reflect.set(client, "getTransactionStatus", undefined))
      const old = transactions({ pool: older, schema })(store, () => Effect.void, [op])
      assert.deepInclude(yield* errorOf(old), { _tag: "Invalid", field: "pool" })
      assert.deepStrictEqual(yield* tallied(url, schema), [])
    }), 60_000)
})
