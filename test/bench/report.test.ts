/** What the bench makes of rows: goals that are met or not, and what has moved since the last results. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { goals, type Standing, standings } from "../../bench/goals.ts"
import type { Machine, Postgres } from "../../bench/harness/machine.ts"
import type { Row, Taken } from "../../bench/harness/row.ts"
import { ratios, type Spread } from "../../bench/harness/statistics.ts"
import { readOptions } from "../../bench/options.ts"
import { reportOf } from "../../bench/report/report.ts"
import {
  incomparable,
  keepResults,
  keptResults,
  merged,
  moved,
  type Results,
  unlike
} from "../../bench/report/results.ts"
import { bestOf, tableOf } from "../../bench/report/table.ts"
import { rate } from "../../bench/workloads/workload.ts"
import { workloads } from "../../bench/workloads/workloads.ts"

const spreadOf = (median: number): Spread => ({ median, min: median * 0.9, max: median * 1.1 })

const rowOf = (ratio: number): Row => ({
  store: "sqlite",
  workload: "append-64",
  figure: "rate",
  title: "64 concurrent appenders, one event each",
  unit: "events/s",
  better: "more",
  at: "2026-01-01T00:00:00.000Z",
  commit: "1234567",
  rounds: 9,
  on: 0,
  sides: [
    { side: "persist", kind: "ours", value: spreadOf(ratio * 1000) },
    { side: "by hand", kind: "raw", value: spreadOf(1000), ratio: spreadOf(ratio) },
    { side: "slow", kind: "peer", value: spreadOf(100), ratio: spreadOf(ratio * 10) },
    { side: "slower", kind: "peer", value: spreadOf(10), ratio: spreadOf(ratio * 100) }
  ]
})

const isMeasured = ({ state }: Standing): boolean => state !== "not measured"

/** What is found of the goals that a row tells of, and how they stand. */
const standing = (row: Row) => standings([row]).filter(isMeasured).map(({ found, state }) => [found, state])

const machine: Machine = {
  cpu: "",
  cores: 1,
  memoryGiB: 1,
  system: "",
  node: "",
  sqlite: "",
  fileSystem: "ext4"
}

const resultsOf = (...rows: ReadonlyArray<Row>): Results => ({
  machines: [machine],
  quick: false,
  rows
})

test("a ratio over 1 is better, whichever way better lies", () => {
  expect(ratios([20, 30, 40], [10, 10, 10], "more")).toEqual({ median: 3, min: 2, max: 4 })
  expect(ratios([20, 30, 40], [10, 10, 10], "less").max).toBe(0.5)
})

test("a goal is held against the limit and against the best of the peers", () => {
  expect(standing(rowOf(0.8))).toEqual([["0.800 (0.720–0.880)", "not met"], ["8.00 (7.20–8.80), slow", "within noise"]])
  expect(standing(rowOf(1.2))).toEqual([["1.20 (1.08–1.32)", "met"], ["12.0 (10.8–13.2), slow", "met"]])
  expect(standing(rowOf(0.5))).toEqual([["0.500 (0.450–0.550)", "not met"], ["5.00 (4.50–5.50), slow", "not met"]])
})

test("a goal that some rounds reach and others don't lies within noise, whatever the median says", () => {
  const [over, under] = [0.95, 0.85].map((ratio) => standings([rowOf(ratio)]).find(isMeasured))
  expect(over).toMatchObject({ state: "within noise", reached: true })
  expect(under).toMatchObject({ state: "within noise", reached: false })
  expect(reportOf(resultsOf(rowOf(0.85)))).toContain(": 2 within noise (1 of them reached by the median),")
})

test("the best other is the best of those that are as durable as the store can be", () => {
  const lax: Taken = { side: "lax", kind: "peer", durable: false, value: spreadOf(5000), ratio: spreadOf(0.2) }
  const row = rowOf(1.2)
  const beside = { ...row, sides: [...row.sides, lax] }
  expect(standing(beside)).toEqual(standing(row))
  expect(bestOf({ ...beside, store: "memory" }, "peer")).toBe(lax)
})

test("ours through Effect is held against ours through Promises", () => {
  const effect = (times: number): Row => ({
    ...rowOf(1),
    sides: [
      { side: "persist", kind: "ours", value: spreadOf(1000) },
      { side: "persist, Effect", kind: "ours", value: spreadOf(1000 * times), ratio: spreadOf(1 / times) }
    ]
  })
  expect(standing(effect(1.3))).toEqual([["1.30 (1.18–1.44)", "met"]])
  expect(standing(effect(0.8))).toEqual([["0.800 (0.727–0.889)", "not met"]])
})

