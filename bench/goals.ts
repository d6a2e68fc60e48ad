/** What persist is to reach, as data: the table of goals, each to be held against the row that measures it. */
import { hasFailed, type Row, type Taken } from "./harness/row.ts"
import type { Spread } from "./harness/statistics.ts"
import { bestOf, nameOf, oursOf, range, short, storeTitles } from "./report/table.ts"
import type { StoreName } from "./sides/persist.ts"
import { workloads } from "./workloads/workloads.ts"

/** What ours is compared with, or its own figure; against `Promise` it's ours through Effect that is compared. */
export type Against = "raw" | "peer" | "Promise" | "itself"

/** One goal of one row. */
export interface Goal {
  readonly store: StoreName
  readonly workload: string
  readonly figure: string
  readonly against: Against
  /** The ratio or figure that is to be reached. */
  readonly least?: number
  /** The ratio or figure that is not to be exceeded. */
  readonly most?: number
}

/**
 * How a goal stands: it's met where every round reaches it, not met where none does, and within noise between. It has
 * failed where ours has, and isn't measured where no row tells of it, or not of whom it's against.
 */
export type State = "met" | "within noise" | "not met" | "failed" | "not measured"

/** A goal, and how it stands. */
export interface Standing {
  readonly goal: Goal
  readonly title: string
  /** As people read them. */
  readonly wanted: string
  readonly found: string
  readonly state: State
  /** Whether the median of the rounds reaches it. */
  readonly reached: boolean
}

const goal = (
  store: StoreName,
  workload: string,
  against: Against,
  limit: Pick<Goal, "least" | "most">,
  figure: string = "rate"
): Goal => ({ store, workload, figure, against, ...limit })

const atLeast = (
  store: StoreName,
  against: Against,
  least: number,
  ...names: ReadonlyArray<string>
): ReadonlyArray<Goal> => names.map((name) => goal(store, name, against, { least }))

/** All goals. */
export const goals: ReadonlyArray<Goal> = [
  ...atLeast("sqlite", "raw", 0.9, "append-64"),
  ...atLeast("sqlite", "peer", 8, "append-64"),
  ...atLeast("postgres", "raw", 0.9, "append-64"),
  ...atLeast("postgres", "peer", 6, "append-64"),
  ...atLeast("file", "raw", 0.85, "append-64"),
  ...atLeast("sqlite", "raw", 0.85, "append-1"),
  ...atLeast("postgres", "raw", 0.85, "append-1"),
  ...atLeast("file", "raw", 0.85, "append-1"),
  ...atLeast("sqlite", "peer", 1, "append-1"),
  ...atLeast("postgres", "peer", 1, "append-1"),
  ...atLeast("sqlite", "raw", 0.8, "append-batch-100", "append-batch-1000", "contend-16"),
  ...atLeast("postgres", "raw", 0.8, "append-batch-100", "append-batch-1000", "contend-16"),
  ...(["sqlite", "file", "postgres"] as const).map((store) =>
    goal(store, "contend-16", "itself", { least: 0.5 }, "the writer with the fewest wins")
  ),
  ...atLeast("sqlite", "raw", 0.8, "fold-1000", "fold-10000", "read-all", "read-all-large"),
  ...atLeast("postgres", "peer", 1, "fold-1000", "fold-10000"),
  ...atLeast("postgres", "raw", 0.8, "read-all", "read-all-large"),
  // Bounded, where a million events, parsed, take more than 500 MiB when they are held: how far the heap grows before
  // it's collected depends on how long it has been read, so that nothing nearer to flat could be told from noise.
  ...(["sqlite", "file", "postgres"] as const).map((store) =>
    goal(store, "read-all-large", "itself", { most: 128 }, "memory")
  ),
  ...atLeast("sqlite", "itself", 200_000, "catch-up-handler"),
  ...atLeast("sqlite", "itself", 100_000, "catch-up-model"),
  ...atLeast("postgres", "itself", 100_000, "catch-up-handler"),
  ...atLeast("postgres", "itself", 50_000, "catch-up-model"),
  goal("sqlite", "latency-idle", "itself", { most: 3 }, "p99"),
  goal("postgres", "latency-idle", "itself", { most: 3 }, "p99"),
  goal("sqlite", "latency-other", "itself", { most: 10 }, "p99"),
  goal("postgres", "latency-other", "itself", { most: 10 }, "p99"),
  ...(["sqlite", "file", "postgres"] as const).map((store) =>
    goal(store, "load-snapshot", "itself", { most: 2 }, "times a fold of 20")
  ),
  ...atLeast("sqlite", "raw", 0.7, "kv-get-1"),
  ...atLeast("sqlite", "raw", 0.85, "kv-put-1", "kv-put-64"),
  ...atLeast("memory", "raw", 0.5, "append-1"),
  ...atLeast("memory", "peer", 1, "kv-get-1", "kv-put-1"),
  ...(["sqlite", "file"] as const).flatMap((store) => [
    goal(store, "open", "itself", { most: 100 }, "time"),
    goal(store, "open", "itself", { most: 50 }, "memory")
  ]),
  // Through Effect no slower than through Promises: in half of 33 rows the worst of five rounds lay more than 7 % below
  // the median, so that less than 5 % can't be told from nothing.
  ...(["sqlite", "file", "postgres", "memory"] as const).flatMap((store) =>
    atLeast(store, "Promise", 0.95, "append-1", "append-64", "fold-1000", "read-all", "kv-get-1", "kv-put-1")
  )
]

