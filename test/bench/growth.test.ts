/** Growth stands where it says: so many events are there, and what was measured further on isn't written over. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { type Growth, keepGrowth, keptGrowth, type Panel, whyKept } from "../../bench/growth/curves.ts"
import { measure, measureWork } from "../../bench/growth/measure.ts"
import { makePlaces } from "../../bench/harness/place.ts"

const measured = async (store: "memory" | "sqlite", steps: ReadonlyArray<number>) => {
  const places = makePlaces()
  try {
    return await measure(store, steps, places, () => undefined, true)
  } finally {
    places.remove()
  }
}

test(
  "measures reads where as many events are there as it says, and writes behind them",
  { timeout: 120_000 },
  async () => {
    const steps = [8010, 100_000]
    const curves = await measured("memory", steps)
    const eventsOf = (panel: Panel) => curves.filter((curve) => curve.panel === panel).map(({ points }) => points)
    // Each pass over the log fails where it finds another number of events.
    for (const points of eventsOf("all events")) expect(points.map(({ events }) => events)).toEqual(steps)
    // A stream of ten thousand isn't there from the start.
    for (const points of eventsOf("reading")) {
      for (const { events } of points) expect(steps).toContain(events)
    }
    const written = [...eventsOf("writing"), ...eventsOf("latency")]
    for (const points of written) expect(points).toHaveLength(2)
    for (const [n, step] of steps.entries()) {
      const stood = written.map((points) => points[n]?.events ?? NaN)
      expect(stood).toEqual(stood.toSorted((a, b) => a - b))
      expect(stood[0]).toBe(step)
      expect(stood.at(-1)).toBeGreaterThan(step + 4000)
    }
    for (const { points } of curves) {
      for (const { value: { max, median, min } } of points) {
        expect(min).toBeGreaterThan(0)
        expect(median).toBeGreaterThanOrEqual(min)
        expect(max).toBeGreaterThanOrEqual(median)
      }
    }
  }
)

test("opens, imports into and kills what outlasts a process, and finds all of it", { timeout: 120_000 }, async () => {
  const curves = await measured("sqlite", [8010])
  const store = curves.filter(({ panel }) => panel === "store")
  expect(store.map(({ name }) => name)).toEqual([
    "disk, bytes an event",
    "open, read the head and close, ms",
    "open in a new process, ms",
    "memory above an empty process, MiB",
    "import 2,000 lines, ms",
    "open after kill -9, and append, ms"
  ])
  for (const { points } of store) expect(points).toHaveLength(1)
})

test("what only warms up is no figure, and a point stands halfway through the others", async () => {
  const side = { name: "none" }
  let calls = 0
  const growing = { events: 100, side } as unknown as Parameters<typeof measureWork>[0] // the work asks nothing of it
  const work = async () => ({ figures: { call: ++calls }, added: 10 })
  const told: Array<unknown> = []
  await measureWork(growing, "writing", [3, 2], work, (...all) => void told.push(all))
  // Two of ten each come before, three are measured.
  expect(told).toEqual([["writing", "call", { events: 135, value: { median: 4, min: 3, max: 5 } }]])
  expect(growing.events).toBe(150)
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
  curves: (["reading", "store"] as const).map((panel) => ({
    name: `get in ${panel}`,
    panel,
    points: steps.map((events) => ({ events, value: { median: 2, min: 1, max: 3 } }))
  }))
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
    const before = { at: "", steps: [10_000], curves: [{ name: "get", points: [{ events: 10_000, micros: {} }] }] }
    writeFileSync(join(directory, "growth.json"), JSON.stringify({ sqlite: before }))
    expect(keptGrowth(directory)).toEqual({})
    keepGrowth("memory", growth(10_000, 100_000), directory)
    keepGrowth("file", growth(10_000), directory)
    keepGrowth("memory", growth(10_000, 1_000_000), directory)
    expect(keptGrowth(directory)).toEqual({ memory: growth(10_000, 1_000_000), file: growth(10_000) })
    expect(readdirSync(directory).toSorted()).toEqual(["growth-file.svg", "growth-memory.svg", "growth.json"])
    const drawn = readFileSync(join(directory, "growth-memory.svg"), "utf8")
    for (const text of ["memory: the store", "get in reading: 2.00 → 2.00", "get in store: 2.00 → 2.00"]) {
      expect(drawn).toContain(text)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
