/** Opening: what a store says of itself, whom it lets in with which rights, and what is no place for one. */
import { assert, describe, it } from "@effect/vitest"
import { keepIncarnation, make, renewIncarnation } from "@persist/backend-postgres"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import { answersClosed } from "../backend-sqlite/closed.ts"
import { appendOf, contents, errorOf, eventsOf, putOf } from "../backend-sqlite/place.ts"
import { newName, onDatabase, schemaIn, sharedPostgres, sql } from "../servers/postgres.ts"
import { newPlace, newStore } from "./place.ts"

/** Opens a store and closes it again, after using it. */
const visit = (config: Parameters<typeof make>[0]) => Effect.scoped(Effect.map(make(config), ({ about }) => about))

/** A role with a password of its own, dropped with the scope; and the URL by which it connects. */
const newRole = (url: string, attributes = "") =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const name = newName()
      yield* sql(url, `CREATE ROLE ${name} LOGIN PASSWORD 'hunter2' ${attributes}`)
      const own = new URL(url)
      own.username = name
      own.password = "hunter2"
      return { name, url: own.href }
    }),
    ({ name }) => sql(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`)
  )

describe("what a store says of itself", () => {
  it.live("follows from what the server does before it acknowledges", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const { name, url: own } = yield* newRole(url, "SUPERUSER")
      const durability = Effect.map(visit({ url: own, schema }), (about) => about.durability)
      assert.strictEqual(yield* durability, "disk")
      for (const [setting, said] of [["off", "process"], ["local", "disk"], ["remote_apply", "disk"]] as const) {
        yield* sql(url, `ALTER ROLE ${name} SET synchronous_commit = '${setting}'`)
        assert.strictEqual(yield* durability, said)
      }
      const { ambiguous, lacks, name: kind, shared } = yield* visit({ url, schema })
      assert.deepStrictEqual({ ambiguous, lacks: [...lacks], kind, shared }, {
        ambiguous: true,
        lacks: [],
        kind: "postgres",
        shared: true
      })
    }))

  it.live("and its incarnation is its own, whoever opens it, until an operator says otherwise", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const other = yield* newPlace
      const incarnation = Effect.map(visit({ url, schema }), (about) => about.incarnation)
      const first = yield* incarnation
      assert.match(first, /^[0-9a-f-]{36}$/)
      assert.strictEqual(yield* incarnation, first)
      assert.notStrictEqual((yield* visit(other)).incarnation, first)
      assert.strictEqual(yield* keepIncarnation({ url, schema }), first)
      const second = yield* renewIncarnation({ url, schema })
      assert.notStrictEqual(second, first)
      assert.strictEqual(yield* incarnation, second)
    }))
})

describe("a schema", () => {
  it.live("may have any name, and is left alone beside others' tables", () =>
    Effect.gen(function*() {
      const { url } = yield* sharedPostgres
      const schema = `${yield* schemaIn(url)} "; --'\\ $function$ \u00e9`
      yield* sql(url, `CREATE SCHEMA "${schema.replaceAll("\"", "\"\"")}" CREATE TABLE theirs (x int)`)
      yield* Effect.scoped(Effect.flatMap(make({ url, schema }), (backend) => backend.commit([appendOf("s", "1")])))
      const backend = yield* make({ url, schema, readonly: true })
      assert.strictEqual((yield* eventsOf(backend, "s")).length, 1)
      yield* sql(url, `DROP SCHEMA "${schema.replaceAll("\"", "\"\"")}" CASCADE`)
    }))

  it.live("with tables of the same names that are no store is refused as it is", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      yield* sql(url, `CREATE SCHEMA ${schema} CREATE TABLE event (x int)`)
      for (const readonly of [false, true]) {
        const error = yield* errorOf(visit({ url, schema, readonly }))
        assert.deepInclude(error, { _tag: "Invalid", field: "schema" })
        assert.match(error.message, /tables of the same names that are no store/)
      }
      const tables = yield* sql(url, `SELECT FROM pg_tables WHERE schemaname = '${schema}'`)
      assert.strictEqual(tables.length, 1)
    }))

  it.live("without a store is refused to readers, and not made for them", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const error = yield* errorOf(visit({ url, schema, readonly: true }))
      assert.match(error.message, new RegExp(`^schema: there is no store in the schema ${schema}; correct the name`))
      assert.deepStrictEqual(yield* sql(url, `SELECT FROM pg_namespace WHERE nspname = '${schema}'`), [])
    }))

  it.live("of a newer format is refused, and its functions to those who opened it before", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([appendOf("s", "1")])
      yield* sql(url, `UPDATE ${schema}.store SET format = 7; DROP FUNCTION ${schema}.append_1, ${schema}.append_one_1`)
      for (const readonly of [false, true]) {
        const error = yield* errorOf(visit({ url, schema, readonly }))
        assert.strictEqual(error._tag, "Unsupported")
        assert.match(error.message, /format 7 of the schema, where this version knows 1 to 1, .*the newer version/)
      }
      assert.strictEqual((yield* errorOf(backend.commit([appendOf("s", "2")])))._tag, "Unsupported")
    }))

  it.live("that has lost its identity is damaged", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      yield* sql(url, `DELETE FROM ${schema}.store`)
      const error = yield* errorOf(visit({ url, schema }))
      assert.deepInclude(error, { _tag: "Corrupt", where: `table ${schema}.store` })
    }))
})

