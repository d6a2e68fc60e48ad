/** Results as a page that a stranger can read. */
import { goalTable, type Named } from "../goals.ts"
import { type Machine, postgresOf } from "../harness/machine.ts"
import type { Row } from "../harness/row.ts"
import { spread } from "../harness/statistics.ts"
import type { Results } from "./results.ts"
import { range, short, storeTitles, tableOf } from "./table.ts"

const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.map((line) => `  ${line}`)

const machineLines = ({ cores, cpu, fileSystem, memoryGiB, node, postgres, sqlite, system }: Machine) => [
  `- ${cores} × ${cpu}, ${memoryGiB} GiB, ${system}; stores on ${fileSystem}`,
  ...indented([
    `- Node ${node}; SQLite ${sqlite}, WAL, \`synchronous=FULL\``,
    ...postgres === undefined ? [] : [`- ${postgresOf(postgres)}`]
  ])
]

/** The packages that took part, each in all versions that rows were measured with. */
const libraryLines = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const libraries = new Set(rows.flatMap(({ sides }) => sides.flatMap(({ library }) => library ?? [])))
  return libraries.size === 0 ? [] : [`- Libraries: ${[...libraries].toSorted().join(", ")}`]
}

/** How the tables are read. */
const legend = [
  "- **ours** is persist through Promises, **through Effect** the same store through Effect",
  "- **by hand** is the same work on the same driver, better-sqlite3, `pg`, `fs` or `Map`: the least that would be",
  "  correct for one process that alone writes, as durable, and with group commit. Ours is held against it",
  "- **other libraries** do the same work as their documentation says, as durable where nothing else is noted below",
  "- **ours : …** says how many times as good ours is: 2 is twice as fast, or half of what should be little. It's the",
  "  median of ratios within rounds, in which the sides take turns, each in a process of its own, then the least and",
  "  the greatest. **best other** is the library that did best in that row, among those that are durable in a store",
  "  that is",
  "- **16 writers contending**: each reads how far the stream has come, appends after it, and goes on from what a",
  "  conflict tells, where one does; by hand on files and in memory it's in the process, so that nobody waits to read",
  "  it, and on files one writer has all the wins",
  "- **append to handler** by hand tells the handlers of its own process, and keeps no place; ours keeps it, so that",
  "  each event is handled though the process ends",
  "- **memory** while all is read is that of a process that has read it before, above what a forced collection left;",
  "  pages that SQLite keeps, 64 MiB on either side, are there by then. A process that reads all of them first thing",
  "  grows by 120 to 150 MiB, by hand by 115",
  "- all other figures are what the machine did meanwhile: median (least–greatest). – is what a side can't do, and",
  "  *not run* what it wasn't asked for",
  "- a goal is **met** where every round reaches it and **not met** where none does; **within noise** lies between"
]

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** What flushing 4 KiB took meanwhile, where it's known. */
const flushOf = (rows: ReadonlyArray<Row>): string => {
  const known = rows.flatMap(({ fsyncMillis }) => fsyncMillis ?? [])
  if (known.length === 0) return ""
  const flushes = spread(known)
  return `, 4 KiB written and flushed in ${short(flushes.median)} ms (${range(flushes)})`
}

/** Which of all rows were measured when: a line for each commit, day and number of rounds. */
const runLines = (rows: ReadonlyArray<Row>, all: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const runs = Map.groupBy(
    rows,
    ({ at, commit, rounds }) => `${at.slice(0, 10)} at ${commit}, ${countOf(rounds, "round")}`
  )
  return [...runs].map(([named, own]) => {
    const run = `${named}${flushOf(own)}`
    if (own.length === all.length) return `- ${run}`
    const stores = Map.groupBy(own, ({ store }) => store)
    const which = [...stores].map(([store, some]) =>
      `${storeTitles[store]}: ${[...new Set(some.map(({ workload }) => workload))].join(", ")}`
    )
    return `- ${run}: ${which.join("; ")}`
  })
}

/** Results as Markdown, with all goals, or only those that something was measured of. */
export const reportOf = ({ machines, quick, rows }: Results, named: Named = "all"): string => {
  const shown = rows.filter(({ figure }) => figure !== "cpu")
  const stores = Object.entries(storeTitles).flatMap(([store, name]) => {
    const own = shown.filter((row) => row.store === store)
    return own.length === 0 ? [] : ["", `## ${name}`, "", ...tableOf(own)]
  })
  return [
    "# Speed, side by side",
    "",
    `What persist costs over the same work by hand, and beside other libraries. \`npm run bench\` prints it for`,
    `your machine${quick ? "; **this was a quick run, not to be believed**" : ""}.`,
    "",
    "## Goals",
    "",
    goalTable(rows, named),
    "",
    "## How to read the tables",
    "",
    ...legend,
    ...stores,
    "",
    "## What it was measured on",
    "",
    ...machines.flatMap((machine, place) => {
      const own = shown.filter(({ on }) => on === place)
      return [...machineLines(machine), ...indented(runLines(own, shown))]
    }),
    "- Payloads are orders of some 200 bytes of JSON; every append is durable when it's answered, but in memory",
    ...libraryLines(shown),
    ""
  ].join("\n")
}
