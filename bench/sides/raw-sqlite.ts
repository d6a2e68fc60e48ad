/** SQLite by hand: better-sqlite3, the least that would be correct, with group commit. */
import Database from "better-sqlite3"
import { statSync } from "node:fs"
import { join } from "node:path"
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { afterLastSeq, contending } from "./contend.ts"
import { grouped } from "./group.ts"
import { rawFeedSide, sqlitePages } from "./raw-feed.ts"
import { rawSqliteKv } from "./raw-sqlite-kv.ts"
import { byHand, byPromise, type Expecting, type LogSide, type OpenSide } from "./side.ts"
import { wholeSide } from "./whole.ts"

const schema = `
  CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL,
    at INTEGER NOT NULL, data TEXT NOT NULL, UNIQUE (stream, seq)
  );
  CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID`

const connect = (path: string) => {
  const db = new Database(path)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  // As large as ours.
  db.pragma("cache_size = -65536")
  db.pragma("wal_autocheckpoint = 4000")
  return db
}

/** Appends of one process, which alone writes: last seqs are in memory once they were looked up. */
const appendsTo = (db: Database.Database) => {
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const rollback = db.prepare("ROLLBACK")
  const addStream = db.prepare<[string]>("INSERT INTO stream (name) VALUES (?)")
  const tailFrom = db.prepare<[string], { readonly id: number; last: number }>(
    "SELECT id, (SELECT max(seq) FROM event WHERE stream = id) AS last FROM stream WHERE name = ?"
  )
  const insert = db.prepare<[number, number, string, number, string]>(
    "INSERT INTO event (stream, seq, type, at, data) VALUES (?, ?, ?, ?, ?)"
  )
  const tails = new Map<string, { readonly id: number; last: number }>()
  const tailOf = (stream: string) => {
    const known = tails.get(stream)
    if (known !== undefined) return known
    const tail = tailFrom.get(stream) ?? { id: Number(addStream.run(stream).lastInsertRowid), last: 0 }
    tails.set(stream, tail)
    return tail
  }
  const flush = (appends: ReadonlyArray<Expecting>): ReadonlyArray<boolean> => {
    const at = Date.now()
    const [only] = appends
    // A statement alone is a transaction of its own.
    const isAlone = appends.length === 1 && only?.orders.length === 1 && tails.has(only.stream)
    try {
      if (!isAlone) begin.run()
      const answers = appends.map(({ expected, orders, stream }) => {
        const tail = tailOf(stream)
        if (expected !== undefined && expected !== tail.last) return false
        for (const order of orders) insert.run(tail.id, ++tail.last, placed, at, JSON.stringify(order))
        return true
      })
      if (!isAlone) commit.run()
      return answers
    } catch (error) {
      if (db.inTransaction) rollback.run()
      tails.clear()
      throw error
    }
  }
  return { append: grouped(flush), tails }
}

const logSide = (db: Database.Database, listeners: Set<(order: Order) => void>): LogSide => {
  const { append: put, tails } = appendsTo(db)
  const append = async (one: Expecting) => {
    const happened = await put(one)
    if (happened) { for (const listener of listeners) one.orders.forEach(listener) }
    return happened
  }
  const ofStream = db.prepare<[number], { readonly data: string }>(
    "SELECT position, seq, type, at, data FROM event WHERE stream = ? ORDER BY seq"
  )
  const tail = db.prepare<[number], number | null>("SELECT max(seq) FROM event WHERE stream = ?").pluck()
  const lastSeq = (stream: string) => tail.get(tails.get(stream)?.id ?? 0) ?? 0
  return {
    append: byPromise(append),
    contend: contending(afterLastSeq(lastSeq, async (stream, expected) => {
      const won = await append({ stream, orders: [orderOf(expected)], expected })
      return won ? undefined : tails.get(stream)?.last
    })),
    fold: byPromise(async ({ events, stream }) => {
      const state = nothing()
      for (const { data } of ofStream.all(tails.get(stream)?.id ?? 0)) fold(state, JSON.parse(data))
      checkCount(state.events, events)
    })
  }
}

/** What it needs of the examples is loaded where it's used: whoever only opens a store hasn't got it in memory. */
const history = () => import("./raw-sqlite-history.ts")

/** Opens a file by hand. */
export const openRawSqlite: OpenSide = async (place) => {
  const { directory } = place
  const path = join(directory, "raw.db")
  const db = connect(path)
  db.exec(schema)
  const listeners = new Set<(order: Order) => void>()
  const head = db.prepare<[], number>("SELECT max(position) FROM event").pluck()
  const close = async () => void db.close()
  return {
    ...logSide(db, listeners),
    ...rawFeedSide(sqlitePages(db), listeners),
    ...rawSqliteKv(db),
    importLines: { directory, run: async (file) => (await history()).importLines(directory, file) },
    openHistory: async (file) => (await history()).rawHistory(directory, file),
    bytes: async () => statSync(path).size,
    head: async () => head.get() ?? 0,
    ...wholeSide({
      store: "sqlite",
      name: byHand.sqlite,
      place,
      open: openRawSqlite,
      opener: ["sqlite", place],
      close
    })
  }
}
