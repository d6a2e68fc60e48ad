/** A store that an older version made: the functions that it lacks are added by whoever opens it and may. */
import { assert, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { functionsOf } from "@persist/backend-postgres/schema"
import * as Effect from "effect/Effect"
import { appendOf, errorOf, eventsOf } from "../backend-sqlite/place.ts"
import { newName, sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"

const opened = (config: Parameters<typeof make>[0]) => Effect.scoped(Effect.asVoid(make(config)))

const signatures = (url: string, schema: string) =>
  Effect.map(
    sql(
      url,
      `SELECT p.oid::regprocedure::text AS name FROM pg_proc p
      WHERE p.pronamespace = '${schema}'::regnamespace ORDER BY 1`
    ),
    (rows) => rows.map(({ name }) => String(name))
  )

it.live("functions that are missing are made once, by many who open at once", () =>
  Effect.gen(function*() {
    const { backend, schema, url } = yield* newStore
    yield* backend.commit([appendOf("s", "1")])
    const all = yield* signatures(url, schema)
    assert.lengthOf(all, functionsOf(schema).length)
    for (const gone of [["append_one_1", "append_each_1"], functionsOf(schema).map(({ name }) => name)]) {
      yield* sql(url, gone.map((name) => `DROP FUNCTION ${schema}.${name}`).join(";"))
      yield* opened({ url, schema, readonly: true })
      assert.lengthOf(yield* signatures(url, schema), all.length - gone.length)
      yield* Effect.all(Array.from({ length: 4 }, () => opened({ url, schema })), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* signatures(url, schema), all)
    }
    yield* backend.commit([appendOf("s", "2")])
    assert.lengthOf(yield* eventsOf(backend, "s"), 2)
  }))

it.live("whoever may not make them is told which are missing, and what to do", () =>
  Effect.gen(function*() {
    const { schema, url } = yield* newStore
    const role = newName()
    yield* Effect.acquireRelease(
      sql(
        url,
        `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA ${schema} TO ${role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        DROP FUNCTION ${schema}.append_one_1; DROP FUNCTION ${schema}.append_each_1`
      ),
      () => sql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
    )
    const own = new URL(url)
    own.username = role
    own.password = "secret"
    const error = yield* errorOf(opened({ url: own.href, schema }))
    assert.strictEqual(error._tag, "Denied")
    assert.match(
      error.message,
      new RegExp(`lacks append_one_1 and append_each_1, .*${role} may not create functions.*as the schema's owner`)
    )
    yield* opened({ url, schema })
    yield* opened({ url: own.href, schema })
  }))
