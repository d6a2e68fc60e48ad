/** Following a log by hand: pages, a place that is kept, a read model in one table; pushes within the process. */
import type Database from "better-sqlite3"
import type { Client } from "pg"
import { checkCount, fold, type Folded, groupOf, nothing, type Order } from "../payload.ts"
import type { FeedSide, LogSide } from "./side.ts"

/** One event as a page has it. */
export interface Read {
  readonly position: number
  readonly data: string
}

/** What a feed by hand needs of its store. */
export interface Pages {
  readonly page: (after: number) => Promise<ReadonlyArray<Read>> | ReadonlyArray<Read>
  /** Keeps the place of a reader, with the states that its page has changed, at once. */
  readonly save: (position: number, states: ReadonlyMap<string, Folded>) => Promise<void> | void
}

const none: ReadonlyMap<string, Folded> = new Map()

/** Reads by pages, and the feeds over them; `listeners` are told of every order that is durable. */
export const rawFeedSide = (
  { page, save }: Pages,
  listeners: Set<(order: Order) => void>
): FeedSide & Pick<Required<LogSide>, "readAll"> => {
  const walk = async (use: (order: Order) => void, after: (position: number) => Promise<void> | void) => {
    let rows = await page(0)
    let seen = 0
    while (rows.length > 0) {
      for (const { data } of rows) use(JSON.parse(data))
      seen += rows.length
      const position = Number(rows.at(-1)?.position)
      await after(position)
      rows = await page(position)
    }
    return seen
  }
  return {
    readAll: async (events) => {
      const state = nothing()
      await walk((order) => void fold(state, order), () => undefined)
      checkCount(state.events, events)
    },
    catchUp: async (events) => checkCount(await walk(() => undefined, (position) => save(position, none)), events),
    rebuild: async (events) => {
      const states = new Map<string, Folded>()
      const use = (order: Order) => {
        const key = groupOf(order)
        states.set(key, fold(states.get(key) ?? nothing(), order))
      }
      await walk(use, (position) => save(position, states))
      checkCount([...states.values()].reduce((sum, state) => sum + state.events, 0), events)
    },
    follow: async (handle) => {
      listeners.add(handle)
      return async () => void listeners.delete(handle)
    }
  }
}

/** Pages of SQLite, and a place kept beside the read model. */
export const sqlitePages = (db: Database.Database): Pages => {
  db.exec("CREATE TABLE IF NOT EXISTS model (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
  const rows = db.prepare<[number], Read>(
    "SELECT position, stream, seq, type, at, data FROM event WHERE position > ? ORDER BY position LIMIT 1000"
  )
  const put = db.prepare<[string, string]>("INSERT OR REPLACE INTO model VALUES (?, ?)")
  return {
    page: (after) => rows.all(after),
    save: db.transaction((position: number, states: ReadonlyMap<string, Folded>) => {
      for (const [key, state] of states) put.run(key, JSON.stringify(state))
      put.run("$position", String(position))
    })
  }
}

/** Pages of PostgreSQL, and a place kept beside the read model. */
export const postgresPages = async (client: Client): Promise<Pages> => {
  await client.query("CREATE TABLE IF NOT EXISTS model (key text PRIMARY KEY, value text NOT NULL)")
  return {
    page: async (after) =>
      (await client.query<Read>({
        name: "page",
        text: "SELECT * FROM raw WHERE position > $1 ORDER BY position LIMIT 1000",
        values: [after]
      })).rows,
    save: async (position, states) => {
      const pairs = [...states].map(([key, state]) => [key, JSON.stringify(state)])
      pairs.push(["$position", String(position)])
      await client.query({
        name: "save",
        text: `INSERT INTO model SELECT * FROM unnest($1::text[], $2::text[])
          ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        values: [pairs.map(([key]) => key), pairs.map(([, value]) => value)]
      })
    }
  }
}
