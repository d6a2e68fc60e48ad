/** Servers and networks that don't answer, or not in time: what the store then says of a commit is true. */
import { assert, describe, it } from "@effect/vitest"
import { type Config, make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Client } from "pg"
import { errorOf, eventsOf } from "../backend-sqlite/place.ts"
import { sharedPostgres, sql, startPostgres } from "../servers/postgres.ts"
import { startProxy } from "../servers/proxy.ts"
import { claimOf, commitUnder, send, verify } from "./claim.ts"

// Milliseconds in which a busy machine answers, and for which a test waits where nobody does.
const patience = 1000

/** A database with a store, one handle that doesn't wait long, by way of a proxy, and another that does, past it. */
const setting = (options: Partial<Config>) =>
  Effect.gen(function*() {
    const { database } = yield* sharedPostgres
    const url = yield* database
    const proxy = yield* startProxy(Number(new URL(url).port))
    const witness = yield* make({ url })
    const handle = yield* make({ url: proxy.through(url), ...options })
    yield* handle.commit([commitUnder("first")])
    return { url, proxy, witness, handle }
  })

/** A session in which a statement has been run in a transaction that stays open; it ends with the scope. */
const holding = (url: string, statement: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      client.on("error", () => {}) // Its server may end first.
      await client.query("BEGIN")
      await client.query(statement)
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )

// What every writer holds until its commit is visible; see `lockSql`.
const lock = "SELECT pg_advisory_xact_lock(1885696627, 'persist.store'::regclass::oid::int)"

const others = "SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"

describe("a network that lets everything through", () => {
  it.live("keeps a connection whose statements were answered in time, longer than any of them might have taken", () =>
    Effect.gen(function*() {
      const { handle, url } = yield* setting({ timeout: patience })
      const connections = sql(
        url,
        `SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`
      )
      const before = yield* connections
      const begun = Date.now()
      for (let n = 0; Date.now() < begun + 1.5 * patience; n++) yield* handle.commit([commitUnder(`${n}`)])
      assert.isNotEmpty(before)
      assert.deepStrictEqual(yield* connections, before)
    }))
})

describe("a network that lets nothing through", () => {
  it.live(
    "and delivers a commit late: it doesn't happen any more once it was said that it never did",
    () =>
      Effect.gen(function*() {
        const { handle, proxy, url, witness } = yield* setting({ timeout: patience })
        const commit = commitUnder("late")
        yield* proxy.hold
        assert.strictEqual(claimOf(yield* send(handle, commit)), "unknown")
        assert.strictEqual((yield* witness.resolve("late"))._tag, "None")
        yield* proxy.passed
        yield* proxy.heal
        // The commit's last message has passed, and nobody is at it any more.
        while (!(yield* proxy.passed).includes(">S"));
        while ((yield* sql(url, others)).length > 0);
        assert.deepStrictEqual(yield* eventsOf(witness, "of late"), [])
        yield* verify("unknown", commit, handle, witness, "late")
      }),
    60_000
  )
})

describe("a server that is stopped where it is", () => {
  it.live("leaves the outcome unknown until it goes on, and keeps nobody from closing", () =>
    Effect.gen(function*() {
      const server = yield* startPostgres()
      const witness = yield* make({ url: server.url })
      const handle = yield* make({ url: server.url, timeout: patience, reconnectWithin: 0 })
      const commit = commitUnder("frozen")
      const scope = yield* Scope.make()
      yield* Scope.provide(make({ url: server.url, timeout: patience }), scope)
      yield* server.freeze
      assert.strictEqual(claimOf(yield* send(handle, commit)), "unknown")
      const second = yield* send(handle, commitUnder("second"))
      assert.strictEqual(claimOf(second), "refused", "nothing is sent where there is no connection")
      yield* Scope.close(scope, Exit.void)
      yield* server.thaw
      yield* verify("unknown", commit, handle, witness, "frozen")
      yield* verify("refused", commitUnder("second"), handle, witness, "second")
    }), 60_000)
})

