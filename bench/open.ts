/**
 * What opening a large store takes: time, memory above a process that has only loaded the library, and bytes read.
 * Run: `node --conditions=source bench/open.ts [events] [streams]`, 10 million events in 100,000 streams by default;
 * it takes some GB below the temporary directory. Writes bench/results/open.md.
 */
import { make as makeFile } from "@persist/backend-file"
import { make as makeSqlite } from "@persist/backend-sqlite"
import type { BackendError, BackendShape, Commit, StoreError } from "@persist/core"
import { Seq } from "@persist/core"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describeMachine } from "./harness/machine.ts"
import { median } from "./harness/statistics.ts"

type Open = (path: string) => Effect.Effect<BackendShape, StoreError | BackendError, Scope>

const stores: Readonly<Record<string, Open>> = {
  sqlite: (path) => makeSqlite({ path }),
  file: (path) => makeFile({ path })
}

interface Opened {
  readonly milliseconds: number
  readonly residentMiB: number
  readonly readKiB: number
  readonly head: number
}

// Linux counts what a process reads from files, from the cache too.
const bytesRead = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1])

/** Opens a store, reads its head, its last event and a stream; prints what that took as a line of JSON. */
const measure = (open: Open, path: string, stream: string) =>
  Effect.gen(function*() {
    const [resident, read, from] = [process.memoryUsage.rss(), bytesRead(), performance.now()]
    const backend = yield* open(path)
    const head = yield* backend.head
    const opened: Opened = {
      milliseconds: performance.now() - from,
      residentMiB: (process.memoryUsage.rss() - resident) / 2 ** 20,
      readKiB: (bytesRead() - read) / 2 ** 10,
      head
    }
    const events = yield* backend.readStream({ stream, from: Seq(1), to: Seq(100), limit: 100, reverse: false })
    if (events.length === 0) throw new Error(`${stream} is empty`)
    console.log(JSON.stringify(opened))
  })

const data = JSON.stringify({ order: "7f3a", lines: Array.from({ length: 6 }, (_, i) => ({ sku: `sku-${i}`, n: i })) })
const event = { type: "placed", at: 1_700_000_000_000, data, meta: undefined, id: undefined }
const batch = 10_000

/** Commits of one event each, to streams in turn, many with one flush. */
const fill = (open: Open, path: string, events: number, streams: number) =>
  Effect.gen(function*() {
    const backend = yield* open(path)
    for (let done = 0; done < events; done += batch) {
      const commits = Array.from({ length: Math.min(batch, events - done) }, (_, n): Commit => ({
        identity: undefined,
        at: event.at,
        expect: [],
        append: [{ stream: `order-${(done + n) % streams}`, events: [event] }],
        write: [],
        truncate: []
      }))
      if (isReadonlyArrayNonEmpty(commits)) yield* backend.commit(commits)
      if (done % 500_000 === 0) process.stderr.write(`${path}: ${done.toLocaleString("en-US")} events\n`)
    }
  })

const sizeOf = (path: string): number => Number(/^\d+/.exec(execFileSync("du", ["-sk", path], { encoding: "utf8" })))

const run = (name: string, path: string): Opened =>
  JSON.parse(execFileSync(process.execPath, ["--conditions=source", process.argv[1] ?? "", "--open", name, path], {
    encoding: "utf8"
  }))

const row = (name: string, path: string, events: number): string => {
  run(name, path)
  const taken = Array.from({ length: 9 }, () => run(name, path))
  const middle = (of: (opened: Opened) => number) => median(taken.map(of)).toFixed(1)
  if (taken.some(({ head }) => head !== events)) throw new Error(`${name} has another head`)
  const perEvent = (sizeOf(path) * 1024 / events).toFixed(0)
  return `| ${name} | ${middle((o) => o.milliseconds)} ms | ${middle((o) => o.residentMiB)} MiB | ${
    middle((o) => o.readKiB)
  } KiB | ${perEvent} |`
}

const count = (n: number): string => n.toLocaleString("en-US")

const main = async (): Promise<void> => {
  const [events = 10_000_000, streams = 100_000] = process.argv.slice(2).map(Number)
  const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
  try {
    const rows: Array<string> = []
    for (const [name, open] of Object.entries(stores)) {
      const path = join(directory, name)
      await Effect.runPromise(Effect.scoped(fill(open, path, events, streams)))
      rows.push(row(name, path, events))
      rmSync(path, { recursive: true })
    }
    const { cores, cpu, memoryGiB, node, system } = describeMachine(directory)
    const report = `# Opening a store of ${count(events)} events in ${count(streams)} streams

| store | time | memory | read | bytes per event on disk |
| --- | ---: | ---: | ---: | ---: |
${rows.join("\n")}

From the call to the head being known: medians of 9 processes, each of which had loaded the library before. Memory is
what became resident meanwhile, read what was read of files, from the system's cache too. Payloads are texts of
${data.length} bytes; the store was closed properly before.

- ${cores} × ${cpu}, ${memoryGiB} GiB, ${system}
- Node ${node}

\`node --conditions=source bench/open.ts ${events} ${streams}\` measures it here.
`
    writeFileSync(fileURLToPath(new URL("results/open.md", import.meta.url)), report)
    process.stdout.write(report)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const [mode, name = "", path = ""] = process.argv.slice(2)
if (mode !== "--open") await main()
else if (stores[name] !== undefined && statSync(path)) {
  await Effect.runPromise(Effect.scoped(measure(stores[name], path, "order-7")))
}