describe("a copy in another database", () => {
  it.live("is told from the store it was copied from, and becomes one of its own, or the same moved", () =>
    Effect.gen(function*() {
      const { database } = yield* sharedPostgres
      const url = yield* database
      const first = (yield* visit({ url })).incarnation
      const copy = onDatabase(url, newName())
      const name = new URL(copy).pathname.slice(1)
      yield* Effect.acquireRelease(
        sql(url.replace(/\/\w+$/, "/postgres"), `CREATE DATABASE ${name} TEMPLATE ${new URL(url).pathname.slice(1)}`),
        () => sql(url.replace(/\/\w+$/, "/postgres"), `DROP DATABASE ${name} WITH (FORCE)`)
      )
      for (const readonly of [false, true]) {
        const error = yield* errorOf(visit({ url: copy, readonly }))
        assert.strictEqual(error._tag, "Denied")
        assert.match(error.message, /was made in another database.*renewIncarnation.*keepIncarnation/)
      }
      const second = yield* renewIncarnation({ url: copy })
      assert.notStrictEqual(second, first)
      assert.strictEqual((yield* visit({ url: copy })).incarnation, second)
      assert.strictEqual((yield* visit({ url })).incarnation, first)
      // As after a dump of a store that was made in yet another database.
      yield* sql(copy, "UPDATE persist.store SET database = '1'")
      assert.strictEqual((yield* errorOf(visit({ url: copy })))._tag, "Denied")
      assert.strictEqual(yield* keepIncarnation({ url: copy }), second)
      assert.strictEqual((yield* visit({ url: copy })).incarnation, second)
    }))
})

