/**
 * One side of `bench/import.ts`, in a process of its own so that nothing is warm: `raw-import` and `raw-fold` are
 * written by hand on the driver, `fold` and `load` are the store's. Prints what it took as a line of JSON.
 */
import Database from "better-sqlite3"
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { open } from "persist"
import { type Churn, none } from "../examples/repository-history/churn.ts"
import { directoryOf } from "../examples/repository-history/events.ts"
import { differences, expected, type Figures, figuresOf, input } from "../examples/repository-history/figures.ts"
import { projectAll, total } from "../examples/repository-history/projecting.ts"

const [side = "", path = ""] = process.argv.slice(2)

// As many as the importer flushes at once.
const batch = 1000

const openRaw = () => {
  const db = new Database(path)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  db.pragma("cache_size = -65536")
  return db
}

/** The same rows by the same driver with the same flushes: nothing checked, and no record of how far it came. */
const rawImport = () => {
  const db = openRaw()
  db.exec(`
    CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE event (
      position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL,
      at REAL NOT NULL, data ANY NOT NULL, meta TEXT, id TEXT, UNIQUE (stream, seq)
    ) STRICT`)
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
  const streamId = naming("stream")
  const typeId = naming("type")
  const last = new Map<number, number>()
  const lines = gunzipSync(readFileSync(input)).toString().trimEnd().split("\n")
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
  db.close()
  return position
}

/** The same three folds in three passes over the rows: into maps, without checks, and without a state to keep. */
const rawFold = () => {
  const db = openRaw()
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
  db.close()
  const longest = [...lengths].map(([stream, length]) => ({ stream, events: length }))
    .sort((a, b) => b.events - a.events).slice(0, 10)
  const sums = { events, streams: lengths.size, longest }
  return { read, figures: figuresOf(Object.fromEntries(commits), Object.fromEntries(churn), sums) }
}

/** Fails where an answer is wrong: what's wrong needs no measuring. */
const checked = (figures: Figures): void => {
  const found = differences(figures, expected)
  if (found.length > 0) throw new Error(found.join("; "))
}

const sides: { readonly [side: string]: () => Promise<number> } = {
  "raw-import": async () => rawImport(),
  "raw-fold": async () => {
    const { figures, read } = rawFold()
    checked(figures)
    return read
  },
  fold: async () => {
    await using store = await open(`sqlite:${path}`)
    const { costs, figures } = await projectAll((projection) => store.project(projection, { all: true }))
    checked(figures)
    return total(costs, "replayed")
  },
  load: async () => {
    await using store = await open(`sqlite:${path}`)
    const { costs, figures } = await projectAll((projection) => store.load(projection, { all: true }))
    checked(figures)
    return total(costs, "replayed")
  }
}

const from = performance.now()
const events = await sides[side]?.()
if (events === undefined) throw new Error(`there is no side ${side}: use ${Object.keys(sides).join(", ")}`)
console.log(JSON.stringify({ events, milliseconds: performance.now() - from }))
