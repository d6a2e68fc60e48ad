/** A kv in PostgreSQL by hand: one table; what is called while a query is on its way goes together with the next. */
import type { Client } from "pg"
import { checkCount } from "../payload.ts"
import { int8s, texts } from "./binary-arrays.ts"
import { grouped } from "./group.ts"
import { byPromise, checkFound, checkWon, type KvSide, type Putting } from "./side.ts"

interface Setting extends Putting {
  /** The revision that it takes the key to have. */
  readonly expected: number
}

interface Row {
  readonly key: string
  readonly value: string
  readonly revision: string
}

const getSql = "SELECT key, value, revision FROM raw_kv WHERE key = $1"

const getManySql = "SELECT key, value, revision FROM raw_kv WHERE key = ANY ($1)"

const putSql = `INSERT INTO raw_kv SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision`

const setSql = `UPDATE raw_kv SET value = wanted.value, revision = wanted.revision
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS wanted (key, value, revision, expected)
  WHERE raw_kv.key = wanted.key AND raw_kv.revision = wanted.expected RETURNING raw_kv.revision`

/** The kv of a database that has the table. */
export const rawPostgresKv = async (client: Client): Promise<KvSide> => {
  const last = await client.query<{ readonly last: string | null }>("SELECT max(revision) AS last FROM raw_kv")
  let revision = Number(last.rows[0]?.last ?? 0)
  const put = grouped(async (puts: ReadonlyArray<Putting>): Promise<ReadonlyArray<boolean>> => {
    // The last of those that put one key is what stays.
    const values = new Map(puts.map(({ key, value }) => [key, JSON.stringify(value)]))
    const revisions = Array.from(values, () => ++revision)
    await client.query({
      name: "put",
      text: putSql,
      values: [texts([...values.keys()]), texts([...values.values()]), int8s(revisions)]
    })
    return puts.map(() => true)
  })
  const set = grouped(async (sets: ReadonlyArray<Setting>): Promise<ReadonlyArray<boolean>> => {
    const revisions = sets.map(() => ++revision)
    const values = [
      texts(sets.map(({ key }) => key)),
      texts(sets.map(({ value }) => JSON.stringify(value))),
      int8s(revisions),
      int8s(sets.map(({ expected }) => expected))
    ]
    const { rows } = await client.query<{ readonly revision: string }>({ name: "set", text: setSql, values })
    const won = new Set(rows.map((row) => Number(row.revision)))
    return revisions.map((one) => won.has(one))
  })
  const get = grouped(async (keys: ReadonlyArray<string>) => {
    const wanted = keys.length === 1 ? { name: "get", text: getSql, values: [...keys] } : {
      name: "get-many",
      text: getManySql,
      values: [texts(keys)]
    }
    const { rows } = await client.query<Row>(wanted)
    const found = new Map(rows.map((row) => [row.key, row]))
    return keys.map((key) => found.get(key))
  })
  const parsed = async (key: string) => {
    const row = await get(key)
    return row && { value: JSON.parse(row.value), revision: Number(row.revision) }
  }
  return {
    get: byPromise(parsed, checkFound),
    put: byPromise(put),
    cas: byPromise(async ({ key, value }) => {
      const found = await parsed(key)
      return found !== undefined && await set({ key, value, expected: found.revision })
    }, checkWon),
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
