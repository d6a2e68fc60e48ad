/** Runs one workload on all sides of one store: they take turns, each in a process of its own. */
import { versionOf } from "../peers/load.ts"
import type { StoreName } from "../sides/persist.ts"
import { type Entry, sides } from "../sides/sides.ts"
import type { Figures, Sizes, Workload } from "../workloads/workload.ts"
import { type Child, type Limits, startChild } from "./child.ts"
import type { Places } from "./place.ts"
import { type Absence, type Row, rowsOf } from "./row.ts"

/** How a run is done. */
export interface Plan {
  readonly rounds: number
  /** The commit of the project that is measured. */
  readonly commit: string
  readonly sizes: Sizes
  readonly within: Limits
  /** Whether the peers take part. */
  readonly peers: boolean
  readonly say: (line: string) => void
}

interface Runner {
  readonly entry: Entry
  readonly child: Child | undefined
  /** Why it has no figures. */
  absent: Absence | undefined
  readonly taken: Array<Figures>
  readonly remove: () => Promise<void>
}

/** How a side is started in a process of its own. */
type Start = typeof startChild

/** Starts a side at a place of its own. */
const begin = async (
  entry: Entry,
  at: { readonly store: StoreName; readonly workload: string; readonly places: Places },
  plan: Plan,
  start: Start
): Promise<Runner> => {
  if (entry.kind === "peer" && !plan.peers) {
    return { entry, child: undefined, absent: { is: "left out" }, taken: [], remove: async () => undefined }
  }
  const { places, store, workload } = at
  const [place, remove] = await places.place(store)
  const child = await start({ store, side: entry.name, workload, place, sizes: plan.sizes }, plan.within)
  if ("is" in child && child.is === "failed") plan.say(`  ${entry.name} failed: ${child.why}`)
  return "is" in child
    ? { entry, child: undefined, absent: child, taken: [], remove }
    : { entry, child, absent: undefined, taken: [], remove }
}

const round = async (runner: Runner, say: Plan["say"]) => {
  if (runner.absent !== undefined || runner.child === undefined) return
  try {
    runner.taken.push(await runner.child.round())
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    runner.absent = { is: "failed", why }
    say(`  ${runner.entry.name} failed: ${why}`)
  }
}

const namedOf = ({ child, entry: { kind, library, name: side } }: Runner) => {
  const version = library === undefined ? undefined : versionOf(library)
  return {
    side,
    kind,
    ...version === undefined || child === undefined ? {} : { library: `${library} ${version}` },
    ...child?.about
  }
}

/** Measures a workload on the sides of a store, each started by `start`: rows by its figures. */
export const runWorkload = async (
  store: StoreName,
  workload: Workload,
  places: Places,
  plan: Plan,
  start: Start = startChild
): Promise<ReadonlyArray<Row>> => {
  const fsyncMillis = places.flush(store)
  const runners: Array<Runner> = []
  try {
    for (const entry of sides[store]) {
      const able = workload.needs.every((part) => entry.parts.includes(part))
      if (able) runners.push(await begin(entry, { store, workload: workload.name, places }, plan, start))
    }
    for (let n = 0; n < plan.rounds; n++) {
      // Nobody always comes after the same one, nor first.
      const turn = n % runners.length
      const order = [...runners.slice(turn), ...runners.slice(0, turn)]
      for (const runner of n % 2 === 0 ? order : order.toReversed()) await round(runner, plan.say)
    }
  } finally {
    for (const { child, remove } of runners) {
      await child?.close()
      await remove()
    }
  }
  const measured = runners.map((runner) => ({ named: namedOf(runner), absent: runner.absent, taken: runner.taken }))
  return rowsOf(workload, measured, {
    store,
    at: new Date().toISOString(),
    commit: plan.commit,
    rounds: plan.rounds,
    ...fsyncMillis === undefined ? {} : { fsyncMillis }
  })
}
