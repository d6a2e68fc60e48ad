/** What the bench makes of rows: goals that are met or not, and what has moved since the last results. */
import { expect, test } from "vitest"
import { standings } from "../../bench/goals.ts"
import type { Row } from "../../bench/harness/run.ts"
import { ratios, type Spread } from "../../bench/harness/statistics.ts"
import { moved, type Results } from "../../bench/report/results.ts"

const spreadOf = (median: number): Spread => ({ median, min: median * 0.9, max: median * 1.1 })

const rowOf = (ratio: number): Row => ({
  store: "sqlite",
  workload: "append-64",
  figure: "rate",
  title: "64 at once",
  unit: "events/s",
  better: "more",
  sides: [
    { side: "persist", kind: "ours", value: spreadOf(ratio * 1000) },
    { side: "by hand", kind: "raw", value: spreadOf(1000), ratio: spreadOf(ratio) },
    { side: "slow", kind: "peer", value: spreadOf(100), ratio: spreadOf(ratio * 10) },
    { side: "slower", kind: "peer", value: spreadOf(10), ratio: spreadOf(ratio * 100) }
  ]
})

const resultsOf = (...rows: ReadonlyArray<Row>): Results => ({
  machine: { cpu: "", cores: 1, memoryGiB: 1, system: "", node: "", sqlite: "", fsyncMillis: 1 },
  at: "2026-01-01T00:00:00Z",
  quick: false,
  rounds: 9,
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

test("a row has moved when each median lies outside of what the other run has seen", () => {
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.85)))).toEqual([])
  expect(moved(resultsOf(rowOf(0.8)), resultsOf(rowOf(0.5)))).toEqual(["sqlite: 64 at once: 0.800 → 0.500"])
  expect(moved(resultsOf(), resultsOf(rowOf(0.5)))).toEqual([])
})
