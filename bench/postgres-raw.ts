/**
 * The PostgreSQL backend beside hand-written `pg` over tables of the same kind, interleaved in one run.
 * Run: `node --conditions=source bench/postgres-raw.ts [rounds]`. Prints medians and their ratio, backend to raw. With
 * `PERSIST_TEST_POSTGRES` it asks that server. Raw writes events alone, by one UNNEST insert a group, and keeps the
 * last seqs in memory; the backend records an id for each commit as well, as core gives it one.
 */
import { make } from "@persist/backend-postgres"
import type { BackendShape, Commit } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import type { NonEmptyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { sharedPostgres } from "../test/servers/postgres.ts"
import { median } from "./machine.ts"

const rounds = Number(process.argv[2] ?? 15)
const data = JSON.stringify({ order: "7f3a", lines: Array.from({ length: 6 }, (_, i) => ({ sku: `sku-${i}`, n: i })) })

interface Job {
  readonly name: string
  /** How many events one run of either side handles. */
  readonly events: number
  readonly raw: () => Promise<unknown>
  readonly backend: () => Promise<unknown>
}

interface Fact {
  readonly stream: string
  readonly at: number
}

/** A store written by hand: the same columns and indexes, last seqs in memory, no judgement, no ids of commits. */
const openRaw = async (url: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`
    CREATE TABLE raw (
      position bigint PRIMARY KEY, stream bigint NOT NULL, seq bigint NOT NULL, type int NOT NULL, at bigint NOT NULL,
      data text, meta text, id text, UNIQUE (stream, seq)
    )`)
  const tails = new Map<string, { readonly id: number; last: number }>()
  let head = 0
  const append = (batch: ReadonlyArray<Fact>) => {
    const rows = batch.map(({ at, stream }) => {
      const tail = tails.get(stream) ?? { id: tails.size + 1, last: 0 }
      tails.set(stream, tail)
      return [++head, tail.id, ++tail.last, 1, at, data, null, null]
    })
    return client.query({
      name: "append",
      text: `INSERT INTO raw SELECT * FROM
        unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[])`,
      values: Array.from({ length: 8 }, (_, column) => rows.map((row) => row[column]))
    })
  }
  const all = (after: number) =>
    client.query<{ position: string }>({
      name: "all",
      text: "SELECT * FROM raw WHERE position > $1 ORDER BY position LIMIT 1000",
      values: [after]
    })
  const one = (stream: string, limit: number) =>
    client.query({
      name: "one",
      text: "SELECT * FROM raw WHERE stream = $1 ORDER BY seq LIMIT $2",
      values: [tails.get(stream)?.id, limit]
    })
  return { client, append, all, one }
}

type Raw = Awaited<ReturnType<typeof openRaw>>

const commitOf = ({ at, stream }: Fact, id: string | undefined): Commit => ({
  identity: id === undefined ? undefined : { id, digest: "0123456789abcdef0123456789abcdef" },
  at,
  expect: [],
  append: [{ stream, events: [{ type: "placed", at, data, meta: undefined, id: undefined }] }],
  write: [],
  truncate: []
})

// As core makes them: in the order of time.
let ids = 0
const nextId = (): string => `0192${(ids++).toString(16).padStart(8, "0")}-${crypto.randomUUID().slice(13)}`

let clock = 1_700_000_000_000
const facts = (count: number, streams: number): ReadonlyArray<Fact> =>
  Array.from({ length: count }, () => ({ stream: `order-${(++clock * 7919) % streams}`, at: clock }))

const commit = (backend: BackendShape, batch: ReadonlyArray<Fact>, named: boolean) => {
  const [first, ...rest] = batch.map((fact) => commitOf(fact, named ? nextId() : undefined))
  const commits: NonEmptyArray<Commit> = first === undefined ? [commitOf({ stream: "", at: 0 }, "")] : [first, ...rest]
  return Effect.runPromise(backend.commit(commits))
}

