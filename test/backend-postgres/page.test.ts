/** What the pages about PostgreSQL have in SQL for those who run a database: each statement does what the page says. */
import { assert, describe, it } from "@effect/vitest"
import { createViews, make, within } from "@persist/backend-postgres"
import { type Fixture, laws, run } from "@persist/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { appendOf } from "../backend-sqlite/place.ts"
import { newName, schemaIn, sharedPostgres, sql } from "../servers/postgres.ts"
import { allStatements, inSchema, statementsUnder } from "./page.ts"
import { newClient } from "./place.ts"

/** A database with a store in the schema that the page speaks of, which has a commit. */
const begun = Effect.gen(function*() {
  const { database } = yield* sharedPostgres
  const url = yield* database
  const backend = yield* make({ url })
  yield* backend.commit([{ ...appendOf("s", "{\"cents\":500}"), identity: { id: "own", digest: "d" } }])
  return { backend, url }
})

describe("the page's statements", () => {
  it.live("all run", () =>
    Effect.gen(function*() {
      const { backend, url } = yield* begun
      const role = newName()
      yield* Effect.acquireRelease(
        sql(url, `CREATE ROLE ${role}`),
        () => sql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
      )
      const [view] = yield* createViews({ url })
      yield* sql(url, `ALTER VIEW persist_events.${view?.name} RENAME TO order_paid`)
      assert.isAbove(allStatements.length, 8)
      for (const statement of allStatements) yield* sql(url, statement.replaceAll(/\b(app|report)\b/g, role))
      yield* backend.commit([appendOf("s", "1")])
    }), 60_000)

  it.live(
    "show the sessions, who holds the lock and who waits, and how large the tables are",
    () =>
      Effect.gen(function*() {
        const { backend, url } = yield* begun
        const [sessions = "", locks = "", sizes = ""] = statementsUnder("What an operator looks at")
        const client = yield* newClient(`${url}?application_name=shop`)
        yield* Effect.promise(() => client.query("BEGIN"))
        yield* (yield* within(client)).commit([appendOf("s", "2")])
        const waiting = yield* Effect.forkChild(backend.commit([appendOf("s", "3")]), { startImmediately: true })
        let found = yield* sql(url, locks)
        while (found.length < 2) found = yield* sql(url, locks)
        assert.deepStrictEqual(
          found.map(({ application_name, granted, state }) => [application_name, granted, state]),
          [
            ["shop", true, "idle in transaction"],
            ["persist", false, "active"]
          ]
        )
        const [writer] = yield* sql(url, sessions)
        assert.match(String(writer?.query), /append_1/)
        yield* Effect.promise(() => client.query("COMMIT"))
        yield* Fiber.join(waiting)
        const tables = (yield* sql(url, sizes)).map(({ relname }) => relname)
        assert.sameMembers(tables, [
          "entry",
          "event",
          "head",
          "namespace",
          "recorded",
          "store",
          "stream",
          "type",
          "voided"
        ])
      }),
    60_000
  )

  it.live("delete the records of old commits, and of no others", () =>
    Effect.gen(function*() {
      const { url } = yield* begun
      const idAt = (days: number) => {
        const time = (Date.now() - days * 86_400_000).toString(16).padStart(12, "0")
        return `${time.slice(0, 8)}-${time.slice(8)}-7abc-8123-456789abcdef`
      }
      const [old, recent] = [idAt(31), idAt(29)]
      yield* sql(
        url,
        "INSERT INTO persist.recorded (id, digest, start, position) SELECT id, '', 0, 0 FROM unnest($1::text[]) AS id",
        [[old, recent, "00000000 of our own"]]
      )
      const [, deleting = ""] = statementsUnder("Size")
      yield* sql(url, deleting)
      const left = yield* sql(url, "SELECT id FROM persist.recorded")
      assert.sameMembers(left.map(({ id }) => id), ["own", recent, "00000000 of our own"])
    }), 60_000)
})

// Where the table of events matters.
const families = new Set(["order", "optimism", "truncation"])

it.live("a table of events that was partitioned as the page says obeys the laws", () =>
  Effect.gen(function*() {
    const { url } = yield* sharedPostgres
    const partition = statementsUnder("Size").at(-1) ?? ""
    assert.include(partition, "PARTITION BY RANGE")
    const fixture: Fixture = {
      name: "postgres, partitioned",
      place: Effect.gen(function*() {
        const schema = yield* schemaIn(url)
        yield* Effect.scoped(make({ url, schema }))
        // So small that every law meets several.
        const small = partition.replaceAll("200000000", "20").replaceAll("100000000", "3")
        yield* sql(url, inSchema(schema, small))
        return { open: make({ url, schema }) }
      })
    }
    const report = yield* run(fixture, laws.filter(({ family }) => families.has(family)))
    assert.deepStrictEqual(report.laws.filter(({ outcome }) => outcome._tag === "Failed"), [])
    assert.isAbove(report.passed, 20)
  }), 120_000)
