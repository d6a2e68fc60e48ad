/** A projection into a table for tests: how often each event was counted, which must be once. */
import { type Clients, transactions } from "@persist/backend-postgres"
import { Catalogue, type StoreShape } from "@persist/core"
import { type FailurePolicy, type Processor, tables } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type ClientBase, Pool } from "pg"
import { until } from "../runner/until.ts"
import { sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"

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
  Effect.map(sql(url, `SELECT n FROM ${schema}.tally ORDER BY place`), (rows) => rows.map(({ n }) => Number(n)))

/** Writes a page of numbers. */
export const write = (client: ClientBase, schema: string, numbers: ReadonlyArray<number>) =>
  Effect.tryPromise(() => client.query(`INSERT INTO ${schema}.tally (n) SELECT * FROM unnest($1::int[])`, [numbers]))

/** What is put around the writing of some numbers. */
export type Around = (
  work: Effect.Effect<unknown, unknown>,
  client: ClientBase,
  numbers: ReadonlyArray<number>
) => Effect.Effect<unknown, unknown>

/** How a tally differs from the simplest one. */
export interface TallyOptions {
  readonly around?: Around
  readonly partitions?: number
  readonly failure?: FailurePolicy
}

/** The projection: each event's number in a row of its own. */
export const tally = (
  pool: Clients,
  schema: string,
  { around = (work) => work, ...options }: TallyOptions = {}
): Processor =>
  tables({
    name: "tally",
    events: Counted,
    key: ({ data }) => String(data),
    transact: transactions({ pool, schema }),
    failure: { retries: 0 },
    ...options,
    handle: (client, events) => {
      const numbers = events.map(({ data }) => data)
      return around(write(client, schema, numbers), client, numbers)
    }
  })

/** A pool that ends with the scope. */
export const newPool = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Pool({ connectionString: url, max: 4 }).on("error", () => {})),
    (pool) => Effect.promise(() => pool.end())
  )

/** From 1 to another number. */
export const numbers = (to: number) => Array.from({ length: to }, (_, n) => n + 1)

/** By size. */
export const sorted = (all: ReadonlyArray<number>) => all.toSorted((a, b) => a - b)

/** A store with a table, and a pool for it. */
export const begun = Effect.gen(function*() {
  const { schema, store, url } = yield* newStore
  yield* makeTally(url, schema)
  return { schema, store, url, pool: yield* newPool(url) }
})

/** Waits until the table holds so many numbers, and gives them. */
export const reach = (url: string, schema: string, many: number) =>
  until(tallied(url, schema), ({ length }) => length >= many)