test("ours through Effect that failed meets nothing, and takes nothing from ours through Promises", () => {
  const good = rowOf(1.2)
  const effect: Taken = { side: "persist, Effect", kind: "ours", absent: { is: "failed", why: "gone" } }
  const row = { ...good, sides: [...good.sides.slice(0, 1), effect, ...good.sides.slice(1)] }
  expect(standing(row)).toEqual([...standing(good), ["–", "failed"]])
  expect(tableOf([row]).join("\n")).toMatch(/\| – \[1\] \|[^]*\n1\. failed: gone$/)
})

test("nothing is met in a row in which ours failed, nor is it kept over another", () => {
  const good = rowOf(1.2)
  const failed: Row = {
    ...good,
    sides: [{ side: "persist", kind: "ours", absent: { is: "failed", why: "gone" } }, ...good.sides.slice(1)]
  }
  expect(new Set(standing(failed).map(([, state]) => state))).toEqual(new Set(["failed"]))
  expect(merged(resultsOf(good), resultsOf(failed)).rows).toEqual([good])
  expect(merged(undefined, resultsOf(failed)).rows).toEqual([])
  // What is left of ours, through Effect, isn't held against what was ours, through Promises.
  const effect: Taken = { side: "persist, Effect", kind: "ours", value: spreadOf(1) }
  const alone = { ...good, sides: good.sides.slice(0, 1) }
  expect(moved(resultsOf(alone), resultsOf({ ...failed, sides: [...failed.sides.slice(0, 1), effect] }))).toEqual([])
})

test("a goal that no row tells of isn't measured, and says so", () => {
  const all = standings([])
  expect(all.map(({ goal }) => goal)).toEqual(goals)
  expect(new Set(all.map(({ state }) => state))).toEqual(new Set(["not measured"]))
  expect(reportOf(resultsOf())).toContain("| SQLite: kv get, one at a time | ≥ 0.700 of by hand | – | not measured |")
})

test("a run prints no goals of what it didn't do, and those of what it couldn't measure", () => {
  const nothing = reportOf(resultsOf(), "measured")
  expect(nothing).toContain(`Of ${goals.length}: ${goals.length} not measured.`)
  expect(nothing).not.toContain("| not measured |")
  const row = rowOf(1)
  const alone = { ...row, sides: row.sides.filter(({ kind }) => kind === "ours") }
  const lines = reportOf(resultsOf(alone), "measured").split("\n").filter((line) => line.includes("| not measured |"))
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toContain(row.title)
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
  const page = reportOf(resultsOf(rowOf(1.2)))
  expect(page.match(/^#+ .*$/gm)).toEqual([
    "# Speed, side by side",
    "## Goals",
    "## How to read the tables",
    "## SQLite",
    "## What it was measured on"
  ])
  expect(page).toContain(
    "| SQLite: 64 concurrent appenders, one event each | ≥ 0.900 of by hand | 1.20 (1.08–1.32) | met |"
  )
  expect(page).toContain("- 2026-01-01 at 1234567, 9 rounds")
})

test("a row has moved when each median lies outside of what the other run has seen", () => {
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.85)))).toEqual([])
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.5)))).toEqual([
    "sqlite: 64 concurrent appenders, one event each: 0.800 → 0.500"
  ])
  expect(moved(resultsOf(), resultsOf(rowOf(0.5)))).toEqual([])
  const alone = { ...rowOf(0.5), sides: rowOf(0.5).sides.slice(0, 1) }
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(alone))).toEqual([])
})

test("rows of runs before stay, where they were measured alike, in the order of the workloads", () => {
  const [old, now] = [rowOf(0.8), { ...rowOf(0.9), commit: "7654321" }]
  const other = { ...old, workload: "kv-get-1" }
  const first = { ...now, workload: "append-1" }
  const gone = { ...old, workload: "no-such-workload" }
  const { rows } = merged(resultsOf(gone, other, old), resultsOf(now, first))
  expect(rows).toEqual([first, now, other])
})

test("figures are held only against those of a machine like theirs, and each row stays with its own", () => {
  expect(unlike(machine, machine)).toBeUndefined()
  expect(unlike(machine, { ...machine, cores: 2 })).toMatch(/^it was on 1 /)
  expect(unlike(machine, { ...machine, fileSystem: "tmpfs" })).toBe("it was on ext4, and this is tmpfs")
  for (const change of [{ memoryGiB: 2 }, { system: "x" }, { node: "x" }, { sqlite: "x" }]) {
    expect(unlike(machine, { ...machine, ...change })).toBeDefined()
  }
  const elsewhere = { ...machine, cpu: "another" }
  const [was, is] = [rowOf(0.8), rowOf(0.5)]
  const before = resultsOf(was, { ...was, store: "file" })
  const after = { ...resultsOf(is), machines: [elsewhere] }
  expect(moved(before, after)).toEqual([])
  expect(incomparable(before, after)).toBe(1)
  expect(incomparable(before, resultsOf(is))).toBe(0)
  const both = merged(before, after)
  expect(both.machines).toEqual([machine, elsewhere])
  expect(both.rows.map(({ on, store }) => [store, on])).toEqual([["sqlite", 1], ["file", 0]])
  const page = reportOf(both)
  expect(page.indexOf("× another")).toBeLessThan(page.indexOf("SQLite: append-64"))
  // A machine that no row is of any more is gone.
  const all = merged(both, { ...resultsOf({ ...is, store: "file" }), machines: [elsewhere] })
  expect(all.machines).toEqual([elsewhere])
  expect(all.rows.map(({ on }) => on)).toEqual([0, 0])
})

