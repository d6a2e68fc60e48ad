/** What persist is to reach, as data: the table of goals, each to be held against the row that measures it. */
import type { Row } from "./harness/run.ts"
import { bestOf, nameOf, oursOf, short } from "./report/table.ts"
import type { StoreName } from "./sides/persist.ts"

/** What ours is compared with, or its own figure. */
export type Against = "raw" | "peer" | "Effect" | "itself"

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
  // Through Promises no faster than through Effect.
  ...["append-1", "append-64", "kv-get-1"].map((name) => goal("memory", name, "Effect", { most: 1 }))
]

const sideOf = (row: Row, against: Against) => {
  if (against === "itself") return oursOf(row)
  return against === "Effect" ? row.sides[1] : bestOf(row, against)
}

const words: Readonly<Record<Against, string>> = {
  raw: " of by hand",
  peer: " times the best peer",
  Effect: " times Effect's",
  itself: ""
}

/** How the goals stand that the rows tell of. */
export const standings = (rows: ReadonlyArray<Row>): ReadonlyArray<Standing> =>
  goals.flatMap((one) => {
    const row = rows.find(({ figure, store, workload }) =>
      figure === one.figure && store === one.store && workload === one.workload
    )
    if (row === undefined) return []
    const side = sideOf(row, one.against)
    const found = (one.against === "itself" ? side?.value : side?.ratio)?.median
    if (found === undefined) return []
    const unit = one.against === "itself" ? ` ${row.unit}` : words[one.against]
    return {
      goal: one,
      title: `${nameOf(row)}, ${row.store}`,
      wanted: `${one.least === undefined ? `≤ ${short(one.most ?? NaN)}` : `≥ ${short(one.least)}`}${unit}`,
      found: `${short(found)}${one.against === "peer" ? ` (${side?.side})` : ""}`,
      met: found >= (one.least ?? -Infinity) && found <= (one.most ?? Infinity)
    }
  })

/** The goals as a table. */
export const goalTable = (rows: ReadonlyArray<Row>): string =>
  [
    "| work | goal | ours | |",
    "| --- | ---: | ---: | --- |",
    ...standings(rows).map(({ found, met, title, wanted }) =>
      `| ${title} | ${wanted} | ${found} | ${met ? "met" : "**not met**"} |`
    )
  ].join("\n")
