/**
 * PostgreSQL by hand: `pg` on one connection, named statements, one UNNEST insert a group, last seqs in memory. It's
 * right for one process that alone writes. The limit.
 */
import { Client } from "pg"
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { contending } from "./contend.ts"
import { grouped } from "./group.ts"
import { postgresPages, rawFeedSide } from "./raw-feed.ts"
import { byHand, byPromise, type KvSide, type LogSide, type OpenSide } from "./side.ts"
import { wholeSide } from "./whole.ts"

interface Append {
  readonly stream: string
  readonly orders: ReadonlyArray<Order>
  /** The last seq it takes the stream to have, or none. */
  readonly expected?: number
}

const schema = `
  CREATE TABLE IF NOT EXISTS raw (
    position bigint PRIMARY KEY, stream bigint NOT NULL, seq bigint NOT NULL, type text NOT NULL, at bigint NOT NULL,
    data text NOT NULL, UNIQUE (stream, seq)
  );
  CREATE TABLE IF NOT EXISTS raw_kv (key text COLLATE "C" PRIMARY KEY, value text NOT NULL, revision bigint NOT NULL)`

const insert = `INSERT INTO raw
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])`

type Row = readonly [number, number, number, string, number, string]

const appendsTo = (client: Client) => {
  const tails = new Map<string, { readonly id: number; last: number }>()
  let head = 0
  const tailOf = (stream: string) => {
    const tail = tails.get(stream) ?? { id: tails.size + 1, last: 0 }
    tails.set(stream, tail)
    return tail
  }
  const flush = async (appends: ReadonlyArray<Append>): Promise<ReadonlyArray<boolean>> => {
    const at = Date.now()
    const rows: Array<Row> = []
    const answers = appends.map(({ expected, orders, stream }) => {
      const tail = tailOf(stream)
      if (expected !== undefined && expected !== tail.last) return false
      for (const order of orders) rows.push([++head, tail.id, ++tail.last, placed, at, JSON.stringify(order)])
      return true
    })
    const values = [0, 1, 2, 3, 4, 5].map((column) => rows.map((row) => row[column]))
    if (rows.length > 0) await client.query({ name: "append", text: insert, values })
    return answers
  }
  return { append: grouped(flush), tails }
}

const logSide = (client: Client, listeners: Set<(order: Order) => void>): LogSide => {
  const { append: put, tails } = appendsTo(client)
  const append = async (one: Append) => {
    const answer = await put(one)
    for (const listener of listeners) one.orders.forEach(listener)
    return answer
  }
  const rows = async (name: string, text: string, values: Array<unknown>) =>
    (await client.query<{ readonly position: string; readonly data: string }>({ name, text, values })).rows
  return {
    append: byPromise(append),
    contend: contending((stream) => () => {
      const expected = tails.get(stream)?.last ?? 0
      return append({ stream, orders: [orderOf(expected)], expected })
    }),
    fold: byPromise(async ({ events, stream }) => {
      const state = nothing()
      const of = "SELECT position, seq, type, at, data FROM raw WHERE stream = $1 ORDER BY seq"
      for (const { data } of await rows("one", of, [tails.get(stream)?.id])) fold(state, JSON.parse(data))
      checkCount(state.events, events)
    }),
    readAll: async (events) => {
      const state = nothing()
      const of = "SELECT * FROM raw WHERE position > $1 ORDER BY position LIMIT 1000"
      let page = await rows("all", of, [0])
      while (page.length > 0) {
        for (const { data } of page) fold(state, JSON.parse(data))
        page = await rows("all", of, [page.at(-1)?.position])
      }
      checkCount(state.events, events)
    }
  }
}

interface Put {
  readonly key: string
  readonly value: Order
}

const kvSide = (client: Client): KvSide => {
  let revision = 0
  const text = `INSERT INTO raw_kv SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision`
  const put = grouped(async (puts: ReadonlyArray<Put>): Promise<ReadonlyArray<boolean>> => {
    // The last of those that put one key is what stays.
    const last = new Map(puts.map(({ key, value }) => [key, JSON.stringify(value)]))
    const values = [[...last.keys()], [...last.values()], Array.from(last, () => ++revision)]
    await client.query({ name: "put", text, values })
    return puts.map(() => true)
  })
  const get = async (key: string) => {
    const found = await client.query<{ readonly value: string; readonly revision: string }>({
      name: "get",
      text: "SELECT value, revision FROM raw_kv WHERE key = $1",
      values: [key]
    })
    return found.rows.map((row) => ({ value: JSON.parse(row.value), revision: row.revision }))[0]
  }
  return {
    get: byPromise(get),
    put: byPromise(put),
    cas: byPromise(async ({ key, value }) => {
      const found = await get(key)
      await client.query({
        name: "cas",
        text: "UPDATE raw_kv SET value = $2, revision = $3 WHERE key = $1 AND revision = $4",
        values: [key, JSON.stringify(value), ++revision, found?.revision]
      })
    }),
    scan: byPromise(async ({ from, limit }) => {
      const { rows } = await client.query<{ readonly value: string }>({
        name: "scan",
        text: "SELECT key, value, revision FROM raw_kv WHERE key >= $1 ORDER BY key LIMIT $2",
        values: [from, limit]
      })
      checkCount(rows.map(({ value }) => JSON.parse(value)).length, limit)
    })
  }
}

/** The bytes of a database's tables and their indexes. */
export const databaseBytes = async (url: string): Promise<number> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ readonly bytes: string }>(
    `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class
     WHERE relkind = 'r' AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`
  )
  await client.end()
  return Number(rows[0]?.bytes)
}

/** Opens a database by hand. */
export const openRawPostgres: OpenSide = async (place) => {
  const { url } = place
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(schema)
  const listeners = new Set<(order: Order) => void>()
  const { close, reopened } = wholeSide({
    store: "postgres",
    name: byHand.postgres,
    place,
    open: openRawPostgres,
    close: () => client.end()
  })
  return {
    ...logSide(client, listeners),
    ...rawFeedSide(await postgresPages(client), listeners),
    ...kvSide(client),
    bytes: () => databaseBytes(url),
    head: async () => {
      const { rows } = await client.query<{ readonly head: string }>("SELECT max(position) AS head FROM raw")
      return Number(rows[0]?.head)
    },
    // Last seqs are only in memory: what is opened again can be read, not appended to.
    ...reopened === undefined ? {} : { reopened },
    close
  }
}
