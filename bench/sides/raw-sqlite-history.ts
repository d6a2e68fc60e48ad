/** The real history in SQLite by hand: imported with the same rows and flushes, and folded three times. */
import Database from "better-sqlite3"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { foldThree, type HistoryRow } from "./history-folds.ts"
import { batchesOf, rowsFor } from "./history-lines.ts"
import type { History } from "./side.ts"

const schema = `
  CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE event (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL,
    at REAL NOT NULL, data ANY NOT NULL, meta TEXT, id TEXT, UNIQUE (stream, seq)
  ) STRICT`

const openNew = (path: string) => {
  const db = new Database(path)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  // As large as ours.
  db.pragma("cache_size = -65536")
  db.pragma("wal_autocheckpoint = 4000")
  db.exec(schema)
  return db
}

/** The same rows by the same driver with the same flushes: nothing checked, and no record of how far it came. */
const importInto = (db: Database.Database, path: string): void => {
  const insert = db.prepare<[number, number, number, number, number, string]>(
    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)"
  )
  const addStream = db.prepare<[number, string]>("INSERT INTO stream VALUES (?, ?)")
  const addType = db.prepare<[number, string]>("INSERT INTO type VALUES (?, ?)")
  const rowOf = rowsFor((id, name) => void addStream.run(id, name), (id, name) => void addType.run(id, name))
  const insertMany = db.transaction((lines: ReadonlyArray<string>) => {
    for (const line of lines) {
      const { at, data, position, seq, stream, type } = rowOf(line)
      insert.run(position, stream, seq, type, at, data)
    }
  })
  for (const lines of batchesOf(path)) insertMany(lines)
}

/** Imports a file of lines into a new database; gives what counts its events. */
export const importLines = async (directory: string, path: string): Promise<() => Promise<number>> => {
  const name = join(directory, `imported-${randomUUID()}.db`)
  const db = openNew(name)
  importInto(db, path)
  db.close()
  return async () => {
    const again = new Database(name)
    const count = again.prepare<[], number>("SELECT count(*) FROM event").pluck().get()
    again.close()
    return count ?? 0
  }
}

const select = `
  SELECT stream.name AS stream, data FROM event
  JOIN stream ON stream.id = event.stream JOIN type ON type.id = event.type
  WHERE type.name LIKE ? ORDER BY position`

/** The history by hand. */
export const rawHistory = async (directory: string, path: string): Promise<History> => {
  const db = openNew(join(directory, "history.db"))
  importInto(db, path)
  const read = (type: string) => db.prepare<[string], HistoryRow>(select).iterate(type)
  return { project: () => foldThree(read), close: async () => void db.close() }
}
