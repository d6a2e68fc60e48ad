/** The real history in PostgreSQL by hand: imported with the same rows and flushes, and folded three times. */
import type { Client } from "pg"
import { int8s, texts } from "./binary-arrays.ts"
import { foldThree, type HistoryRow } from "./history-folds.ts"
import { batchesOf, rowsFor } from "./history-lines.ts"
import { analyze, connect, connected, dropSchema } from "./raw-postgres-schema.ts"
import type { History } from "./side.ts"

// Numbers, and names by their bytes, as ours has them.
const tables = `
  CREATE TABLE stream (id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
  CREATE TABLE type (id integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
  CREATE TABLE event (
    position bigint PRIMARY KEY, stream bigint NOT NULL, seq bigint NOT NULL, type integer NOT NULL,
    at bigint NOT NULL, data text NOT NULL, meta text, id text, UNIQUE (stream, seq)
  )`

/** New names and a batch of events in one statement, which alone is a transaction; most batches name no new type. */
const insert = `WITH
  streams AS (INSERT INTO stream SELECT * FROM unnest($1::bigint[], $2::text[])),
  types AS (INSERT INTO type SELECT * FROM unnest($3::bigint[], $4::text[]))
  INSERT INTO event SELECT one.*, NULL, NULL
  FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[])
    AS one (position, stream, seq, type, at, data)`

const select = `SELECT stream.name AS stream, data FROM event
  JOIN stream ON stream.id = event.stream JOIN type ON type.id = event.type
  WHERE type.name LIKE $1 ORDER BY position`

/** Collects names until they are taken. */
const collecting = () => {
  const [ids, names]: [Array<number>, Array<string>] = [[], []]
  return {
    add: (id: number, name: string): void => {
      ids.push(id)
      names.push(name)
    },
    take: (): ReadonlyArray<Buffer> => [int8s(ids.splice(0)), texts(names.splice(0))]
  }
}

/** The same rows by the same driver with the same flushes: nothing checked, and no record of how far it came. */
const importInto = async (client: Client, path: string): Promise<void> => {
  const [streams, types] = [collecting(), collecting()]
  const rowOf = rowsFor(streams.add, types.add)
  for (const lines of batchesOf(path)) {
    const rows = lines.map(rowOf)
    await client.query({
      name: "insert",
      text: insert,
      values: [
        ...streams.take(),
        ...types.take(),
        int8s(rows.map(({ position }) => position)),
        int8s(rows.map(({ stream }) => stream)),
        int8s(rows.map(({ seq }) => seq)),
        int8s(rows.map(({ type }) => type)),
        int8s(rows.map(({ at }) => at)),
        texts(rows.map(({ data }) => data))
      ]
    })
  }
}

const importNew = (url: string, schema: string, path: string): Promise<void> =>
  connected(url, schema, async (client) => {
    await client.query(`CREATE SCHEMA ${schema}`)
    await client.query(tables)
    await importInto(client, path)
  })

/** Imports a file of lines into a new schema of this name; gives what counts its events, and drops it. */
export const importLines = async (url: string, schema: string, path: string): Promise<() => Promise<number>> => {
  await importNew(url, schema, path)
  return async () => {
    const { rows } = await connected(
      url,
      schema,
      (client) => client.query<{ readonly count: string }>("SELECT count(*) FROM event")
    )
    await dropSchema(url, schema)
    return Number(rows[0]?.count)
  }
}

/** Imports the history by hand, to be projected. Each pass has its rows at once: they are some tens of thousands. */
export const rawHistory = async (url: string, schema: string, path: string): Promise<History> => {
  await importNew(url, schema, path)
  await analyze(url, schema)
  const client = await connect(url, schema)
  const read = async (type: string) => {
    const { rows } = await client.query<HistoryRow>({ name: "select", text: select, values: [type] })
    return rows
  }
  return { project: () => foldThree(read), close: () => client.end() }
}
