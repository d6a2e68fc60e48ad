/** A store within the application's own transaction: what is committed to it happens with that transaction, or not. */
import { assert, describe, it } from "@effect/vitest"
import { make, within } from "@persist/backend-postgres"
import { agreesWithModel, type Fixture } from "@persist/conformance"
import { type BackendShape, makeStore, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { appendOf, commitOf, contents, errorOf, eventsOf, everything, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { ask, newClient, newPlace, newStore } from "./place.ts"

/** A store with a table of the application's beside it, and a transaction open on a client. */
const begun = Effect.gen(function*() {
  const { backend, schema, url } = yield* newStore
  yield* sql(url, `CREATE TABLE ${schema}.orders (id int PRIMARY KEY)`)
  const client = yield* newClient(url)
  yield* ask(client, "BEGIN")
  const inner = yield* within(client, { schema })
  const orders = Effect.map(sql(url, `SELECT id FROM ${schema}.orders`), (rows) => rows.map(({ id }) => id))
  return { backend, schema, url, client, inner, orders }
})

const dataOf = (backend: BackendShape, stream: string) =>
  Effect.map(eventsOf(backend, stream), (events) => events.map(({ data }) => data))

const expecting = (stream: string, expected: number) =>
  commitOf({ ...appendOf(stream, "1"), expect: [{ _tag: "Stream", stream, expected: Seq(expected) }] })

describe("what is committed within a transaction", () => {
  it.live("happens with it, at once for all others, who hear of it", () =>
    Effect.gen(function*() {
      const { backend, client, inner, orders, schema } = yield* begun
      const pull = yield* Stream.toPull(backend.changes)
      const woken = Pull.catchDone(pull, () => Effect.die("ended"))
      yield* woken
      const before = yield* contents(backend)
      yield* ask(client, `INSERT INTO ${schema}.orders VALUES (7)`)
      const [first, second] = yield* inner.commit([
        appendOf("s", "1", "2"),
        commitOf({ write: [putOf("n", "k", "3")], truncate: [{ stream: "s", before: Seq(2) }] })
      ])
      assert.deepStrictEqual([first._tag, second?._tag], ["Committed", "Committed"])
      assert.deepStrictEqual(yield* dataOf(inner, "s"), ["2"])
      assert.deepStrictEqual([yield* contents(backend), yield* orders], [before, []])
      const seen = yield* contents(inner)
      yield* ask(client, "COMMIT")
      while ((yield* backend.head) < 4) yield* woken
      assert.deepStrictEqual([yield* contents(backend), yield* orders], [seen, [7]])
    }))

  it.live("doesn't happen where it's rolled back, and what others commit then takes its place", () =>
    Effect.gen(function*() {
      const { backend, client, inner, orders, schema } = yield* begun
      yield* ask(client, `INSERT INTO ${schema}.orders VALUES (7)`)
      yield* inner.commit([appendOf("rolled back", "1"), appendOf("both", "1")])
      yield* ask(client, "ROLLBACK")
      yield* backend.commit([appendOf("others'", "1"), appendOf("both", "2")])
      assert.deepStrictEqual(yield* orders, [])
      // The same ids and positions mean something else now.
      yield* ask(client, "BEGIN")
      const again = yield* within(client, { schema })
      yield* again.commit([expecting("both", 1), appendOf("rolled back", "3")])
      yield* ask(client, "COMMIT")
      const all = yield* backend.readAll(everything)
      assert.deepStrictEqual(
        all.items.map(({ data, position, seq, stream }) => [Number(position), stream, Number(seq), data]),
        [
          [1, "others'", 1, "1"],
          [2, "both", 1, "2"],
          [3, "both", 2, "1"],
          [4, "rolled back", 1, "3"]
        ]
      )
    }))

  it.live("goes back to a savepoint with everything else", () =>
    Effect.gen(function*() {
      const { backend, client, inner } = yield* begun
      yield* inner.commit([appendOf("s", "1")])
      yield* ask(client, "SAVEPOINT here")
      yield* inner.commit([appendOf("s", "2"), appendOf("t", "2")])
      assert.strictEqual(yield* inner.head, 3)
      yield* ask(client, "ROLLBACK TO here")
      assert.strictEqual(yield* inner.head, 1)
      const [outcome] = yield* inner.commit([expecting("s", 1)])
      assert.strictEqual(outcome._tag, "Committed")
      yield* ask(client, "COMMIT")
      assert.deepStrictEqual([yield* dataOf(backend, "s"), yield* dataOf(backend, "t")], [["1", "1"], []])
    }))

  it.live("takes no stream for another that has its place since a savepoint", () =>
    Effect.gen(function*() {
      const { backend, client, inner, schema } = yield* begun
      yield* ask(client, "SAVEPOINT here")
      yield* inner.commit([appendOf("s", "1")])
      yield* ask(client, "ROLLBACK TO here")
      yield* (yield* within(client, { schema })).commit([appendOf("t", "2")])
      yield* inner.commit([appendOf("s", "3")])
      yield* ask(client, "COMMIT")
      assert.deepStrictEqual([yield* dataOf(backend, "s"), yield* dataOf(backend, "t")], [["3"], ["2"]])
    }))

  it.live("conflicts as a value, which leaves the transaction usable", () =>
    Effect.gen(function*() {
      const { backend, client, inner, orders, schema } = yield* begun
      const [happens, conflicts] = yield* inner.commit([expecting("s", 0), expecting("s", 0)])
      assert.deepStrictEqual([happens._tag, conflicts?._tag], ["Committed", "Conflict"])
      const [later] = yield* inner.commit([expecting("s", 5)])
      assert.deepInclude(later, { _tag: "Conflict", actual: 1 })
      yield* ask(client, `INSERT INTO ${schema}.orders VALUES (7)`)
      yield* ask(client, "COMMIT")
      assert.deepStrictEqual([yield* dataOf(backend, "s"), yield* orders], [["1"], [7]])
    }))

  it.live("is found by its id, and happens once under it; what isn't there can't be vouched for", () =>
    Effect.gen(function*() {
      const { backend, client, inner, schema } = yield* begun
      const commit = { ...appendOf("s", "1"), identity: { id: "mine", digest: "d" } }
      const [first] = yield* inner.commit([commit])
      assert.deepStrictEqual(yield* inner.resolve("mine"), Option.some(first))
      assert.deepInclude(yield* errorOf(inner.resolve("another")), { _tag: "Unavailable", operation: "resolve" })
      yield* ask(client, "COMMIT")
      yield* ask(client, "BEGIN")
      const [again] = yield* (yield* within(client, { schema })).commit([commit])
      yield* ask(client, "COMMIT")
      assert.deepStrictEqual<object>(again, { ...first, repeated: true })
      assert.deepStrictEqual(yield* backend.resolve("mine"), Option.some(first))
    }))

  it.live("makes other writers wait until the end, and none of them is lost", () =>
    Effect.gen(function*() {
      const { backend, client, inner, schema, url } = yield* begun
      yield* inner.commit([appendOf("s", "1")])
      const waiting = yield* Effect.forkChild(backend.commit([expecting("s", 1)]), { startImmediately: true })
      const blocked = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND objid = '${schema}.store'::regclass`
      while ((yield* sql(url, blocked)).length === 0);
      yield* ask(client, "COMMIT")
      const [outcome] = yield* Fiber.join(waiting)
      assert.deepInclude<object>(outcome, { _tag: "Committed", position: 2 })
    }))

  it.effect("is what a store made of it commits, for those who have no business with backends", () =>
    Effect.gen(function*() {
      const { backend, client, inner } = yield* begun
      const store = yield* makeStore(inner)
      const committed = yield* store.commit([
        store.log().ops.append("s", { type: "Paid", data: 7 }, { expected: 0 }),
        store.kv("orders").ops.put("7", { paid: true })
      ])
      assert.strictEqual(committed._tag, "Committed")
      yield* ask(client, "COMMIT")
      const other = yield* makeStore(backend)
      assert.deepStrictEqual(yield* other.kv("orders").get("7"), Option.some({ paid: true }))
    }))
})

describe("where there can't be a store within", () => {
  it.live("no transaction, or one that has failed", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      const client = yield* newClient(url)
      assert.deepInclude(yield* errorOf(within(client, { schema })), { _tag: "Invalid", field: "client" })
      yield* ask(client, "BEGIN")
      yield* Effect.ignoreCause(ask(client, "SELECT 1 / 0"))
      assert.deepInclude(yield* errorOf(within(client, { schema })), {
        _tag: "Unavailable",
        reason: "the transaction has failed before"
      })
    }))

  it.live("a client of a driver that doesn't tell of its transactions", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      const client = yield* newClient(url)
      Reflect.set(client, "getTransactionStatus", undefined)
      const error = yield* errorOf(within(client, { schema }))
      assert.deepInclude(error, { _tag: "Invalid", field: "client" })
      assert.match(error.message, /can't tell .*; update the application's pg/)
    }))

  it.live("a transaction that doesn't see what others commit meanwhile", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      const client = yield* newClient(url)
      for (const isolation of ["REPEATABLE READ", "SERIALIZABLE"]) {
        yield* ask(client, `BEGIN ISOLATION LEVEL ${isolation}`)
        const error = yield* errorOf(within(client, { schema }))
        assert.strictEqual(error._tag, "Unsupported")
        assert.match(error.message, new RegExp(`isolation ${isolation.toLowerCase()}.*read committed`))
        yield* ask(client, "ROLLBACK")
      }
    }))

  it.live("no store, or an option that there isn't", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const client = yield* newClient(url)
      yield* ask(client, "BEGIN")
      assert.deepInclude(yield* errorOf(within(client, { schema })), { _tag: "Invalid", field: "schema" })
      // What a caller without types may pass.
      const config: object = { readonly: true }
      assert.deepInclude(yield* errorOf(within(client, config)), { _tag: "Invalid", field: "readonly" })
      assert.deepInclude(yield* errorOf(within(client, { schema: "" })), { _tag: "Invalid", field: "schema" })
    }))

  it.live("a transaction that has ended, or that has failed in a commit", () =>
    Effect.gen(function*() {
      const { client, inner, schema, url } = yield* begun
      const holder = yield* newClient(url)
      yield* ask(holder, "BEGIN")
      yield* (yield* within(holder, { schema })).commit([appendOf("s", "1")])
      yield* ask(client, "SET LOCAL lock_timeout = 1")
      const held = yield* errorOf(inner.commit([appendOf("s", "2")]))
      assert.deepInclude(held, { _tag: "Unavailable", operation: "commit" })
      assert.match(held.message, /another writer held .*lockTimeout/)
      assert.match((yield* errorOf(inner.head)).message, /has failed before; begin another/)
      yield* ask(client, "ROLLBACK")
      assert.match((yield* errorOf(inner.commit([appendOf("s", "2")]))).message, /has ended; begin another/)
      yield* ask(holder, "COMMIT")
    }))
})

it.live("random commands are answered within a transaction as by the model", () =>
  Effect.gen(function*() {
    const { url } = yield* newPlace
    const fixture: Fixture = {
      name: "within",
      place: Effect.map(newPlace, ({ schema }) => ({
        open: Effect.gen(function*() {
          yield* Effect.scoped(make({ url, schema }))
          const client = yield* newClient(url)
          yield* ask(client, "BEGIN")
          const inner = yield* within(client, { schema })
          // Nobody else sees it, it ends with the transaction, and it doesn't say that something never happened.
          const about = {
            ...inner.about,
            durability: "memory" as const,
            shared: false,
            lacks: new Set(["resolve" as const])
          }
          return { ...inner, about }
        })
      }))
    }
    yield* agreesWithModel(fixture, { runs: 10 })
  }), 60_000)
