/** How many events each stream has had, in a table beside the store, where the store's database may hold one. */
import { transactions as inPostgres } from "@persist/backend-postgres"
import { transactions as inSqlite } from "@persist/backend-sqlite"
import type { EventOf } from "@persist/core"
import { type Processor, type ProcessorDefinition, tables } from "@persist/runner"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { Pool } from "pg"
import { sql } from "../servers/postgres.ts"
import { Counted } from "./orders.ts"

/** A table of sums. */
export interface Sums {
  /** Makes it. */
  readonly create: Effect.Effect<unknown>
  /** The processor that keeps it. */
  readonly processor: (parts: Omit<ProcessorDefinition<typeof Counted>, "name" | "events">) => Processor
  /** How many events each stream has had. */
  readonly read: Effect.Effect<ReadonlyMap<string, number>>
}

const create = "CREATE TABLE sums (stream text PRIMARY KEY, count int NOT NULL)"
const read = "SELECT stream, count FROM sums"
// Each stream's events are 1, 2, 3…: one that comes twice, or before its turn, changes no row.
const add = (stream: string, n: string) =>
  `INSERT INTO sums (stream, count) SELECT ${stream}, ${n} WHERE ${n} = 1 OR EXISTS (SELECT 1 FROM sums
   WHERE stream = ${stream}) ON CONFLICT (stream) DO UPDATE SET count = excluded.count
   WHERE sums.count = excluded.count - 1`

type Counts = EventOf<typeof Counted>

const refused = ({ data, stream }: Counts) => Effect.fail(`${data.n} comes out of its turn in ${stream}`)

const postgres = (url: string): Sums => ({
  create: sql(url, create),
  processor: (parts) =>
    tables({
      ...parts,
      name: "summing",
      events: Counted,
      transact: inPostgres({ pool: new Pool({ connectionString: url }).on("error", () => {}) }),
      handle: (client, events) =>
        Effect.forEach(events, (event) =>
          Effect.flatMap(
            Effect.tryPromise(() => client.query(add("$1::text", "$2::int"), [event.stream, event.data.n])),
            ({ rowCount }) => rowCount === 1 ? Effect.void : refused(event)
          ), { discard: true })
    }),
  read: Effect.map(sql(url, read), (rows) => new Map(rows.map(({ count, stream }) => [String(stream), Number(count)])))
})

const sqlite = (path: string): Sums => {
  const by = <A>(use: (db: Database.Database) => A) =>
    Effect.sync(() => {
      const db = new Database(path)
      const result = use(db)
      db.close()
      return result
    })
  return {
    create: by((db) => db.exec(create)),
    processor: (parts) =>
      tables({
        ...parts,
        name: "summing",
        events: Counted,
        transact: inSqlite({ db: new Database(path) }),
        handle: (db, events) => {
          const statement = db.prepare(add("@stream", "@n"))
          const wrong = events.find(({ data, stream }) => statement.run({ stream, n: data.n }).changes !== 1)
          return wrong === undefined ? Effect.void : refused(wrong)
        }
      }),
    read: by((db) =>
      new Map(
        db.prepare<[], { stream: string; count: number }>(read).all().map((
          { count, stream }
        ) => [stream, count])
      )
    )
  }
}

/** The sums beside the store at a URL; none where nothing can lie beside it. */
export const sumsAt = (url: string): Sums | undefined => {
  if (url.startsWith("postgres")) return postgres(url)
  return url.startsWith("sqlite:") ? sqlite(url.slice("sqlite:".length)) : undefined
}
