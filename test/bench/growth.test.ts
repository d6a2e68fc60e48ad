/** Growth stands where it says: so many events are there, and what was measured further on isn't written over. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { type Growth, keepGrowth, keptGrowth, whyKept } from "../../bench/growth/curves.ts"
import { measure } from "../../bench/growth/measure.ts"
import { passes, reads, writes } from "../../bench/growth/works.ts"
import { makePlaces } from "../../bench/harness/place.ts"

test("measures reads where as many events are there as it says, and writes behind them", async () => {
  const places = makePlaces()
  const steps = [8010, 16_000]
  try {
    const curves = await measure("memory", steps, places, () => undefined)
    const eventsOf = (name: string) => curves.find((curve) => curve.name === name)?.points.map(({ events }) => events)
    // Each pass over the log fails where it finds another number of events.
    for (const { name } of [...reads, ...passes]) expect(eventsOf(name)).toEqual(steps)
    const put = writes.filter(({ adds }) => adds === 0).map(({ name }) => eventsOf(name))
    expect(put).toEqual([steps])
    const appended = writes.filter(({ adds }) => adds > 0)
    // Seven times each; a point is halfway through.
    let from = 0
    for (const { calls, name } of appended) {
      expect(eventsOf(name)).toEqual(steps.map((step) => step + from + calls * 7 / 2))
      from += calls * 7
    }
    for (const { points } of curves) {
      for (const { micros: { max, median, min } } of points) {
        expect(min).toBeGreaterThan(0)
        expect(median).toBeGreaterThanOrEqual(min)
        expect(max).toBeGreaterThanOrEqual(median)
      }
    }
  } finally {
    places.remove()
  }
})

const machine = {
  cpu: "some cpu",
  cores: 2,
  memoryGiB: 8,
  system: "Linux 6",
  node: "24.0.0",
  sqlite: "3.50.0",
  fileSystem: "ext4"
}

const growth = (...steps: ReadonlyArray<number>): Growth => ({
  at: "2026-01-01T00:00:00.000Z",
  commit: "abc",
  machine,
  steps,
  curves: [{ name: "get", points: steps.map((events) => ({ events, micros: { median: 2, min: 1, max: 3 } })) }]
})

test("what goes further, or is of another machine, isn't replaced without being told so", () => {
  const kept = growth(10_000, 100_000)
  expect(whyKept(undefined, growth(10_000))).toBeUndefined()
  expect(whyKept(kept, growth(10_000, 100_000))).toBeUndefined()
  expect(whyKept(kept, growth(10_000, 100_000, 1_000_000))).toBeUndefined()
  expect(whyKept(kept, growth(10_000))).toBe("it went up to 100k events, and this goes up to 10.0k")
  const other = { ...growth(10_000, 100_000), machine: { ...machine, fileSystem: "tmpfs" } }
  expect(whyKept(kept, other)).toBe("it was on ext4, and this is tmpfs")
})

test("keeps the curves of a store beside those of others, drawn by their medians", () => {
  const directory = mkdtempSync(join(tmpdir(), "persist-growth-"))
  try {
    keepGrowth("memory", growth(10_000, 100_000), directory)
    keepGrowth("file", growth(10_000), directory)
    keepGrowth("memory", growth(10_000, 1_000_000), directory)
    expect(keptGrowth(directory)).toEqual({ memory: growth(10_000, 1_000_000), file: growth(10_000) })
    expect(readdirSync(directory).toSorted()).toEqual(["growth-file.svg", "growth-memory.svg", "growth.json"])
    expect(readFileSync(join(directory, "growth-memory.svg"), "utf8")).toContain("get: 2.00")
  } finally {
    rmSync(directory, { recursive: true })
  }
})
