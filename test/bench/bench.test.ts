/** The bench runs: one small workload by each side that needs nothing installed, and its results have their shape. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { makePlaces } from "../../bench/harness/place.ts"
import { hasFailed } from "../../bench/harness/row.ts"
import { runWorkload } from "../../bench/harness/run.ts"
import { readGrowthOptions } from "../../bench/options.ts"
import type { Results } from "../../bench/report/results.ts"

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url))

const bench = (...args: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, ["--conditions=source", main, ...args], { encoding: "utf8" })

test("measures ours and by hand, says on what, and sets them in ratios", { timeout: 120_000 }, async () => {
  const args = ["--quick", "--json", "--no-peers", "--rounds", "1", "--store", "sqlite", "--only", "append-64"]
  const { stdout } = await bench(...args)
  const { machines: [machine], quick, rows }: Results = JSON.parse(stdout)
  expect({ node: machine?.node, quick }).toEqual({ node: process.versions.node, quick: true })
  expect(rows).toMatchObject([
    { store: "sqlite", workload: "append-64", figure: "rate", unit: "events/s", rounds: 1 },
    { store: "sqlite", workload: "append-64", figure: "cpu" }
  ])
  const sides = rows[0]?.sides.filter(({ absent }) => absent?.is !== "left out") ?? []
  expect(sides.map(({ kind }) => kind)).toEqual(["ours", "ours", "raw"])
  for (const { value } of sides) expect(value?.median).toBeGreaterThan(0)
  const [ours, effect, raw] = sides
  expect(raw?.ratio?.median).toBeCloseTo((ours?.value?.median ?? 0) / (raw?.value?.median ?? 0))
  expect(effect?.ratio?.median).toBeCloseTo((ours?.value?.median ?? 0) / (effect?.value?.median ?? 0))
})

test("a run of one row tells of the goals that it measured alone", { timeout: 120_000 }, async () => {
  const args = ["--quick", "--no-peers", "--rounds", "1", "--store", "memory", "--only", "append-1"]
  const { stdout } = await bench(...args)
  expect(stdout).toContain("| Memory: append one event at a time | ≥ 0.500 of by hand |")
  expect(stdout).not.toContain("| not measured |")
})

test("a side that failed is told of, also where nobody else took part", { timeout: 120_000 }, async () => {
  const places = makePlaces()
  const unknown = {
    name: "nothing-such",
    title: "what no side finds",
    figures: { rate: { unit: "events/s", better: "more" } },
    needs: ["log"],
    prepare: async () => undefined
  } as const
  const sizes = { log: 1, large: 1, keys: 1, open: 1, round: 1 }
  const plan = {
    rounds: 1,
    commit: "",
    sizes,
    within: { prepare: 60_000, round: 60_000 },
    peers: false,
    say: () => undefined
  }
  try {
    const rows = await runWorkload("memory", unknown, places, plan)
    const asked = rows.map(({ sides }) => sides.filter(({ absent }) => absent?.is !== "left out"))
    expect(asked.map((sides) => sides.map(hasFailed))).toEqual([[true, true, true]])
  } finally {
    places.remove()
  }
})

test("lists what --only and --skip leave", { timeout: 60_000 }, async () => {
  const { stdout } = await bench("--list", "--only", "kv-get", "--only", "kv-scan", "--skip", "kv-get-64")
  const namesIn = (list: string) => list.split("\n").map((line) => line.split(" ")[0])
  expect(namesIn(stdout)).toEqual(["kv-get-1", "kv-scan-1", ""])
  const whole = await bench("--list", "--only", "fold-1000", "--only", "read-", "--skip", "read-all")
  expect(namesIn(whole.stdout)).toEqual(["fold-1000", "read-all-large", ""])
})

test("refuses what it doesn't know, with its help", { timeout: 60_000 }, async () => {
  await expect(bench("--only", "nothing-such")).rejects.toMatchObject({ code: 2 })
  await expect(bench("--store", "redis")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no store redis")
  })
})

test("growth says how it's run, and refuses what it doesn't know", async () => {
  expect(readGrowthOptions(["--help"])).toBe("help")
  expect(readGrowthOptions(["--most", "20000", "--store", "sqlite"])).toMatchObject({
    most: 20_000,
    stores: ["sqlite"]
  })
  for (const wrong of [["--most", "abc"], ["--store", "redis"], ["--all"]]) {
    expect(readGrowthOptions(wrong)).toMatchObject({ wrong: expect.any(String) })
  }
})
