/** The fewest rights that a role can do with at run time, and what it's told where one is missing. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { type Fixture, laws, run } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { appendOf, errorOf, eventsOf } from "../backend-sqlite/place.ts"
import { newName, schemaIn, sharedPostgres, sql } from "../servers/postgres.ts"
import { inSchema, statementsUnder } from "./page.ts"

/** A role that may log in and nothing else; gives its name and a URL that it logs in by. */
const newRole = Effect.gen(function*() {
  const { url } = yield* sharedPostgres
  const name = newName()
  const other = new URL(url)
  other.username = name
  other.password = "secret"
  yield* Effect.acquireRelease(
    sql(url, `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`),
    () => sql(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`)
  )
  return { name, url: other.href }
})

const [forWriters = "", forReaders = ""] = statementsUnder("Rights")

/** A schema with a store that its owner has made, and for a role the rights on it that docs/postgres.md tells of. */
const storeFor = Effect.fnUntraced(function*(role: string, grants: string) {
  const { url } = yield* sharedPostgres
  const schema = yield* schemaIn(url)
  yield* Effect.scoped(make({ url, schema }))
  yield* sql(url, inSchema(schema, grants).replaceAll(/\b(app|report)\b/g, role))
  return schema
})

const families = new Set(["atomicity", "identity", "keys", "truncation", "changes"])

describe("a role that may read and write the tables, and owns nothing", () => {
  it.live("needs no more for all that a store does", () =>
    Effect.gen(function*() {
      const { name, url } = yield* newRole
      const fixture: Fixture = {
        name: "postgres as a mere writer",
        place: Effect.map(
          storeFor(name, forWriters),
          (schema) => ({ open: make({ url, schema }) })
        )
      }
      const report = yield* run(fixture, laws.filter(({ family }) => families.has(family)))
      assert.deepStrictEqual(report.laws.filter(({ outcome }) => outcome._tag === "Failed"), [])
      assert.isAbove(report.passed, 50)
    }), 300_000)
})

describe("a role that may read the tables alone", () => {
  it.live("reads, and is told which right a commit lacks", () =>
    Effect.gen(function*() {
      const { name, url } = yield* newRole
      const schema = yield* storeFor(name, forReaders)
      const owner = yield* Effect.flatMap(sharedPostgres, (shared) => make({ url: shared.url, schema }))
      yield* owner.commit([appendOf("s", "1")])
      const reader = yield* make({ url, schema, readonly: true })
      assert.strictEqual((yield* eventsOf(reader, "s")).length, 1)
      const writer = yield* make({ url, schema })
      const error = yield* errorOf(writer.commit([appendOf("s", "2")]))
      assert.strictEqual(error._tag, "Denied")
      assert.include(error.message, "GRANT")
      assert.strictEqual((yield* eventsOf(reader, "s")).length, 1)
    }), 60_000)
})

describe("a role without rights", () => {
  it.live("is told which it lacks, where there is a store and where there is none", () =>
    Effect.gen(function*() {
      const { url } = yield* newRole
      const { url: owner } = yield* sharedPostgres
      const schema = yield* schemaIn(owner)
      const absent = yield* errorOf(Effect.scoped(make({ url, schema })))
      assert.strictEqual(absent._tag, "Denied")
      yield* Effect.scoped(make({ url: owner, schema }))
      const present = yield* errorOf(Effect.scoped(make({ url, schema })))
      assert.strictEqual(present._tag, "Denied")
      assert.notInclude(`${absent.message} ${present.message}`, "secret")
    }), 60_000)

  it.live("and a wrong password is refused without being repeated", () =>
    Effect.gen(function*() {
      const { url } = yield* newRole
      const wrong = new URL(url)
      wrong.password = "hush-hush"
      const error = yield* errorOf(Effect.scoped(make({ url: wrong.href })))
      assert.strictEqual(error._tag, "Denied")
      assert.include(error.message, "password")
      assert.notInclude(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`, "hush-hush")
    }), 60_000)
})