const words: Readonly<Record<Against, string>> = {
  raw: " of by hand",
  peer: " times the best other",
  Promise: " of through Promises",
  itself: ""
}

/** What a row says of a goal, and of whom that is. */
const foundIn = (row: Row, against: Against): readonly [found: Spread | undefined, of: Taken | undefined] => {
  if (against === "itself") return [oursOf(row)?.value, undefined]
  const effect = row.sides.filter(({ kind }) => kind === "ours")[1]
  if (against !== "Promise") {
    const best = bestOf(row, against)
    return [best?.ratio, best]
  }
  if (effect?.ratio === undefined) return [undefined, effect]
  const { max, median, min } = effect.ratio
  // A ratio says how many times as good the first is, which is ours through Promises.
  return [{ median: 1 / median, min: 1 / max, max: 1 / min }, effect]
}

/** Whether a goal is about a side that failed: ours through Promises, or either of ours where they are compared. */
const isFailed = ({ sides }: Row, against: Against): boolean =>
  sides.filter(({ kind }) => kind === "ours").slice(0, against === "Promise" ? 2 : 1).some(hasFailed)

/** How a goal stands by rounds, and whether their median reaches it. */
const stateOf = (
  { least = -Infinity, most = Infinity }: Goal,
  { max, median, min }: Spread
): Pick<Standing, "state" | "reached"> => {
  const reached = median >= least && median <= most
  if (min >= least && max <= most) return { state: "met", reached }
  return { state: max < least || min > most ? "not met" : "within noise", reached }
}

/** How one goal stands by the row that measures it, where there is one. */
const standingOf = (one: Goal, row: Row | undefined): Standing => {
  const workload = workloads.find(({ name }) => name === one.workload)
  // What was measured may have another name by now.
  const { title, unit } = row ?? { title: workload?.title ?? one.workload, unit: workload?.figures[one.figure]?.unit }
  const named = nameOf({ title, figure: one.figure })
  const of = one.against === "itself" ? ` ${unit}` : words[one.against]
  const about = {
    goal: one,
    title: `${storeTitles[one.store]}: ${named}${one.against === "Promise" ? ", through Effect" : ""}`,
    wanted: `${one.least === undefined ? `≤ ${short(one.most ?? NaN)}` : `≥ ${short(one.least)}`}${of}`
  }
  if (row !== undefined && isFailed(row, one.against)) return { ...about, found: "–", state: "failed", reached: false }
  const [found, side] = row === undefined ? [] : foundIn(row, one.against)
  if (found === undefined) return { ...about, found: "–", state: "not measured", reached: false }
  const whose = one.against === "peer" ? `, ${side?.side}` : ""
  return { ...about, found: `${short(found.median)} (${range(found)})${whose}`, ...stateOf(one, found) }
}

const rowOf = ({ figure, store, workload }: Goal, rows: ReadonlyArray<Row>): Row | undefined =>
  rows.find((row) => row.figure === figure && row.store === store && row.workload === workload)

/** How each goal stands by these rows. */
export const standings = (rows: ReadonlyArray<Row>): ReadonlyArray<Standing> =>
  goals.map((one) => standingOf(one, rowOf(one, rows)))

const labelOf = ({ reached, state }: Standing): string => {
  if (state === "within noise") return `**within noise**, ${reached ? "reached" : "missed"} by the median`
  return state === "met" || state === "not measured" ? state : `**${state}**`
}

const states: ReadonlyArray<State> = ["met", "within noise", "not met", "failed", "not measured"]

/** How many goals stand how. */
export const goalCounts = (rows: ReadonlyArray<Row>): string => {
  const all = standings(rows)
  const counts = states.flatMap((state) => {
    const own = all.filter((standing) => standing.state === state)
    const reached = state === "within noise"
      ? ` (${own.filter((standing) => standing.reached).length} of them reached by the median)`
      : ""
    return own.length === 0 ? [] : [`${own.length} ${state}${reached}`]
  })
  return `Of ${goals.length}: ${counts.join(", ")}.`
}

/** Which goals a page names: all of them, or those that a run has measured something of. */
export type Named = "all" | "measured"

/** The goals as a table, below what all of them come to. */
export const goalTable = (rows: ReadonlyArray<Row>, named: Named): string => {
  const shown = standings(rows).filter(({ goal: one }) => named === "all" || rowOf(one, rows) !== undefined)
  if (shown.length === 0) return goalCounts(rows)
  return [
    goalCounts(rows),
    "",
    "| work | goal | ours | |",
    "| --- | ---: | ---: | --- |",
    ...shown.map((standing) => `| ${standing.title} | ${standing.wanted} | ${standing.found} | ${labelOf(standing)} |`)
  ].join("\n")
}
