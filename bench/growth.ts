/**
 * How work grows with what is there: each store is filled step by step, and at every step the same work is measured.
 * One side, one process: it's the shape of a curve that counts. `npm run bench:growth -- --help` says how to run it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { commitOf, describeMachine } from "./harness/machine.ts"
import { makePlaces, type Places } from "./harness/place.ts"
import { median } from "./harness/statistics.ts"
import { growthHelp, type GrowthOptions, readGrowthOptions } from "./options.ts"
import { orderOf } from "./payload.ts"
import { plot, type Series } from "./report/plot.ts"
import { short } from "./report/table.ts"
import { openPromise, type StoreName } from "./sides/persist.ts"
import type { Side } from "./sides/side.ts"
import { timed } from "./workloads/workload.ts"

const steps = [10_000, 100_000, 1_000_000, 10_000_000]

/** One kind of work: how many times a measurement does it, and what it does. */
interface Work {
  readonly name: string
  readonly count: number
  readonly run: (side: Required<Side>, events: number) => Promise<void>
}

const eventsEach = 20

const streamOf = (n: number): string => `s-${n}`

const keyOf = (n: number): string => `k-${n}`

let calls = 0

/** Somewhere in what is there, without a pattern that a cache likes. */
const somewhere = (places: number): number => (calls++ * 7919) % places

const works: ReadonlyArray<Work> = [
  {
    name: "append, one at a time",
    count: 50,
    run: ({ append }) => append(1, 50, () => ({ stream: "appended", orders: [orderOf(calls++)] }))
  },
  {
    name: "append, 64 at once",
    count: 64 * 20,
    run: ({ append }) => append(64, 20, (client) => ({ stream: `appended-${client}`, orders: [orderOf(calls++)] }))
  },
  {
    name: "append to streams from before",
    count: 64 * 20,
    run: ({ append }, events) =>
      append(64, 20, () => ({
        stream: streamOf(somewhere(events / eventsEach / 2) * 2 + 1),
        orders: [orderOf(calls)]
      }))
  },
  {
    name: "fold a stream of 20",
    count: 200,
    run: ({ fold }, events) =>
      // Those with even numbers are as they were filled.
      fold(1, 200, () => ({ stream: streamOf(somewhere(events / eventsEach / 2) * 2), events: eventsEach }))
  },
  { name: "kv get", count: 500, run: ({ get }, events) => get(1, 500, () => keyOf(somewhere(events / eventsEach))) },
  {
    name: "kv put, 64 at once",
    count: 64 * 20,
    run: ({ put }, events) =>
      put(64, 20, () => {
        const n = somewhere(events / eventsEach)
        return { key: keyOf(n), value: orderOf(n) }
      })
  },
  {
    name: "kv scan of 100",
    count: 20,
    // By their text a hundred keys and more follow those that begin so, at every step.
    run: ({ scan }) => scan(1, 20, () => ({ from: keyOf(Number(`1${somewhere(10_000)}`)), limit: 100 }))
  }
]

/** What passes over every event: microseconds for each. */
const passing: ReadonlyArray<Omit<Work, "count">> = [
  { name: "catch up, an event", run: ({ catchUp }, events) => catchUp(events) },
  { name: "build a read model, an event", run: ({ rebuild }, events) => rebuild(events) }
]

/** Streams of twenty events, and a key for each. */
const fill = async ({ append, put }: Required<Side>, from: number, to: number): Promise<void> => {
  const clients = 100
  const streams = (to - from) / eventsEach
  const first = from / eventsEach
  await append(clients, Math.ceil(streams / clients), (client, call) => ({
    stream: streamOf(first + client + call * clients),
    orders: Array.from({ length: eventsEach }, (_, i) => orderOf(call + i))
  }))
  await put(clients, Math.ceil(streams / clients), (client, call) => {
    const n = first + client + call * clients
    return { key: keyOf(n), value: orderOf(n) }
  })
}