test("PostgreSQL of another version, with other settings or on another disk isn't held against the one before", () => {
  const on = (change: Partial<Postgres>): Machine => ({
    ...machine,
    postgres: { version: "18.4", settings: { fsync: "on" }, data: "on ext4", ...change }
  })
  expect(unlike(on({}), machine)).toBeUndefined()
  expect(unlike(on({}), on({}))).toBeUndefined()
  for (const change of [{ version: "17.1" }, { settings: { fsync: "off" } }, { data: "on tmpfs" }]) {
    expect(unlike(on({}), on(change))).toMatch(/^it was on PostgreSQL 18.4, its data on ext4/)
  }
  const kept = { ...resultsOf(rowOf(1)), machines: [on({})] }
  expect(merged(kept, resultsOf(rowOf(1))).machines).toEqual([on({})])
  expect(reportOf(kept)).toContain("- PostgreSQL 18.4, its data on ext4, fsync on\n")
})

test("what is kept can be read again, and page and rows stay whole", () => {
  const directory = mkdtempSync(join(tmpdir(), "persist-results-"))
  try {
    expect(keptResults(directory)).toBeUndefined()
    keepResults(resultsOf(rowOf(0.8)), directory)
    keepResults(resultsOf({ ...rowOf(0.9), workload: "append-1", title: "append one event at a time" }), directory)
    const kept = keptResults(directory)
    expect(kept?.rows.map(({ workload }) => workload)).toEqual(["append-1", "append-64"])
    expect(kept && reportOf(kept)).toBe(readFileSync(join(directory, "results.md"), "utf8"))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("the results in git are read, and every side of them has a figure or says why not", () => {
  const kept = keptResults()
  for (const side of kept?.rows.flatMap(({ sides }) => sides) ?? []) {
    expect([typeof side.value?.median, typeof side.absent?.is].toSorted()).not.toEqual(["undefined", "undefined"])
  }
  expect(kept && reportOf(kept)).not.toMatch(/undefined|NaN|\[object/)
})

test("a run says what flushes took and which libraries took part", () => {
  const row = rowOf(0.8)
  const libraries = { ...row, sides: row.sides.map((side) => ({ ...side, library: `${side.kind}-library 1.2.3` })) }
  const page = reportOf(resultsOf({ ...libraries, fsyncMillis: 0.25 }, { ...libraries, fsyncMillis: 1, figure: "p50" }))
  expect(page).toContain("- Libraries: ours-library 1.2.3, peer-library 1.2.3, raw-library 1.2.3")
  expect(page).toContain("9 rounds, 4 KiB written and flushed in 1.00 ms (0.250–1.00)")
})

test("a comparison and what is kept need rounds that can be told apart", () => {
  for (const option of ["--compare", "--save"]) {
    expect(readOptions([option, "--rounds", "2"])).toMatchObject({ wrong: expect.stringContaining("3 rounds") })
    expect(readOptions([option, "--rounds", "3"])).toMatchObject({ rounds: 3 })
  }
  expect(readOptions(["--rounds", "1"])).toMatchObject({ rounds: 1 })
})

test("what the processor took is for one of what was done", () => {
  expect(["events/s", "entries/s", "calls/s"].map((unit) => rate(unit).cpu?.unit)).toEqual([
    "microseconds of processor, event",
    "microseconds of processor, entry",
    "microseconds of processor, call"
  ])
})

test("what is to be known of a side stands below its table, once", () => {
  const row = rowOf(0.8)
  const noted: Row = {
    ...row,
    sides: [
      ...row.sides,
      { side: "lax", kind: "peer", note: "flushes nothing", value: spreadOf(1) },
      { side: "broken", kind: "peer", absent: { is: "failed", why: "busy" } },
      { side: "small", kind: "peer", absent: { is: "unable" } },
      { side: "partial", kind: "peer", absent: { is: "without figure" } },
      { side: "away", kind: "peer", absent: { is: "left out" } },
      { side: "missing", kind: "peer", absent: { is: "not installed" } }
    ]
  }
  const lines = tableOf([noted, noted])
  expect(lines[2]).toContain("slower 10.0 (9.00–11.0); lax 1.00 (0.900–1.10) [1];")
  expect(lines[2]).toMatch(/; broken – \[2\]; away not run; missing – \[3\] \|$/)
  expect(lines.slice(4)).toEqual(["", "1. flushes nothing", "2. failed: busy", "3. isn't installed"])
})
