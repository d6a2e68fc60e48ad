/**
 * PostgreSQL by hand: `pg` on one connection, named statements, one insert a group, the streams it has appended to in
 * memory. It's right for one process that alone writes.
 */
import { Client } from "pg"
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { int8s, texts } from "./binary-arrays.ts"
import { afterLastSeq, contending } from "./contend.ts"
import { grouped } from "./group.ts"
import { postgresPages, rawFeedSide } from "./raw-feed.ts"
import { rawPostgresKv } from "./raw-postgres-kv.ts"
import { byHand, byPromise, type Expecting, type LogSide, type OpenSide } from "./side.ts"
import { wholeSide } from "./whole.ts"

const schema = `
  CREATE TABLE IF NOT EXISTS raw_stream (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS raw (
    position bigint PRIMARY KEY, stream bigint NOT NULL, seq bigint NOT NULL, type text NOT NULL, at bigint NOT NULL,
    data text NOT NULL, UNIQUE (stream, seq)
  );
  CREATE TABLE IF NOT EXISTS raw_kv (key text COLLATE "C" PRIMARY KEY, value text NOT NULL, revision bigint NOT NULL)`

const insertOne = "INSERT INTO raw VALUES ($1::bigint + 1, $2, $3, $4, $5, $6)"

const insertMany = `INSERT INTO raw SELECT $1::bigint + n, stream, seq, $4, $5, data
  FROM unnest($2::bigint[], $3::bigint[], $6::text[]) WITH ORDINALITY AS event (stream, seq, data, n)`

const insertNaming =
  `WITH named AS (INSERT INTO raw_stream SELECT * FROM unnest($7::bigint[], $8::text[])) ${insertMany}`

interface Tail {
  readonly id: number
  last: number
}

const tailsSql = `SELECT id, name, (SELECT max(seq) FROM raw WHERE stream = id) AS last
  FROM raw_stream WHERE name = ANY ($1)`

/** The tails of streams: those from before are looked up when they're first named. */
const tailsOf = async (client: Client) => {
  const made = await client.query<{ readonly last: string | null }>("SELECT max(id) AS last FROM raw_stream")
  const before = Number(made.rows[0]?.last ?? 0)
  const tails = new Map<string, Tail>()
  let newest = before
  const lookUp = async (names: ReadonlyArray<string>) => {
    const { rows } = await client.query<{ readonly id: string; readonly name: string; readonly last: string }>({
      name: "tails",
      text: tailsSql,
      values: [texts(names)]
    })
    for (const { id, last, name } of rows) tails.set(name, { id: Number(id), last: Number(last) })
  }
  return {
    tails,
    /** Looks up those that it doesn't know and that may be there. */
    find: (names: ReadonlyArray<string>) => {
      const unknown = before === 0 ? [] : names.filter((name) => !tails.has(name))
      return unknown.length === 0 ? undefined : lookUp(unknown)
    },
    add: (name: string): Tail => {
      const tail = { id: ++newest, last: 0 }
      tails.set(name, tail)
      return tail
    }
  }
}

const appendsTo = async (client: Client) => {
  const { add, find, tails } = await tailsOf(client)
  const last = await client.query<{ readonly head: string | null }>("SELECT max(position) AS head FROM raw")
  let head = Number(last.rows[0]?.head ?? 0)
  const flush = async (appends: ReadonlyArray<Expecting>): Promise<ReadonlyArray<boolean>> => {
    await find(appends.map(({ stream }) => stream))
    const added: Array<readonly [name: string, id: number]> = []
    const [ids, seqs, data]: [Array<number>, Array<number>, Array<string>] = [[], [], []]
    const answers = appends.map(({ expected, orders, stream }) => {
      const known = tails.get(stream)
      if (expected !== undefined && expected !== (known?.last ?? 0)) return false
      const tail = known ?? add(stream)
      if (known === undefined) added.push([stream, tail.id])
      for (const order of orders) {
        ids.push(tail.id)
        seqs.push(++tail.last)
        data.push(JSON.stringify(order))
      }
      return true
    })
    if (ids.length === 0) return answers
    const at = Date.now()
    const before = head
    head += ids.length
    const many = () => [before, int8s(ids), int8s(seqs), placed, at, texts(data)]
    if (added.length > 0) {
      const names = [int8s(added.map(([, id]) => id)), texts(added.map(([name]) => name))]
      await client.query({ name: "naming", text: insertNaming, values: [...many(), ...names] })
    } else if (ids.length > 1) await client.query({ name: "many", text: insertMany, values: many() })
    else await client.query({ name: "one", text: insertOne, values: [before, ids[0], seqs[0], placed, at, data[0]] })
    return answers
  }
  return { append: grouped(flush), find, tails }
}

const logSide = async (client: Client, listeners: Set<(order: Order) => void>): Promise<LogSide> => {
  const { append: put, find, tails } = await appendsTo(client)
  const append = async (one: Expecting) => {
    const answer = await put(one)
    for (const listener of listeners) one.orders.forEach(listener)
    return answer
  }
  const lastSeq = async (stream: string) => {
    const { rows } = await client.query<{ readonly last: string | null }>({
      name: "tail",
      text: "SELECT max(seq) AS last FROM raw WHERE stream = $1",
      values: [tails.get(stream)?.id]
    })
    return Number(rows[0]?.last ?? 0)
  }
  return {
    append: byPromise(append),
    contend: contending(afterLastSeq(lastSeq, async (stream, expected) => {
      const won = await append({ stream, orders: [orderOf(expected)], expected })
      return won ? undefined : tails.get(stream)?.last
    })),
    fold: byPromise(async ({ events, stream }) => {
      await find([stream])
      const { rows } = await client.query<{ readonly data: string }>({
        name: "fold",
        text: "SELECT position, seq, type, at, data FROM raw WHERE stream = $1 ORDER BY seq",
        values: [tails.get(stream)?.id]
      })
      const state = nothing()
      for (const { data } of rows) fold(state, JSON.parse(data))
      checkCount(state.events, events)
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

/** What it needs of the examples is loaded where it's used: whoever only opens a store hasn't got it in memory. */
const history = () => import("./raw-postgres-history.ts")

/** Opens a database by hand. */
export const openRawPostgres: OpenSide = async (place) => {
  const { directory, url } = place
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(schema)
  const listeners = new Set<(order: Order) => void>()
  let made = 0
  const newSchema = () => `raw_${made++}`
  return {
    ...await logSide(client, listeners),
    ...rawFeedSide(await postgresPages(client), listeners),
    ...await rawPostgresKv(client),
    importLines: { directory, run: async (file) => (await history()).importLines(url, newSchema(), file) },
    openHistory: async (file) => (await history()).rawHistory(url, newSchema(), file),
    bytes: () => databaseBytes(url),
    head: async () => {
      const { rows } = await client.query<{ readonly head: string }>("SELECT max(position) AS head FROM raw")
      return Number(rows[0]?.head)
    },
    ...wholeSide({
      store: "postgres",
      name: byHand.postgres,
      place,
      open: openRawPostgres,
      opener: ["postgres", place],
      close: () => client.end()
    })
  }
}