const writing = (raw: Raw, backend: BackendShape, group: number, groups: number, named: boolean): Job => {
  const batches = () => Array.from({ length: groups }, () => facts(group, 1000))
  return {
    name: `write, groups of ${group}${named ? ", with ids" : ""}`,
    events: group * groups,
    raw: async () => {
      for (const batch of batches()) await raw.append(batch)
    },
    backend: async () => {
      for (const batch of batches()) await commit(backend, batch, named)
    }
  }
}

const readingAll = (raw: Raw, backend: BackendShape, events: number): Job => ({
  name: "read all, pages of 1000",
  events,
  raw: async () => {
    for (let after = 0, more = true; more;) {
      const { rows } = await raw.all(after)
      after = Number(rows.at(-1)?.position ?? after)
      more = rows.length > 0
    }
  },
  backend: async () => {
    for (let after = origin, more = true; more;) {
      const range = { after, to: Position(unbounded), prefix: "", types: undefined, limit: 1000, reverse: false }
      const page = await Effect.runPromise(backend.readAll(range))
      after = page.through
      more = page.items.length > 0
    }
  }
})

const readingStreams = (raw: Raw, backend: BackendShape, names: ReadonlyArray<string>, length: number): Job => ({
  name: `read streams of ${length}`,
  events: names.length * length,
  raw: async () => {
    for (const name of names) await raw.one(name, length)
  },
  backend: async () => {
    const range = { from: Seq(1), to: Seq(unbounded), limit: length, reverse: false }
    for (const stream of names) await Effect.runPromise(backend.readStream({ ...range, stream }))
  }
})

const time = async (run: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

const compare = async ({ backend, events, name, raw }: Job) => {
  const taken: Array<[raw: number, backend: number]> = []
  for (let i = 0; i < rounds; i++) {
    // Either side goes first in every other round.
    const [first, second] = i % 2 === 0 ? [raw, backend] : [backend, raw]
    const pair: [number, number] = [await time(first), await time(second)]
    taken.push(i % 2 === 0 ? pair : [pair[1], pair[0]])
  }
  const perSecond = (side: 0 | 1) => Math.round(events * 1000 / median(taken.map((pair) => pair[side])))
  return {
    case: name,
    "raw events/s": perSecond(0),
    "backend events/s": perSecond(1),
    ratio: Number(median(taken.map(([left, right]) => left / right)).toFixed(3))
  }
}

const fill = async (raw: Raw, backend: BackendShape, names: ReadonlyArray<string>, count: number) => {
  for (let i = 0; i < count; i += 1000) {
    const batch = Array.from({ length: 1000 }, (_, n) => ({ stream: names[(i + n) % names.length] ?? "", at: i }))
    await raw.append(batch)
    await commit(backend, batch, true)
  }
}

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

const program = Effect.gen(function*() {
  const server = yield* sharedPostgres
  const url = yield* server.database
  const raw = yield* Effect.acquireRelease(
    Effect.promise(() => openRaw(url)),
    ({ client }) => Effect.promise(() => client.end())
  )
  const backend = yield* make({ url })
  const [short, long] = [named("short", 1000), named("long", 4)]
  yield* Effect.promise(() => fill(raw, backend, short, 20_000))
  yield* Effect.promise(() => fill(raw, backend, long, 40_000))
  const jobs = [
    writing(raw, backend, 64, 20, false),
    writing(raw, backend, 64, 20, true),
    writing(raw, backend, 1, 100, false),
    writing(raw, backend, 1, 100, true),
    readingStreams(raw, backend, short.slice(0, 200), 20),
    readingStreams(raw, backend, long, 10_000),
    readingAll(raw, backend, 60_000)
  ]
  const found = []
  for (const job of jobs) found.push(yield* Effect.promise(() => compare(job)))
  console.table(found)
})

await Effect.runPromise(Effect.scoped(program))
