/**
 * The file backend beside a loop written by hand that appends to one file: encoding into one reusable buffer, a
 * checksum for each record, one write and one flush for each group. Interleaved in one run.
 * Run: `node --conditions=source bench/file-raw.ts [rounds]`. Prints medians and their ratio, backend to raw.
 */
import { make } from "@persist/backend-file"
import type { BackendShape, Commit } from "@persist/core"
import { makeStore, origin, Position, Seq, unbounded } from "@persist/core"
import type { NonEmptyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import { fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { crc32 } from "node:zlib"

const rounds = Number(process.argv[2] ?? 15)
const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
const order = { order: "7f3a", lines: Array.from({ length: 6 }, (_, i) => ({ sku: `sku-${i}`, n: i })) }
const data = JSON.stringify(order)

interface Job {
  readonly name: string
  /** How many events one run of either side handles. */
  readonly events: number
  readonly raw: () => void
  readonly backend: () => unknown
}

interface RawEvent {
  readonly stream: string
  readonly at: number
  readonly data: string
}

/** A log written by hand: records in a file one after the other, and last seqs in a map; nothing else. */
const openRaw = (path: string) => {
  const fd = openSync(path, "w+")
  const buffer = Buffer.alloc(4 * 1024 * 1024)
  const tails = new Map<string, number>()
  let head = 0
  let end = 0
  const encode = ({ at, data: text, stream }: RawEvent, start: number): number => {
    const seq = (tails.get(stream) ?? 0) + 1
    tails.set(stream, seq)
    let next = start + 8
    next = buffer.writeDoubleLE(++head, next)
    next = buffer.writeDoubleLE(seq, next)
    next = buffer.writeDoubleLE(at, next)
    next += buffer.write(stream, next + 2)
    next += 2 + buffer.write("placed", next + 3)
    next += 5 + buffer.write(text, next + 5)
    buffer.writeUInt32LE(next - start, start)
    buffer.writeUInt32LE(crc32(buffer.subarray(start + 8, next)), start + 4)
    return next
  }
  const append = (batch: ReadonlyArray<RawEvent>): void => {
    let length = 0
    for (const event of batch) length = encode(event, length)
    writeSync(fd, buffer, 0, length, end)
    fdatasyncSync(fd)
    end += length
  }
  const all = (use: (start: number, text: string) => void): void => {
    for (let offset = 0; offset < end;) {
      const count = readSync(fd, buffer, 0, 256 * 1024, offset)
      let at = 0
      for (let length = buffer.readUInt32LE(at); at + length <= count;) {
        if (crc32(buffer.subarray(at + 8, at + length)) !== buffer.readUInt32LE(at + 4)) throw new Error("damaged")
        use(at, buffer.toString("utf8", at + 32, at + length))
        at += length
        if (at + 4 > count) break
        length = buffer.readUInt32LE(at)
      }
      offset += at
    }
  }
  return { append, all }
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
const nextEvent = (streams: number): RawEvent => {
  clock++
  return { stream: `order-${(clock * 7919) % streams}`, at: clock, data }
}

const writing = (group: number, groups: number, raw: Raw, backend: BackendShape): Job => {
  const batches = Array.from({ length: groups }, () => Array.from({ length: group }, () => nextEvent(1000)))
  const commits = batches.flatMap((batch): Array<NonEmptyArray<Commit>> => {
    const [first, ...rest] = batch.map(({ at, stream }) => commitOf(stream, at))
    return first === undefined ? [] : [[first, ...rest]]
  })
  return {
    name: `write, groups of ${group}`,
    events: group * groups,
    raw: () => batches.forEach(raw.append),
    backend: () => Effect.runPromise(Effect.forEach(commits, (batch) => backend.commit(batch), { discard: true }))
  }
}

const appending = Effect.fnUntraced(function*(clients: number, each: number, raw: Raw, backend: BackendShape) {
  const store = yield* makeStore(backend)
  const log = store.log()
  const events = Array.from({ length: each }, () => Array.from({ length: clients }, () => nextEvent(1000)))
  const job: Job = {
    name: `append, ${clients} at once`,
    events: clients * each,
    // What a caller has is no text yet.
    raw: () => events.forEach((round) => raw.append(round.map((event) => ({ ...event, data: JSON.stringify(order) })))),
    backend: () =>
      Effect.runPromise(Effect.forEach(
        Array.from({ length: clients }, (_, n) => n),
        (n) =>
          Effect.forEach(
            events,
            (round) => log.append(round[n]?.stream ?? "", { type: "placed", data: order }, { expected: "any" }),
            { discard: true }
          ),
        { concurrency: "unbounded", discard: true }
      ))
  }
  return job
})

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
  raw: () => raw.all(() => undefined),
  backend: () => {
    for (let page = readPage(backend, origin); page.items.length > 0; page = readPage(backend, page.through));
  }
})

const readingStreams = (backend: BackendShape, names: ReadonlyArray<string>, length: number): Job => ({
  name: `read streams of ${length}`,
  events: names.length * length,
  raw: () => undefined,
  backend: () =>
    names.forEach((stream) =>
      Effect.runSync(backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: length, reverse: false }))
    )
})

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const time = async (run: () => unknown): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

const compare = async ({ backend, events, name, raw }: Job) => {
  const taken: Array<readonly [number, number]> = []
  for (let i = 0; i < rounds; i++) {
    // Either side goes first in every other round.
    const first = i % 2 === 0 ? await time(raw) : await time(backend)
    const second = i % 2 === 0 ? await time(backend) : await time(raw)
    taken.push(i % 2 === 0 ? [first, second] : [second, first])
  }
  const perSecond = (side: 0 | 1) => Math.round(events * 1000 / median(taken.map((pair) => pair[side])))
  return {
    case: name,
    "raw events/s": perSecond(0),
    "backend events/s": perSecond(1),
    ratio: Number(median(taken.map(([left, right]) => left / right)).toFixed(3))
  }
}

const name = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

const fill = async (raw: Raw, backend: BackendShape, names: ReadonlyArray<string>, count: number) => {
  for (let i = 0; i < count; i += 1000) {
    const batch = Array.from({ length: 1000 }, (_, n) => ({ stream: names[(i + n) % names.length] ?? "", at: i, data }))
    const [first, ...rest] = batch.map(({ at, stream }) => commitOf(stream, at))
    raw.append(batch)
    if (first !== undefined) await Effect.runPromise(backend.commit([first, ...rest]))
  }
}

const program = Effect.gen(function*() {
  const raw = openRaw(join(directory, "raw"))
  const backend = yield* make({ path: join(directory, "backend") })
  const short = name("short", 1000)
  const long = name("long", 4)
  yield* Effect.promise(() => fill(raw, backend, short, 20_000))
  yield* Effect.promise(() => fill(raw, backend, long, 40_000))
  const jobs = [
    readingStreams(backend, short, 20),
    readingStreams(backend, long, 10_000),
    readingAll(raw, backend, 60_000),
    writing(64, 60, raw, backend),
    writing(1, 300, raw, backend),
    yield* appending(64, 60, raw, backend),
    yield* appending(1, 300, raw, backend)
  ]
  const results = []
  for (const job of jobs) results.push(yield* Effect.promise(() => compare(job)))
  console.table(results)
})

await Effect.runPromise(Effect.scoped(program))
rmSync(directory, { recursive: true })