/** Opens a store that was left, and reads its head. */
const opening = "open, and read the head"

/** The most events that a store is given: what is in memory is in the heap. */
const mostOf = (store: StoreName): number => store === "memory" ? 1_000_000 : Infinity

/** The median of so many times, in microseconds, after others that only warm it up. */
const repeated = async (run: () => Promise<void>, rounds = 9, warming = 5): Promise<number> => {
  const taken: Array<number> = []
  for (let round = -warming; round < rounds; round++) {
    const millis = await timed(run)
    if (round >= 0) taken.push(millis * 1000)
  }
  return median(taken)
}

/** Microseconds a call of each work at each step. */
const measure = async (store: StoreName, most: number, places: Places): Promise<ReadonlyArray<Series>> => {
  const [place, remove] = await places.place(store)
  // All the verbs that are used here are there.
  const open = async () => await openPromise(store)(place) as Required<Side>
  let side = await open()
  const found = new Map<string, Array<readonly [events: number, micros: number]>>()
  const note = (name: string, events: number, micros: number) => {
    found.set(name, [...found.get(name) ?? [], [events, micros]])
    process.stderr.write(`${store} ${short(events)}: ${name} ${short(micros)} µs\n`)
  }
  let filled = 0
  for (const events of steps.filter((step) => step <= most && step <= mostOf(store))) {
    await fill(side, filled, events)
    filled = events
    for (const { count, name, run } of works) note(name, events, await repeated(() => run(side, events)) / count)
    // Of many events one pass is as good as several.
    const passes = events < 1_000_000 ? 3 : 1
    for (const { name, run } of passing) {
      note(name, events, await repeated(() => run(side, events), passes, passes - 1) / events)
    }
    if (store === "memory") continue
    await side.close()
    const micros = await repeated(async () => {
      const again = await open()
      await again.head()
      await again.close()
    })
    note(opening, events, micros)
    side = await open()
  }
  await side.close()
  await remove()
  return Array.from(found, ([name, points]) => ({ name, points }))
}

/** The curves of one store, and where they come from. */
interface Growth {
  readonly at: string
  readonly commit: string
  readonly machine: string
  readonly series: ReadonlyArray<Series>
}

const kept = fileURLToPath(new URL("growth.json", import.meta.url))

const keptGrowth = (): Readonly<Record<string, Growth>> =>
  existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : {}

/** Draws the curves of a store, and keeps them in place of those from before. */
const keep = (store: StoreName, growth: Growth): void => {
  const svg = fileURLToPath(new URL(`growth-${store}.svg`, import.meta.url))
  writeFileSync(svg, plot(`${store}: microseconds a call, by events in the store`, growth.series))
  writeFileSync(kept, `${JSON.stringify({ ...keptGrowth(), [store]: growth }, undefined, 1)}\n`)
}

const grow = async ({ directory, most, save, stores }: GrowthOptions): Promise<void> => {
  const places = makePlaces(directory)
  // A store that was begun is taken away, its database on a server too.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      places.remove()
      process.exit(signal === "SIGINT" ? 130 : 143)
    })
  }
  try {
    const { cores, cpu, node } = describeMachine(places.directory)
    const commit = commitOf()
    const all: Record<string, Growth> = {}
    for (const store of stores) {
      const series = await measure(store, most, places)
      all[store] = { at: new Date().toISOString(), commit, machine: `${cores} × ${cpu}, Node ${node}`, series }
      if (save) keep(store, all[store])
    }
    process.stdout.write(`${JSON.stringify(all, undefined, 1)}\n`)
  } finally {
    places.remove()
  }
}

const options = readGrowthOptions(process.argv.slice(2))
if (options === "help") process.stdout.write(growthHelp)
else if ("wrong" in options) {
  process.stderr.write(`${options.wrong}\n\n${growthHelp}`)
  process.exitCode = 2
} else await grow(options)
