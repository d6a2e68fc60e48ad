/**
 * How work grows with what is there: stores are filled with ever more events, and the same work is measured in each.
 * One side, one process: it's the shape of a curve that counts. `npm run bench:growth -- --help` says how to run it.
 */
import { type Growth, keepGrowth, keptGrowth, unitOf, whyKept } from "./growth/curves.ts"
import { measure } from "./growth/measure.ts"
import { commitOf, describeMachine, type Machine } from "./harness/machine.ts"
import type { Places } from "./harness/place.ts"
import { endingWith } from "./harness/unusable.ts"
import { withinPlaces } from "./harness/within-places.ts"
import { growthHelp, type GrowthOptions, readGrowthOptions } from "./options.ts"
import { short } from "./report/table.ts"
import type { StoreName } from "./sides/persist.ts"

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** The steps of a store, the last of which is the most; what is in memory is in the heap. */
const stepsOf = (store: StoreName, most: number): ReadonlyArray<number> => {
  const last = Math.min(most, store === "memory" ? 1_000_000 : Infinity)
  return [...[10_000, 100_000, 1_000_000, 10_000_000].filter((step) => step < last), last]
}

/** Says of each store why its curves are to stay that are kept; whether there is one. */
const refused = (
  { most, replace, save, stores }: GrowthOptions,
  machineOf: (store: StoreName) => Machine
): boolean => {
  if (!save || replace) return false
  const kept = keptGrowth()
  const reasons = stores.flatMap((store) => {
    const why = whyKept(kept[store], { machine: machineOf(store), steps: stepsOf(store, most) })
    return why === undefined ? [] : `what is kept of ${store} stays: ${why}. --replace puts this in its place`
  })
  reasons.forEach(say)
  return reasons.length > 0
}

/** Measures the stores in places; the code to end with. */
const grow = async (options: GrowthOptions, places: Places): Promise<number> => {
  const { most, save, stores } = options
  const machine = describeMachine(places.directory)
  const postgres = stores.includes("postgres") ? await places.postgres() : undefined
  const machineOf = (store: StoreName): Machine =>
    store === "postgres" && postgres !== undefined ? { ...machine, postgres } : machine
  if (refused(options, machineOf)) return 2
  const commit = commitOf()
  const all: Partial<Record<StoreName, Growth>> = {}
  for (const store of stores) {
    const steps = stepsOf(store, most)
    const curves = await measure(
      store,
      steps,
      places,
      (panel, name, { events, value: { max, median, min } }) =>
        say(`${store} ${short(events)}: ${name}: ${short(median)}${unitOf(panel)} (${short(min)}–${short(max)})`)
    )
    const growth = { at: new Date().toISOString(), commit, machine: machineOf(store), steps, curves }
    all[store] = growth
    if (save) keepGrowth(store, growth)
  }
  process.stdout.write(`${JSON.stringify(all, undefined, 1)}\n`)
  return 0
}

const options = readGrowthOptions(process.argv.slice(2))
if (options === "help") process.stdout.write(growthHelp)
else if ("wrong" in options) {
  say(`${options.wrong}: see --help`)
  process.exitCode = 2
} else {
  process.exitCode = await endingWith(() => withinPlaces(options.directory, (places) => grow(options, places)))
}
