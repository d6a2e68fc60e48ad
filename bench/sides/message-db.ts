/** message-db: its SQL functions `write_message` and `get_stream_messages`, called through a pool of `pg`. */
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Pool } from "pg"
import { checkCount, fold, nothing, orderOf, placed } from "../payload.ts"
import { peerFile } from "../peers/load.ts"
import { contending } from "./contend.ts"
import { databaseBytes } from "./raw-postgres.ts"
import { byPromise, type LogSide, type OpenSide } from "./side.ts"

/** The files its installer runs, but for roles and privileges, which concern the whole server. */
const files = [
  "schema/message-store",
  "tables/messages",
  "types/message",
  ...[
    "message-store-version",
    "hash-64",
    "acquire-lock",
    "category",
    "is-category",
    "id",
    "cardinal-id",
    "stream-version",
    "write-message",
    "get-stream-messages",
    "get-category-messages",
    "get-last-stream-message"
  ].map((name) => `functions/${name}`),
  ...["messages-id", "messages-stream", "messages-category"].map((name) => `indexes/${name}`)
]

const logSide = (pool: Pool): LogSide => {
  const write = async (stream: string, data: string, expected: number | null) =>
    await pool.query({
      name: "write",
      text: "SELECT write_message($1, $2, $3, $4::jsonb, NULL, $5)",
      values: [randomUUID(), stream, placed, data, expected]
    })
  const versionOf = async (stream: string) => {
    const { rows: [row] } = await pool.query<{ readonly last: string | null }>({
      name: "version",
      text: "SELECT stream_version($1) AS last",
      values: [stream]
    })
    return Number(row?.last ?? -1)
  }
  return {
    append: byPromise(async ({ orders, stream }) => {
      for (const order of orders) await write(stream, JSON.stringify(order), null)
    }),
    contend: contending((stream) => async () => {
      const last = await versionOf(stream)
      try {
        await write(stream, JSON.stringify(orderOf(last + 1)), last)
        return true
      } catch (error) {
        if (error instanceof Error && error.message.startsWith("Wrong expected version")) return false
        throw error
      }
    }),
    fold: byPromise(async ({ events, stream }) => {
      const state = nothing()
      const { rows } = await pool.query<{ readonly data: string }>({
        name: "read",
        text: "SELECT * FROM get_stream_messages($1, 0, -1)",
        values: [stream]
      })
      for (const { data } of rows) fold(state, JSON.parse(data))
      checkCount(state.events, events)
    })
  }
}

/** Opens it in an empty database. */
export const openMessageDb: OpenSide = async ({ url }) => {
  const at = new URL("database/", peerFile("@eventide/message-db/package.json"))
  const pool = new Pool({ connectionString: url, max: 8, options: "-c search_path=message_store,public" })
  for (const file of files) await pool.query(readFileSync(fileURLToPath(new URL(`${file}.sql`, at)), "utf8"))
  return {
    ...logSide(pool),
    bytes: () => databaseBytes(url),
    note: "pool of 8; batches event by event; locks a category, here all streams, while it appends",
    close: () => pool.end()
  }
}
