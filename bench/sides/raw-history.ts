/** The real history in SQLite by hand: imported with the same rows and flushes, and folded three times. */
import Database from "better-sqlite3"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { type Churn, none } from "../../examples/repository-history/churn.ts"
import { directoryOf } from "../../examples/repository-history/events.ts"
import { figuresOf } from "../../examples/repository-history/figures.ts"
import { checkFigures } from "./history.ts"
import type { History } from "./side.ts"

/** As many as the importer flushes at once. */
const batch = 1000

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
  const naming = (table: string) => {
    const add = db.prepare<[string]>(`INSERT INTO ${table} (name) VALUES (?)`)
    const ids = new Map<string, number>()
    return (name: string): number => {
      const id = ids.get(name) ?? Number(add.run(name).lastInsertRowid)
      ids.set(name, id)
      return id
    }
  }
  const [streamId, typeId] = [naming("stream"), naming("type")]
  const last = new Map<number, number>()
  const file = readFileSync(path)
  const lines = (path.endsWith(".gz") ? gunzipSync(file) : file).toString().trimEnd().split("\n")
  let position = 0
  const insertMany = db.transaction((some: ReadonlyArray<string>) => {
    for (const line of some) {
      const { at, data, stream, type } = JSON.parse(line)
      const id = streamId(stream)
      const seq = (last.get(id) ?? 0) + 1
      last.set(id, seq)
      insert.run(++position, id, seq, typeId(type), Date.parse(at), JSON.stringify(data))
    }
  })
  for (let n = 0; n < lines.length; n += batch) insertMany(lines.slice(n, n + batch))
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

/** Three folds in three passes over the rows: into maps, without checks, and without a state to keep. */
const foldThree = (db: Database.Database): number => {
  let read = 0
  const rows = function*(type: string) {
    const found = db.prepare<[string], { readonly stream: string; readonly data: string }>(`
      SELECT stream.name AS stream, data FROM event
      JOIN stream ON stream.id = event.stream JOIN type ON type.id = event.type
      WHERE type.name LIKE ? ORDER BY position`)
    for (const row of found.iterate(type)) {
      read++
      yield row
    }
  }
  const commits = new Map<string, number>()
  for (const { data } of rows("CommitAuthored")) {
    const { author } = JSON.parse(data)
    commits.set(author, (commits.get(author) ?? 0) + 1)
  }
  const churn = new Map<string, Churn>()
  for (const { data, stream } of rows("FileChanged")) {
    const change = JSON.parse(data)
    const directory = directoryOf(stream)
    const { added, changes, deleted } = churn.get(directory) ?? none
    churn.set(directory, { changes: changes + 1, added: added + change.added, deleted: deleted + change.deleted })
  }
  const lengths = new Map<string, number>()
  let events = 0
  for (const { stream } of rows("%")) {
    events++
    lengths.set(stream, (lengths.get(stream) ?? 0) + 1)
  }
  const longest = [...lengths].map(([stream, length]) => ({ stream, events: length }))
    .sort((a, b) => b.events - a.events).slice(0, 10)
  const sums = { events, streams: lengths.size, longest }
  checkFigures(figuresOf(Object.fromEntries(commits), Object.fromEntries(churn), sums))
  return read
}

/** The history by hand. */
export const rawHistory = async (directory: string, path: string): Promise<History> => {
  const db = openNew(join(directory, "history.db"))
  importInto(db, path)
  return { project: async () => foldThree(db), close: async () => void db.close() }
}
