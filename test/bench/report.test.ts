/** What the bench makes of rows: goals that are met or not, and what has moved since the last results. */
import { expect, test } from "vitest"
import { goals, standings } from "../../bench/goals.ts"
import type { Row } from "../../bench/harness/run.ts"
import { ratios, type Spread } from "../../bench/harness/statistics.ts"
import { reportOf } from "../../bench/report/report.ts"
import { merged, moved, type Results, unlike } from "../../bench/report/results.ts"
import { tableOf } from "../../bench/report/table.ts"
import { workloads } from "../../bench/workloads/workloads.ts"

const spreadOf = (median: number): Spread => ({ median, min: median * 0.9, max: median * 1.1 })

const rowOf = (ratio: number): Row => ({
  store: "sqlite",
  workload: "append-64",
  figure: "rate",
  title: "64 at once",
  unit: "events/s",
  better: "more",
  at: "2026-01-01T00:00:00.000Z",
  commit: "1234567",
  rounds: 9,
  sides: [
    { side: "persist", kind: "ours", value: spreadOf(ratio * 1000) },
    { side: "by hand", kind: "raw", value: spreadOf(1000), ratio: spreadOf(ratio) },
    { side: "slow", kind: "peer", value: spreadOf(100), ratio: spreadOf(ratio * 10) },
    { side: "slower", kind: "peer", value: spreadOf(10), ratio: spreadOf(ratio * 100) }
  ]
})

const resultsOf = (...rows: ReadonlyArray<Row>): Results => ({
  machine: { cpu: "", cores: 1, memoryGiB: 1, system: "", node: "", sqlite: "", fsyncMillis: 1 },
  quick: false,
  rows
})

test("a ratio over 1 is better, whichever way better lies", () => {
  expect(ratios([20, 30, 40], [10, 10, 10], "more")).toEqual({ median: 3, min: 2, max: 4 })
  expect(ratios([20, 30, 40], [10, 10, 10], "less").max).toBe(0.5)
})

test("a goal is held against the limit and against the best of the peers", () => {
  const met = (ratio: number) => standings([rowOf(ratio)]).map(({ found, met: is }) => [found, is])
  expect(met(0.85)).toEqual([["0.850", false], ["8.50 (slow)", true]])
  expect(met(0.95)).toEqual([["0.950", true], ["9.50 (slow)", true]])
  expect(met(0.5)).toEqual([["0.500", false], ["5.00 (slow)", false]])
})

test("ours through Effect is held against ours through Promises", () => {
  const effect = (times: number): Row => ({
    ...rowOf(1),
    sides: [
      { side: "persist", kind: "ours", value: spreadOf(1000) },
      { side: "persist, Effect", kind: "ours", value: spreadOf(1000 * times), ratio: spreadOf(1 / times) }
    ]
  })
  const met = (times: number) => standings([effect(times)]).map(({ goal, met: is }) => [goal.against, is])
  expect(met(1.3)).toEqual([["Promise", true]])
  expect(met(0.8)).toEqual([["Promise", false]])
})

test("a goal names a figure of a workload, and a limit", () => {
  for (const { figure, least, most, workload } of goals) {
    expect(workloads.find(({ name }) => name === workload)?.figures).toHaveProperty([figure])
    expect([least, most].filter((limit) => limit !== undefined)).toHaveLength(1)
  }
  const keys = goals.map(({ against, figure, store, workload }) => [store, workload, figure, against].join(" "))
  expect(new Set(keys).size).toBe(keys.length)
})

test("a page says first how the goals stand, then how to read it, then what each side did", () => {
  const page = reportOf(resultsOf(rowOf(0.95)))
  expect(page.match(/^#+ .*$/gm)).toEqual([
    "# Speed, side by side",
    "## Goals",
    "## How to read the tables",
    "## SQLite",
    "## What it was measured on"
  ])
  expect(page).toContain("| SQLite: 64 at once | ≥ 0.900 of by hand | 0.950 | met |")
  expect(page).toContain("- 2026-01-01 at 1234567, 9 rounds")
})

test("a row has moved when each median lies outside of what the other run has seen", () => {
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.85)))).toEqual([])
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.5)))).toEqual(["sqlite: 64 at once: 0.800 → 0.500"])
  expect(moved(resultsOf(), resultsOf(rowOf(0.5)))).toEqual([])
})

test("rows of runs before stay, where they were measured alike, in the order of the workloads", () => {
  const [old, now] = [rowOf(0.8), { ...rowOf(0.9), commit: "7654321" }]
  const other = { ...old, workload: "kv-get-1" }
  const first = { ...now, workload: "append-1" }
  const gone = { ...old, workload: "no-such-workload" }
  const { rows } = merged(resultsOf(gone, other, old), resultsOf(now, first))
  expect(rows).toEqual([first, now, other])
  const { machine } = resultsOf()
  expect(unlike(resultsOf(), { machine, quick: false })).toBeUndefined()
  expect(unlike(resultsOf(), { machine, quick: true })).toBe("it wasn't quick")
  expect(unlike(resultsOf(), { machine: { ...machine, cores: 2 }, quick: false })).toMatch(/^it was on 1 /)
})

test("what is to be known of a side stands below its table, once", () => {
  const row = rowOf(0.8)
  const noted = {
    ...row,
    sides: [
      ...row.sides,
      { side: "lax", kind: "peer" as const, note: "flushes nothing", value: spreadOf(1) },
      { side: "broken", kind: "peer" as const, absent: "failed: busy" },
      { side: "small", kind: "peer" as const, absent: "hasn't got this" }
    ]
  }
  const lines = tableOf([noted, noted])
  expect(lines[2]).toContain("slower 10.0 (9.00–11.0); lax 1.00 (0.900–1.10)<sup>1</sup>; broken –<sup>2</sup> |")
  expect(lines.slice(4)).toEqual(["", "1. flushes nothing", "2. failed: busy"])
})
