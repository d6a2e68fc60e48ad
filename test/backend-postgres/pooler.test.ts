/** PostgreSQL behind pgbouncer in transaction mode obeys the laws, and readers there hear of commits by looking. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { type Fixture, laws, run } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { startPgbouncer } from "../servers/pgbouncer.ts"
import { schemaIn, sharedPostgres } from "../servers/postgres.ts"

// Where transactions, sessions and what is remembered of them matter.
const families = new Set(["atomicity", "order", "optimism", "identity", "durability", "groups", "races", "changes"])

describe("a store behind pgbouncer in transaction mode", () => {
  it.live("obeys the laws, on three sessions that all clients share", (context) =>
    Effect.gen(function*() {
      const { url } = yield* sharedPostgres
      const pooled = yield* startPgbouncer(url, { context, sessions: 3 })
      const fixture: Fixture = {
        name: "postgres behind pgbouncer",
        place: Effect.map(schemaIn(url), (schema) => ({ open: make({ url: pooled, schema, pollInterval: 50 }) }))
      }
      const asked = laws.filter(({ family }) => families.has(family))
      const report = yield* run(fixture, asked)
      assert.deepStrictEqual(report.laws.filter(({ outcome }) => outcome._tag === "Failed"), [])
      assert.isAbove(report.passed, 80)
    }), 300_000)
})
