/** What persist is to reach, as data: the table of goals, each to be held against the row that measures it. */
import type { Row, Taken } from "./harness/run.ts"
import { bestOf, nameOf, oursOf, short, storeTitles } from "./report/table.ts"
import type { StoreName } from "./sides/persist.ts"

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

/** How a goal stands. */
export interface Standing {
  readonly goal: Goal
  readonly title: string
  /** As people read them. */
  readonly wanted: string
  readonly found: string
  readonly met: boolean
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
  // Flat: a million events, parsed, take more than 500 MiB where they are held.
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
  // Through Effect no slower than through Promises, but for what rounds of the same work differ by.
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
const foundIn = (row: Row, against: Against): readonly [found: number | undefined, of: Taken | undefined] => {
  if (against === "itself") return [oursOf(row)?.value?.median, undefined]
  const effect = row.sides.filter(({ kind }) => kind === "ours")[1]
  // A ratio says how many times as good the first is, which is ours through Promises.
  if (against === "Promise") return [effect?.ratio && 1 / effect.ratio.median, effect]
  const best = bestOf(row, against)
  return [best?.ratio?.median, best]
}

/** How the goals stand that the rows tell of. */
export const standings = (rows: ReadonlyArray<Row>): ReadonlyArray<Standing> =>
  goals.flatMap((one) => {
    const row = rows.find(({ figure, store, workload }) =>
      figure === one.figure && store === one.store && workload === one.workload
    )
    if (row === undefined) return []
    const [found, side] = foundIn(row, one.against)
    if (found === undefined) return []
    const unit = one.against === "itself" ? ` ${row.unit}` : words[one.against]
    return {
      goal: one,
      title: `${storeTitles[row.store]}: ${nameOf(row)}${one.against === "Promise" ? ", through Effect" : ""}`,
      wanted: `${one.least === undefined ? `≤ ${short(one.most ?? NaN)}` : `≥ ${short(one.least)}`}${unit}`,
      found: `${short(found)}${one.against === "peer" ? ` (${side?.side})` : ""}`,
      met: found >= (one.least ?? -Infinity) && found <= (one.most ?? Infinity)
    }
  })

/** The goals as a table, below what it comes to. */
export const goalTable = (rows: ReadonlyArray<Row>): string => {
  const all = standings(rows)
  const missing = goals.length - all.length
  return [
    `${all.filter(({ met }) => met).length} of ${goals.length} are met${
      missing === 0 ? "" : `, ${missing} weren't measured`
    }.`,
    "",
    "| work | goal | ours | |",
    "| --- | ---: | ---: | --- |",
    ...all.map(({ found, met, title, wanted }) =>
      `| ${title} | ${wanted} | ${found} | ${met ? "met" : "**not met**"} |`
    )
  ].join("\n")
}