describe("a role", () => {
  const runtime = (schema: string, role: string) => `
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};`

  it.live("that may neither create schemas nor tables needs only what running takes", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      const { name, url: own } = yield* newRole(url)
      yield* sql(url, runtime(schema, name))
      const poor = yield* make({ url: own, schema })
      yield* poor.commit([{ ...appendOf("s", "1"), write: [putOf("n", "k", "1")] }])
      yield* poor.commit([{ ...appendOf("t", "1"), truncate: [{ stream: "s", before: Seq(2) }] }])
      yield* poor.resolve("never")
      assert.deepStrictEqual(yield* contents(poor), yield* contents(backend))
      assert.strictEqual((yield* eventsOf(poor, "s")).length, 0)
    }))

  it.live("that only reads needs SELECT, and can't write", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([appendOf("s", "1")])
      const { name, url: own } = yield* newRole(url)
      yield* sql(
        url,
        `GRANT USAGE ON SCHEMA ${schema} TO ${name}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${name}`
      )
      const reader = yield* make({ url: own, schema, readonly: true })
      assert.deepStrictEqual(yield* contents(reader), yield* contents(backend))
      const refused = yield* errorOf(reader.commit([appendOf("s", "2")]))
      assert.match(refused.message, /^commit: the store was opened with readonly; open it without readonly/)
      const writer = yield* make({ url: own, schema })
      const denied = yield* errorOf(writer.commit([appendOf("s", "2")]))
      assert.strictEqual(denied._tag, "Denied")
      assert.include(
        denied.message,
        `${name} lacks a right (42501); grant it: GRANT USAGE ON SCHEMA "${schema}" TO "${name}"`
      )
    }))

  it.live("without the rights it takes is told which", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      const { name, url: own } = yield* newRole(url)
      const fresh = `${schema}_2`
      const creating = yield* errorOf(visit({ url: own, schema: fresh }))
      assert.strictEqual(creating._tag, "Denied")
      assert.match(creating.message, new RegExp(`${name} may not create one; .*GRANT CREATE ON DATABASE`))
      assert.deepStrictEqual(yield* sql(url, `SELECT FROM pg_namespace WHERE nspname = '${fresh}'`), [])
      const using = yield* errorOf(visit({ url: own, schema }))
      assert.strictEqual(using._tag, "Denied")
      assert.include(using.message, `GRANT USAGE ON SCHEMA "${schema}" TO "${name}"`)
    }))

  it.live("may create the tables in a schema that somebody made for it", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const { name, url: own } = yield* newRole(url)
      yield* sql(url, `CREATE SCHEMA ${schema} AUTHORIZATION ${name}`)
      const backend = yield* make({ url: own, schema })
      yield* backend.commit([appendOf("s", "1")])
      assert.strictEqual(yield* backend.head, 1)
    }))
})

describe("where no store can be reached", () => {
  it.live("the error says what to mend, and never the password", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const { name, url: own } = yield* newRole(url)
      const wrong = (change: (to: URL) => void) => {
        const to = new URL(own)
        change(to)
        return errorOf(visit({ url: to.href, schema }))
      }
      const cases = [
        [
          yield* wrong((to) => to.password = "hunter3"),
          "Denied",
          /refused the user \(28P01\); correct the user, the password/
        ],
        [yield* wrong((to) => to.username = "nobody"), "Denied", /refused the user/],
        [yield* wrong((to) => to.pathname = "/nowhere"), "Denied", /no database "nowhere" \(3D000\); create it/],
        [yield* wrong((to) => to.port = "1"), "Unavailable", /:1 can't be reached \(ECONNREFUSED\)/],
        [yield* wrong((to) => to.hostname = "nowhere.invalid"), "Unavailable", /nowhere.invalid:\d+ can't be reached/],
        [yield* wrong((to) => to.searchParams.set("sslmode", "verify-full")), "Unavailable", /can't be reached by TLS/]
      ] as const
      for (const [error, tag, message] of cases) {
        assert.strictEqual(error._tag, tag)
        assert.match(error.message, message)
        assert.notMatch(inspect(error, { depth: 9 }), /hunter/)
      }
      assert.match(name, /^test_/)
    }))

  it.live("nor on a database of another encoding, or for a role of another isolation", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newPlace
      const latin = newName()
      yield* Effect.acquireRelease(
        sql(url, `CREATE DATABASE ${latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`),
        () => sql(url, `DROP DATABASE ${latin} WITH (FORCE)`)
      )
      const encoding = yield* errorOf(visit({ url: onDatabase(url, latin), schema }))
      assert.strictEqual(encoding._tag, "Unsupported")
      assert.match(encoding.message, /the database's encoding LATIN1.*ENCODING 'UTF8'/)
      const { name, url: own } = yield* newRole(url, "SUPERUSER")
      yield* sql(url, `ALTER ROLE ${name} SET default_transaction_isolation = 'serializable'`)
      const isolation = yield* errorOf(visit({ url: own, schema }))
      assert.strictEqual(isolation._tag, "Unsupported")
      assert.match(isolation.message, /default isolation serializable.*ALTER ROLE/)
    }))
})

describe("a closed handle", () => {
  it.live("answers every verb with a typed error", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const backend = yield* Effect.scoped(make(place))
      yield* answersClosed(backend)
    }))
})
