/** A projection into a table for tests: how often each event was counted, which must be once. */
import { type Clients, runTables } from "@persist/backend-postgres"
import { Catalogue, type Fenced, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ClientBase } from "pg"
import { sql } from "../servers/postgres.ts"

/** The one event of the tests, with a number of its own. */
export const Counted = Catalogue.make({ Counted: Schema.Int })

/** Appends events with these numbers. */
export const count = (store: StoreShape, from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from + 1 }, (_, n) => from + n),
    (n) => store.log(Counted).append(`s${n % 3}`, { type: "Counted", data: n }, { expected: "any" })
  )

/** Makes the table of a store's schema: a number may come twice, so that twice would be seen. */
export const makeTally = (url: string, schema: string) =>
  sql(url, `CREATE TABLE ${schema}.tally (place serial, n int NOT NULL)`)

/** The numbers in the table, in the order in which they came. */
export const tallied = (url: string, schema: string) =>
  Effect.map(sql(url, `SELECT n FROM ${schema}.tally ORDER BY place`), (rows) => rows.map(({ n }) => n))

/** Writes a page of numbers. */
export const write = (client: ClientBase, schema: string, numbers: ReadonlyArray<number>) =>
  Effect.tryPromise(() => client.query(`INSERT INTO ${schema}.tally (n) SELECT * FROM unnest($1::int[])`, [numbers]))

/** Runs the projection, by small pages; `handle` is put around what it does with each. */
export const runTally = (
  store: StoreShape,
  schema: string,
  pool: Clients,
  around: <A, E>(work: Effect.Effect<A, E>, client: ClientBase, numbers: ReadonlyArray<number>) => Effect.Effect<
    unknown,
    unknown
  > = (work) => work
): Effect.Effect<Fenced, unknown> =>
  runTables(store, {
    name: "tally",
    events: Counted,
    pool,
    schema,
    batch: 3,
    handle: (client, events) => {
      const numbers = events.map(({ data }) => data)
      return around(write(client, schema, numbers), client, numbers)
    }
  })
