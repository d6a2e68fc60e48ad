/**
 * The SQLite backend beside a hand-written better-sqlite3 loop over the same tables, interleaved in one run.
 * Run: `node --conditions=source bench/sqlite-raw.ts [rounds]`. Prints medians and their ratio, backend to raw.
 */
import { make } from "@persist/backend-sqlite"
import type { BackendShape, Commit } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import Database from "better-sqlite3"
import type { NonEmptyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const rounds = Number(process.argv[2] ?? 15)
const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
const data = JSON.stringify({ order: "7f3a", lines: Array.from({ length: 6 }, (_, i) => ({ sku: `sku-${i}`, n: i })) })

interface Job {
  readonly name: string
  /** How many events one run of either side handles. */
  readonly events: number
  readonly raw: () => void
  readonly backend: () => void
}

/** A store written by hand: the same tables and settings, the same ids and last seqs in memory, nothing else. */
const openRaw = (path: string) => {
  const db = new Database(path)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  db.pragma("cache_size = -65536")
  db.exec(`
    CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE event (
      position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL,
      at INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT, id TEXT, UNIQUE (stream, seq)
    )`)
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const addStream = db.prepare<[string]>("INSERT INTO stream (name) VALUES (?)")
  const insert = db.prepare<[number, number, number, number, number, string, string | null, string | null]>(
    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
  )
  const tails = new Map<string, { readonly id: number; last: number }>()
  let head = 0
  const append = (batch: ReadonlyArray<{ readonly stream: string; readonly at: number; readonly data: string }>) => {
    begin.run()
    for (const event of batch) {
      let tail = tails.get(event.stream)
      if (tail === undefined) {
        tail = { id: Number(addStream.run(event.stream).lastInsertRowid), last: 0 }
        tails.set(event.stream, tail)
      }
      insert.run(++head, tail.id, ++tail.last, 1, event.at, event.data, null, null)
    }
    commit.run()
  }
  const columns = "stream, seq, position, type, at, data, meta, id"
  const all = db.prepare<[number, number], { readonly position: number }>(
    `SELECT ${columns} FROM event WHERE position > ? ORDER BY position LIMIT ?`
  )
  const one = db.prepare<[number, number]>(`SELECT ${columns} FROM event WHERE stream = ? ORDER BY seq LIMIT ?`)
  return { db, append, all, one, idOf: (name: string) => tails.get(name)?.id ?? 0 }
}

type Raw = ReturnType<typeof openRaw>

const commitOf = (stream: string, at: number): Commit => ({
  identity: undefined,
  at,
  expect: [],
  append: [{ stream, events: [{ type: "placed", at, data, meta: undefined, id: undefined }] }],
  write: [],
  truncate: []
})

let clock = 1_700_000_000_000
const nextStream = (streams: number): string => `order-${(clock * 7919) % streams}`

const writing = (group: number, groups: number, raw: Raw, backend: BackendShape): Job => {
  const batches = Array.from({ length: groups }, () =>
    Array.from({ length: group }, () => {
      clock++
      return { stream: nextStream(1000), at: clock, data }
    }))
  const commits = batches.flatMap((batch): Array<NonEmptyArray<Commit>> => {
    const [first, ...rest] = batch.map(({ at, stream }) => commitOf(stream, at))
    return first === undefined ? [] : [[first, ...rest]]
  })
  return {
    name: `write, groups of ${group}`,
    events: group * groups,
    raw: () => batches.forEach(raw.append),
    backend: () => commits.forEach((batch) => Effect.runSync(backend.commit(batch)))
  }
}

const readPage = (backend: BackendShape, after: Position) =>
  Effect.runSync(backend.readAll({
    after,
    to: Position(unbounded),
    prefix: "",
    types: undefined,
    limit: 1000,
    reverse: false
  }))

const readingAll = (raw: Raw, backend: BackendShape, events: number): Job => ({
  name: "read all, pages of 1000",
  events,
  raw: () => {
    for (let after = 0, page = raw.all.all(after, 1000); page.length > 0; page = raw.all.all(after, 1000)) {
      after = page.at(-1)?.position ?? after
    }
  },
  backend: () => {
    for (let page = readPage(backend, origin); page.items.length > 0; page = readPage(backend, page.through));
  }
})

const readingStreams = (raw: Raw, backend: BackendShape, names: ReadonlyArray<string>, length: number): Job => ({
  name: `read streams of ${length}`,
  events: names.length * length,
  raw: () => names.forEach((name) => raw.one.all(raw.idOf(name), length)),
  backend: () =>
    names.forEach((stream) =>
      Effect.runSync(backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: length, reverse: false }))
    )
})

const fill = (raw: Raw, backend: BackendShape, names: ReadonlyArray<string>, count: number) => {
  for (let i = 0; i < count; i += 1000) {
    const batch = Array.from({ length: 1000 }, (_, n) => ({ stream: names[(i + n) % names.length] ?? "", at: i, data }))
    const [first, ...rest] = batch.map(({ at, stream }) => commitOf(stream, at))
    raw.append(batch)
    if (first !== undefined) Effect.runSync(backend.commit([first, ...rest]))
  }
}

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const time = (run: () => void): number => {
  const start = performance.now()
  run()
  return performance.now() - start
}

const compare = ({ backend, events, name, raw }: Job) => {
  const taken: ReadonlyArray<[number, number]> = Array.from({ length: rounds }, (_, i) => {
    // Either side goes first in every other round.
    if (i % 2 === 0) return [time(raw), time(backend)]
    const second = time(backend)
    return [time(raw), second]
  })
  const perSecond = (side: 0 | 1) => Math.round(events * 1000 / median(taken.map((pair) => pair[side])))
  return {
    case: name,
    "raw events/s": perSecond(0),
    "backend events/s": perSecond(1),
    ratio: Number(median(taken.map(([left, right]) => left / right)).toFixed(3))
  }
}

const name = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

const program = Effect.gen(function*() {
  const raw = openRaw(join(directory, "raw.db"))
  const backend = yield* make({ path: join(directory, "backend.db") })
  const short = name("short", 1000)
  const long = name("long", 4)
  fill(raw, backend, short, 20_000)
  fill(raw, backend, long, 40_000)
  const reading = [
    readingStreams(raw, backend, short, 20),
    readingStreams(raw, backend, long, 10_000),
    readingAll(raw, backend, 60_000)
  ].map(compare)
  const written = [writing(64, 60, raw, backend), writing(1, 300, raw, backend)].map(compare)
  console.table([...written, ...reading])
  raw.db.close()
})

await Effect.runPromise(Effect.scoped(program))
rmSync(directory, { recursive: true })