describe("a lock that is held for too long", () => {
  it.live(
    "on the tables that a new connection looks at: nothing was sent, and that is what is said",
    () =>
      Effect.gen(function*() {
        const { handle, proxy, url, witness } = yield* setting({ timeout: patience, reconnectWithin: 0 })
        const commit = commitUnder("unsent")
        const claim = yield* Effect.scoped(Effect.gen(function*() {
          yield* holding(url, "LOCK TABLE persist.store")
          yield* proxy.cutAll()
          let answer = yield* send(handle, commit)
          // The connection may not have noticed yet that it was cut.
          if (claimOf(answer) === "unknown") answer = yield* send(handle, commit)
          return claimOf(answer)
        }))
        assert.strictEqual(claim, "refused")
        yield* verify(claim, commit, handle, witness, "unsent")
      }),
    60_000
  )

  it.live(
    "by a writer that stalls: others are refused, nothing happened, and readers go on",
    () =>
      Effect.gen(function*() {
        const { handle, url, witness } = yield* setting({ lockTimeout: 100 })
        const commit = commitUnder("waiting")
        const claim = yield* Effect.scoped(Effect.gen(function*() {
          yield* holding(url, lock)
          assert.strictEqual((yield* eventsOf(handle, "of first")).length, 1)
          const answer = yield* send(handle, commit)
          assert.include(String(answer._tag === "Failure" && answer.failure.message), "raise lockTimeout")
          return claimOf(answer)
        }))
        assert.strictEqual(claim, "refused")
        yield* verify(claim, commit, handle, witness, "waiting")
      }),
    60_000
  )

  it.live("for the server's statement_timeout: what is claimed is true", () =>
    Effect.gen(function*() {
      const { url, witness } = yield* setting({})
      yield* sql(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET statement_timeout = '150ms'`)
      const handle = yield* make({ url })
      const commit = commitUnder("timed out")
      const claim = yield* Effect.scoped(Effect.gen(function*() {
        yield* holding(url, lock)
        return claimOf(yield* send(handle, commit))
      }))
      assert.notStrictEqual(claim, "committed")
      yield* verify(claim, commit, handle, witness, "timed out")
    }), 60_000)
})

describe("too few connections", () => {
  it.live(
    "of the handle: a read that finds all of them busy is told so, and later ones go on",
    () =>
      Effect.gen(function*() {
        const { handle, proxy, url } = yield* setting({ readers: 1, timeout: patience, reconnectWithin: 0 })
        const read = eventsOf(handle, "of first")
        yield* read
        // That there was none for a while is over.
        yield* proxy.lead(1) // Where nobody listens.
        yield* proxy.cutAll()
        // One that was lost, perhaps, and none any more.
        yield* Effect.flip(read)
        assert.include((yield* Effect.flip(read)).message, "ECONNRESET")
        yield* proxy.lead(Number(new URL(url).port))
        yield* read
        yield* Effect.scoped(Effect.gen(function*() {
          yield* holding(url, "LOCK TABLE persist.event")
          const first = yield* Effect.forkChild(Effect.flip(read))
          // The second waits for the first one's connection, and gives up while that is being replaced.
          yield* sql(url, "SELECT")
          yield* proxy.delay(100)
          const second = yield* Effect.flip(read)
          assert.include(second.message, "raise readers")
          assert.strictEqual((yield* Fiber.join(first))._tag, "Unavailable")
        }))
        yield* proxy.delay(0)
        assert.strictEqual((yield* Effect.retry(read, { times: 5 })).length, 1)
        yield* proxy.delay(patience / 4)
        const many = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => Effect.result(handle.head), {
          concurrency: "unbounded"
        })
        assert.strictEqual(many[0]?._tag, "Success")
        for (const one of many) if (one._tag === "Failure") assert.include(one.failure.message, "raise readers")
        assert.strictEqual(many.at(-1)?._tag, "Failure")
      }),
    60_000
  )

  it.live("since the server is gone: nobody is told of busy ones", () =>
    Effect.gen(function*() {
      const told = Effect.fnUntraced(function*(reconnectWithin: number) {
        const { handle, proxy } = yield* setting({ readers: 1, timeout: patience, reconnectWithin })
        yield* handle.head
        yield* proxy.lead(1) // Where nobody listens.
        yield* proxy.cutAll()
        const errors = yield* Effect.forEach([1, 2, 3, 4], () => Effect.flip(handle.head), { concurrency: "unbounded" })
        return errors.map(({ message }) => message)
      })
      // Each of them tries for longer than half of what the next may wait; then for longer than all of it.
      for (const message of yield* told(0.6 * patience)) assert.include(message, "ECONNRESET")
      for (const message of yield* told(2 * patience)) assert.match(message, /ECONNRESET|no connection could be made/)
    }), 60_000)

  it.live("of the server: whoever has one goes on, whoever needs one is told the remedy", () =>
    Effect.gen(function*() {
      const server = yield* startPostgres({ max_connections: "6", superuser_reserved_connections: "0" })
      const { url } = server
      const handle = yield* make({ url, reconnectWithin: 50 })
      yield* Effect.scoped(Effect.gen(function*() {
        const refused = yield* Effect.exit(Effect.forever(holding(url, "SELECT")))
        assert.include(String(refused), "too many clients")
        assert.strictEqual(claimOf(yield* send(handle, commitUnder("first"))), "committed")
        for (
          const needy of [Effect.asVoid(eventsOf(handle, "of first")), Effect.scoped(Effect.asVoid(make({ url })))]
        ) {
          const error = yield* errorOf(needy)
          assert.strictEqual(error._tag, "Unavailable")
          assert.include(error.message, "raise max_connections")
        }
      }))
      assert.strictEqual((yield* eventsOf(handle, "of first")).length, 1)
    }), 60_000)
})
