/** Results as they are kept in git: what was measured, on what, and what of it has moved since. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { goalTable } from "../goals.ts"
import type { Machine } from "../harness/machine.ts"
import type { Row } from "../harness/run.ts"
import type { Spread } from "../harness/statistics.ts"
import { bestOf, header, lineOf, short } from "./table.ts"

/** A run: on what, how, and its rows. */
export interface Results {
  readonly machine: Machine
  /** When it ended, as ISO 8601. */
  readonly at: string
  readonly quick: boolean
  readonly rounds: number
  readonly rows: ReadonlyArray<Row>
}

const json = fileURLToPath(new URL("../results.json", import.meta.url))
const markdown = fileURLToPath(new URL("../results.md", import.meta.url))

/** The results in git; `undefined` where there are none. */
export const keptResults = (): Results | undefined =>
  existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : undefined

const keyOf = ({ figure, store, workload }: Row): string => `${store}/${workload}/${figure}`

/** Two runs' rows, in the order of the first; the second's in place of the first's. */
const merged = (kept: ReadonlyArray<Row>, rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const byKey = new Map([...kept, ...rows].map((row) => [keyOf(row), row]))
  return [...byKey.values()]
}

/** Whether figures of two runs may stand in one table. */
const alike = (a: Results, b: Results): boolean =>
  a.quick === b.quick && a.rounds === b.rounds && a.machine.cpu === b.machine.cpu &&
  a.machine.cores === b.machine.cores && a.machine.node === b.machine.node

/** Writes results.json and results.md. Rows of a like run that weren't measured this time stay. */
export const keepResults = (results: Results): void => {
  const kept = keptResults()
  const stays = kept !== undefined && alike(kept, results) ? kept.rows : []
  const all = { ...results, rows: merged(stays, results.rows) }
  writeFileSync(json, `${JSON.stringify(all, undefined, 1)}\n`)
  writeFileSync(markdown, reportOf(all))
}

const names = { sqlite: "SQLite", file: "Files", postgres: "PostgreSQL", memory: "Memory" } as const

const machineLines = ({ cores, cpu, fsyncMillis, memoryGiB, node, postgres, sqlite, system }: Machine) => [
  `- ${cores} × ${cpu}, ${memoryGiB} GiB, ${system}; 4 KiB written and flushed in ${fsyncMillis} ms`,
  `- Node ${node}; SQLite ${sqlite}, WAL, \`synchronous=FULL\`${
    postgres === undefined ? "" : `; PostgreSQL ${postgres}`
  }`,
  "- Payloads are orders of some 200 bytes of JSON; every append is durable when it's answered, but in memory"
]

/** A run as Markdown. */
export const reportOf = (results: Results): string => {
  const { at, machine, quick, rounds, rows } = results
  const stores = Object.entries(names).flatMap(([store, name]) => {
    const own = rows.filter(({ figure, store: of }) => of === store && figure !== "cpu")
    return own.length === 0 ? [] : ["", `## ${name}`, "", header, ...own.map(lineOf)]
  })
  return [
    "# Speed, side by side",
    "",
    "Ratios say how many times as fast persist through Promises is as the same by hand, and as the fastest other",
    `library: medians of ${rounds} rounds in which the sides take turns, each in a process of its own, with the least`,
    "and the greatest. Rates are what this machine did meanwhile.",
    "",
    ...machineLines(machine),
    `- ${at.slice(0, 10)}, ${quick ? "quick: not to be believed" : `\`npm run bench\``}`,
    "",
    "## Goals",
    "",
    goalTable(rows),
    ...stores,
    ""
  ].join("\n")
}

const apart = (a: Spread, b: Spread): boolean =>
  (a.median > b.max || a.median < b.min) && (b.median > a.max || b.median < a.min)

/** What is compared of a row: ours to by hand, to the best peer where nothing is by hand, else ours alone. */
const figureOf = (row: Row): Spread | undefined =>
  (bestOf(row, "raw") ?? bestOf(row, "peer"))?.ratio ?? row.sides[0]?.value

/** The rows whose medians each lie outside of what the other run has seen: a line for each. */
export const moved = (before: Results, after: Results): ReadonlyArray<string> =>
  after.rows.flatMap((row) => {
    const old = before.rows.find((other) => keyOf(other) === keyOf(row))
    const [was, is] = [old && figureOf(old), figureOf(row)]
    if (was === undefined || is === undefined || !apart(was, is)) return []
    return `${row.store}: ${row.title}${row.figure === "rate" ? "" : `: ${row.figure}`}: ${short(was.median)} → ${
      short(is.median)
    }`
  })
