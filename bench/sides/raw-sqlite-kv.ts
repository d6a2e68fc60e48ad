/** A kv in SQLite by hand: one table, puts with group commit. */
import type Database from "better-sqlite3"
import { checkCount, type Order } from "../payload.ts"
import { grouped } from "./group.ts"
import { byPromise, checkFound, checkWon, type KvSide } from "./side.ts"

interface Put {
  readonly key: string
  readonly value: Order
  /** The revision it takes the key to have, or none. */
  readonly expected?: number | undefined
}

interface Row {
  readonly value: string
  readonly revision: number
}

/** The kv of a database that has the table. */
export const rawSqliteKv = (db: Database.Database): KvSide => {
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const rollback = db.prepare("ROLLBACK")
  const one = db.prepare<[string], Row>("SELECT value, revision FROM kv WHERE key = ?")
  const many = db.prepare<[string, number], Row>(
    "SELECT key, value, revision FROM kv WHERE key >= ? ORDER BY key LIMIT ?"
  )
  const upsert = db.prepare<[string, string, number]>(
    "INSERT INTO kv VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision"
  )
  const update = db.prepare<[string, number, string, number]>(
    "UPDATE kv SET value = ?, revision = ? WHERE key = ? AND revision = ?"
  )
  let revision = db.prepare<[], number | null>("SELECT max(revision) FROM kv").pluck().get() ?? 0
  const put = grouped((puts: ReadonlyArray<Put>): ReadonlyArray<boolean> => {
    // A statement alone is a transaction of its own.
    const isAlone = puts.length === 1
    try {
      if (!isAlone) begin.run()
      const answers = puts.map(({ expected, key, value }) => {
        const text = JSON.stringify(value)
        if (expected !== undefined) return update.run(text, ++revision, key, expected).changes === 1
        upsert.run(key, text, ++revision)
        return true
      })
      if (!isAlone) commit.run()
      return answers
    } catch (error) {
      if (db.inTransaction) rollback.run()
      throw error
    }
  })
  return {
    get: byPromise(async (key) => JSON.parse(one.get(key)?.value ?? "null"), checkFound),
    put: byPromise(put),
    cas: byPromise(async ({ key, value }) => {
      const found = one.get(key)
      JSON.parse(found?.value ?? "null")
      return await put({ key, value, expected: found?.revision })
    }, checkWon),
    scan: byPromise(async ({ from, limit }) =>
      checkCount(many.all(from, limit).map(({ value }) => JSON.parse(value)).length, limit)
    )
  }
}
