/** The README's table is what the kept results say, and goes only where it belongs. */
import { readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { expect, test } from "vitest"
import { describeMachine } from "../../bench/harness/machine.ts"
import { keptResults } from "../../bench/report/results.ts"
import { withSummary } from "../../bench/report/summary.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

test("the README's table is that of the kept results", () => {
  const results = keptResults()
  expect(results?.rows.length).toBeGreaterThan(0)
  expect(results && withSummary(readme, results)).toBe(readme)
})

test("it's what rows say: ours, of by hand, times the best other, and who failed", () => {
  const spread = (median: number) => ({ median, min: median, max: median })
  const row = {
    store: "sqlite",
    workload: "append-1",
    figure: "rate",
    title: "append",
    unit: "events/s",
    better: "more",
    at: "2026-01-01T00:00:00.000Z",
    commit: "0",
    rounds: 5,
    on: 0,
    sides: [
      { side: "ours", kind: "ours", value: spread(4000) },
      { side: "hand", kind: "raw", value: spread(5000), ratio: spread(0.8) },
      { side: "Slow", kind: "peer", value: spread(1000), ratio: spread(4) },
      { side: "Loose", kind: "peer", durable: false, value: spread(9000), ratio: spread(0.4) },
      { side: "Broken", kind: "peer", absent: { is: "failed", why: "no answer" } },
      { side: "Unasked", kind: "peer", absent: { is: "left out" } }
    ]
  } as const
  expect(withSummary(readme, { machines: [describeMachine(tmpdir())], rows: [row] })).toContain(
    "| append, events/s | **4,000** · 0.800 · 4.00 × Slow · Broken failed | – | – | – |"
  )
  const [ours] = row.sides
  const failed = { ...row, sides: [ours, { side: "hand", kind: "raw", absent: { is: "failed", why: "?" } }] } as const
  expect(withSummary(readme, { machines: [describeMachine(tmpdir())], rows: [failed] })).toContain(
    "| append, events/s | **4,000** · hand failed | – | – | – |"
  )
})

test("where rows are of several machines each says of which it is", () => {
  const machine = describeMachine(tmpdir())
  const { rows = [] } = keptResults() ?? {}
  const row = rows.find(({ store, workload }) => store === "sqlite" && workload === "append-1")
  const both = {
    machines: [machine, { ...machine, cpu: "another" }],
    rows: row === undefined ? [] : [{ ...row, on: 1 }, { ...row, store: "file" as const, on: 0 }]
  }
  const page = withSummary(readme, both)
  expect(page).toMatch(/\| append one event at a time, events\/s \| [^|]+ \(2\) \| [^|]+ \(1\) \| – \|/)
  expect(page).toMatch(/^Measured on \(1\) .*; \(2\) \d+ × another, /m)
  const one = withSummary(readme, { ...both, rows: both.rows.slice(0, 1) })
  expect(one).toMatch(/^Measured on \d+ × another, /m)
  expect(one).not.toMatch(/ \(2\) \|/)
})

test("a page without a place for it is refused", () => {
  expect(() => withSummary("# Another page", { machines: [], rows: [] })).toThrow("there is no")
})
