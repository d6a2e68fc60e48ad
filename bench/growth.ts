/**
 * How work grows with what is there: each store is filled step by step, and at every step the same work is measured.
 * Run: `npm run bench:growth [-- --store NAME] [--most EVENTS] [--save]`; `--save` writes bench/growth-*.svg and
 * bench/growth.json. One side, one process: it's the shape of a curve that counts.
 */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { makePlaces, type Places } from "./harness/place.ts"
import { median } from "./harness/statistics.ts"
import { orderOf } from "./payload.ts"
import { plot, type Series } from "./report/plot.ts"
import { short } from "./report/table.ts"
import { openPromise, type StoreName } from "./sides/persist.ts"
import type { Side } from "./sides/side.ts"
import { timed } from "./workloads/workload.ts"

const storeNames: ReadonlyArray<StoreName> = ["sqlite", "file", "postgres", "memory"]

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
  }
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

/** Microseconds a call of each work at each step. */
const measure = async (store: StoreName, most: number, places: Places): Promise<ReadonlyArray<Series>> => {
  const [place, remove] = await places.place(store)
  // All the verbs that are used here are there.
  const side = await openPromise(store)(place) as Required<Side>
  const found = works.map(({ name }) => ({ name, points: new Array<readonly [number, number]>() }))
  let filled = 0
  for (const events of steps.filter((step) => step <= most)) {
    await fill(side, filled, events)
    filled = events
    for (const [i, { count, name, run }] of works.entries()) {
      const taken: Array<number> = []
      // The first ones only warm it up.
      for (let round = -5; round < 0; round++) await run(side, events)
      for (let round = 0; round < 9; round++) taken.push(await timed(() => run(side, events)) * 1000 / count)
      found[i]?.points.push([events, median(taken)])
      process.stderr.write(`${store} ${short(events)}: ${name} ${short(median(taken))} µs\n`)
    }
  }
  await side.close()
  await remove()
  return found
}

const { values } = parseArgs({
  options: {
    store: { type: "string", multiple: true, default: [] },
    most: { type: "string", default: "1000000" },
    save: { type: "boolean", default: false }
  }
})
const places = makePlaces()
process.once("SIGINT", () => {
  places.remove()
  process.exit(130)
})
try {
  const all: Record<string, ReadonlyArray<Series>> = {}
  for (const store of storeNames.filter((name) => values.store.length === 0 || values.store.includes(name))) {
    all[store] = await measure(store, Number(values.most), places)
    const svg = fileURLToPath(new URL(`growth-${store}.svg`, import.meta.url))
    if (values.save) writeFileSync(svg, plot(`${store}: microseconds a call, by events in the store`, all[store]))
  }
  const text = `${JSON.stringify(all, undefined, 1)}\n`
  if (values.save) writeFileSync(fileURLToPath(new URL("growth.json", import.meta.url)), text)
  process.stdout.write(text)
} finally {
  places.remove()
}
