/**
 * The import of a real history into an SQLite file, and the projections of it, beside the bare driver with the same
 * rows and flushes; each measurement in a process of its own, the sides taking turns. Run: `npm run bench:import`, or
 * `node --conditions=source bench/import.ts [rounds]`. Writes bench/results/import.json and .md.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expected, input } from "../examples/repository-history/figures.ts"
import { describeMachine, type Machine } from "./harness/machine.ts"
import { median } from "./harness/statistics.ts"

const rounds = Number(process.argv[2] ?? 7)
const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
const program = fileURLToPath(new URL("../packages/cli/src/bin.ts", import.meta.url))
const beside = fileURLToPath(new URL("import-side.ts", import.meta.url))
const results = fileURLToPath(new URL("results/", import.meta.url))

interface Taken {
  readonly events: number
  readonly milliseconds: number
}

/** Runs a program that prints what it took as a line of JSON. */
const run = (...args: ReadonlyArray<string>): Taken => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--conditions=source", ...args], {
    cwd: directory,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

const cases = ["import", "rawImport", "fold", "rawFold", "load"] as const
type Case = typeof cases[number]

const taken: Record<Case, Array<Taken>> = { import: [], rawImport: [], fold: [], rawFold: [], load: [] }

const round = (n: number): void => {
  const store = join(directory, `${n}.db`)
  const raw = join(directory, `${n}-raw.db`)
  const importing = () => taken.import.push(run(program, "import", "--json", "--store", `sqlite:${store}`, input))
  const rawImporting = () => taken.rawImport.push(run(beside, "raw-import", raw))
  // Neither side is always the one that finds the disk busy with what the other has left.
  for (const side of n % 2 === 0 ? [importing, rawImporting] : [rawImporting, importing]) side()
  taken.fold.push(run(beside, "fold", store))
  taken.rawFold.push(run(beside, "raw-fold", raw))
  run(beside, "load", store) // saves the snapshots
  taken.load.push(run(beside, "load", store))
  for (const path of [store, raw]) rmSync(path)
}

const middle = (name: Case): number => median(taken[name].map(({ milliseconds }) => milliseconds))

/** How the sides compare within each round, and then the middle one. */
const ratio = (ours: Case, theirs: Case): string =>
  median(taken[ours].map(({ milliseconds }, i) => milliseconds / (taken[theirs][i]?.milliseconds ?? NaN))).toFixed(2)

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(3)} s`

const rate = (events: number, milliseconds: number): string =>
  `${Math.round(events / milliseconds * 1000).toLocaleString("en-US")}/s`

const report = ({ cores, cpu, fsyncMillis, memoryGiB, node, sqlite, system }: Machine): string => {
  const row = (what: string, name: Case, times: string) => {
    const { events } = taken[name].at(-1) ?? { events: 0 }
    const read = events.toLocaleString("en-US")
    const perSecond = events === 0 ? "" : rate(events, middle(name))
    return `| ${what} | ${read} | ${seconds(middle(name))} | ${perSecond} | ${times} |`
  }
  const faster = (middle("fold") / middle("load")).toFixed(1)
  return `# Import and projections of ${expected.events.toLocaleString("en-US")} events

| what | events | time | rate | times the driver |
| --- | ---: | ---: | ---: | ---: |
${row("`persist import` from gzip into SQLite", "import", ratio("import", "rawImport"))}
${row("better-sqlite3 by hand, the same rows and flushes", "rawImport", "1")}
${row("three projections, all of the log read for each", "fold", ratio("fold", "rawFold"))}
${row("better-sqlite3 by hand, the same three folds", "rawFold", "1")}
${row("the three projections, from their snapshots", "load", "")}

From their snapshots the projections are there ${faster} times as fast as from zero; both open the file first.

Medians of ${rounds} rounds, each measurement in a new process (its start isn't counted, its compilation is), the sides
taking turns; ratios within rounds. The projections of the store are checked against the known figures in every round.

By hand means: no check of what is written, no record of how far the import came (the store's moves with each of 12,540
commits, so that a killed import goes on), no key, no snapshot.

- ${cores} × ${cpu}, ${memoryGiB} GiB, ${system}
- Node ${node}, SQLite ${sqlite}, WAL, \`synchronous=FULL\`: one fsync for each batch of 1,000 events, on both sides
- 4 KiB written and fsynced on this disk: ${fsyncMillis} ms

\`npm run bench:import\` measures it here.
`
}

for (let n = 0; n < rounds; n++) {
  round(n)
  const [ours, theirs] = [taken.import.at(-1), taken.rawImport.at(-1)]
  console.log(
    `round ${n + 1}: import ${seconds(ours?.milliseconds ?? 0)}, by hand ${seconds(theirs?.milliseconds ?? 0)}`
  )
}
const machine = describeMachine(directory)
rmSync(directory, { recursive: true })
mkdirSync(results, { recursive: true })
const medians = Object.fromEntries(cases.map((name) => [name, middle(name)]))
writeFileSync(join(results, "import.json"), `${JSON.stringify({ machine, rounds, medians, taken }, undefined, 2)}\n`)
writeFileSync(join(results, "import.md"), report(machine))
console.log(`\n${report(machine)}`)
