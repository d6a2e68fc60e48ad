/** A store that an older version made: functions that it lacks or has otherwise are made by whoever may. */
import { assert, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { createFunction, edition } from "@persist/backend-postgres/plpgsql"
import { functionsOf } from "@persist/backend-postgres/schema"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
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

/** What the store's functions are, and who may call them. */
const functions = (url: string, schema: string) =>
  sql(
    url,
    `SELECT p.oid::regprocedure::text AS name, p.prosrc AS body, p.proacl::text AS rights,
      obj_description(p.oid, 'pg_proc') AS comment
    FROM pg_proc p WHERE p.pronamespace = '${schema}'::regnamespace ORDER BY 1`
  )

/** Makes `resolve_1` one that has another body, of the first edition or the one that is said. */
const spoil = (url: string, schema: string, said = "") =>
  sql(
    url,
    `CREATE OR REPLACE FUNCTION ${schema}.resolve_1(incarnation text, patience text, asked text, OUT known boolean)
    LANGUAGE plpgsql AS 'BEGIN RAISE ''spoilt''; END';
    COMMENT ON FUNCTION ${schema}.resolve_1 IS 'Spoilt.${said}'`
  )

it.live("bodies of a lower edition are replaced, and who may call them stays; those of a higher one are left", () =>
  Effect.gen(function*() {
    const { backend, schema, url } = yield* newStore
    yield* sql(url, `REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} FROM PUBLIC`)
    const all = yield* functions(url, schema)
    yield* spoil(url, schema)
    assert.notDeepEqual(yield* functions(url, schema), all)
    yield* Effect.all(Array.from({ length: 4 }, () => opened({ url, schema })), { concurrency: "unbounded" })
    assert.deepStrictEqual(yield* functions(url, schema), all)
    assert.isTrue(Option.isNone(yield* backend.resolve("nobody's")))
    yield* spoil(url, schema, ` Edition ${edition + 1}.`)
    const newer = yield* functions(url, schema)
    yield* opened({ url, schema })
    assert.deepStrictEqual(yield* functions(url, schema), newer)
  }))

it.live("one that takes other parameters is made anew", () =>
  Effect.gen(function*() {
    const { schema, url } = yield* newStore
    const all = yield* functions(url, schema)
    yield* sql(
      url,
      `DROP FUNCTION ${schema}.append_each_1;
      CREATE FUNCTION ${schema}.append_each_1(patience text, OUT state int) LANGUAGE sql AS 'SELECT 0'`
    )
    yield* opened({ url, schema })
    assert.deepStrictEqual(yield* functions(url, schema), all)
  }))

it("the bodies are those of their edition: raise it with them, or stores that are there keep the old ones", () => {
  const made = functionsOf("persist").map((one) => createFunction("persist", one)).join("")
  assert.deepStrictEqual([edition, createHash("sha256").update(made).digest("hex").slice(0, 16)], [
    2,
    "3d40721d4f499a10"
  ])
})

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
    // Bodies of a lower edition do the same, and are left as they are, whether the role may make others or not.
    yield* spoil(url, schema)
    for (const rights of ["", `GRANT CREATE ON SCHEMA ${schema} TO ${role}`]) {
      if (rights !== "") yield* sql(url, rights)
      const before = yield* functions(url, schema)
      yield* opened({ url: own.href, schema })
      assert.deepStrictEqual(yield* functions(url, schema), before)
    }
    yield* sql(
      url,
      `ALTER FUNCTION ${schema}.resolve_1 OWNER TO ${role}; REVOKE CREATE ON SCHEMA ${schema} FROM ${role}`
    )
    yield* opened({ url: own.href, schema })
    assert.include(JSON.stringify(yield* functions(url, schema)), "spoilt")
  }))
