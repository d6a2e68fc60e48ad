/** Functions that others have made under the names of PostgreSQL's own are never called by the store. */
import { assert, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { laws, run } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { schemaIn, sharedPostgres, sql } from "../servers/postgres.ts"

// Those that take any array, here for just the types that a store's statements have: an exact match is preferred.
const hostile = ["bigint", "int", "text"].flatMap((type) =>
  [`cardinality(${type}[])`, `unnest(${type}[])`, `array_position(${type}[], ${type})`]
    .map((signature) =>
      `CREATE FUNCTION public.${signature} RETURNS int LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''somebody else''''s function was called''; END';`
    )
).join("\n")

const families = new Set(["atomicity", "identity", "keys", "truncation", "reading"])

it.live("a database with such functions in public keeps the laws", () =>
  Effect.gen(function*() {
    const url = yield* Effect.flatMap(sharedPostgres, ({ database }) => database)
    yield* sql(url, hostile)
    const place = Effect.map(schemaIn(url), (schema) => ({ open: make({ url, schema }) }))
    const report = yield* run(
      { name: "postgres among others' functions", place },
      laws.filter(({ family }) => families.has(family))
    )
    assert.deepStrictEqual(report.laws.filter(({ outcome }) => outcome._tag === "Failed"), [])
    assert.isAbove(report.passed, 50)
  }), 300_000)
