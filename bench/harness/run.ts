/** Runs one workload on all sides of one store: they take turns, each in a process of its own. */
import type { StoreName } from "../sides/persist.ts"
import { type Entry, type Kind, sides } from "../sides/sides.ts"
import type { Figure, Sizes, Workload } from "../workloads/workload.ts"
import { type Child, startChild } from "./child.ts"
import type { Places } from "./place.ts"
import { ratios, type Spread, spread } from "./statistics.ts"

/** What one side has done in one row. */
export interface Taken {
  readonly side: string
  readonly kind: Kind
  readonly note?: string | undefined
  /** Why there are no figures. */
  readonly absent?: string | undefined
  readonly value?: Spread
  /** How many times as good the row's first side is as this one, within rounds. */
  readonly ratio?: Spread
}

/** Whether a side took part and failed, which is no more to be passed over than what it measured. */
export const hasFailed = ({ absent }: Pick<Taken, "absent">): boolean => absent?.startsWith("failed") === true

/** One figure of one workload on one store, of all sides. */
export interface Row {
  readonly store: StoreName
  readonly workload: string
  readonly figure: string
  readonly title: string
  readonly unit: string
  readonly better: Figure["better"]
  readonly sides: ReadonlyArray<Taken>
  /** When it was measured, as ISO 8601, at which commit of the project, and in how many rounds. */
  readonly at: string
  readonly commit: string
  readonly rounds: number
}

/** How a run is done. */
export interface Plan {
  readonly rounds: number
  /** The commit of the project that is measured. */
  readonly commit: string
  readonly sizes: Sizes
  /** The most that preparing a side or one round may take, in milliseconds. */
  readonly within: number
  /** Whether the peers take part. */
  readonly peers: boolean
  readonly say: (line: string) => void
}

interface Runner {
  readonly entry: Entry
  readonly child: Child | undefined
  /** Why it has no figures. */
  absent: string | undefined
  readonly taken: Array<Readonly<Record<string, number>>>
  readonly remove: () => Promise<void>
}

const start = async (entry: Entry, store: StoreName, workload: Workload, places: Places, plan: Plan) => {
  const [place, remove] = await places.place(store)
  const assignment = { store, side: entry.name, workload: workload.name, place, sizes: plan.sizes }
  const child = await startChild(assignment, plan.within)
  const runner: Runner = {
    entry,
    child: typeof child === "string" ? undefined : child,
    absent: typeof child === "string" ? child : undefined,
    taken: [],
    remove
  }
  if (hasFailed(runner)) plan.say(`  ${entry.name} ${runner.absent}`)
  return runner
}

const round = async (runner: Runner, say: Plan["say"]) => {
  if (runner.absent !== undefined || runner.child === undefined) return
  try {
    runner.taken.push(await runner.child.round())
  } catch (error) {
    runner.absent = `failed: ${error instanceof Error ? error.message : String(error)}`
    say(`  ${runner.entry.name} ${runner.absent}`)
  }
}

/** Measures a workload on the sides of a store: rows by its figures. */
export const runWorkload = async (
  store: StoreName,
  workload: Workload,
  places: Places,
  plan: Plan
): Promise<ReadonlyArray<Row>> => {
  const runners: Array<Runner> = []
  try {
    for (const entry of sides[store]) {
      const able = workload.needs.every((part) => entry.parts.includes(part))
      if (able && (entry.kind !== "peer" || plan.peers)) runners.push(await start(entry, store, workload, places, plan))
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
  return Object.entries(workload.figures)
    .map(([name, figure]) => ({
      store,
      workload: workload.name,
      figure: name,
      title: workload.title,
      ...figure,
      sides: sidesOf(name, figure, runners),
      at: new Date().toISOString(),
      commit: plan.commit,
      rounds: plan.rounds
    }))
    .filter((row) => row.sides.some((side) => side.value !== undefined || hasFailed(side)))
}

const sidesOf = (name: string, { better }: Figure, runners: ReadonlyArray<Runner>): ReadonlyArray<Taken> => {
  const valuesOf = ({ taken }: Runner) => taken.flatMap((figures) => figures[name] ?? [])
  const [first] = runners
  const ours = first === undefined ? [] : valuesOf(first)
  return runners.map((runner): Taken => {
    const values = valuesOf(runner)
    const { entry: { kind, name: side }, absent, child } = runner
    const what = { side, kind, ...child?.note === undefined ? {} : { note: child.note } }
    if (values.length === 0 || absent !== undefined) return { ...what, absent: absent ?? "has no such figure" }
    const value = spread(values)
    if (runner === first || ours.length === 0) return { ...what, value }
    const ratio = ratios(ours, values, better)
    // Beside nothing there is no ratio, not even in one round: JSON couldn't keep it.
    return Number.isFinite(ratio.max) ? { ...what, value, ratio } : { ...what, value }
  })
}
