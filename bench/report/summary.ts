/** What results come to for somebody who chooses a store: the table in the README, made of them. */
import { goalCounts } from "../goals.ts"
import type { Row } from "../harness/row.ts"
import { spread } from "../harness/statistics.ts"
import type { Results } from "./results.ts"
import { bestOf, nameOf, oursOf, range, short, storeTitles } from "./table.ts"

/** What is shown of each store, in this order. */
const shown: ReadonlyArray<readonly [workload: string, figure: string]> = [
  ["append-1", "rate"],
  ["append-64", "rate"],
  ["append-batch-1000", "rate"],
  ["contend-16", "rate"],
  ["fold-1000", "rate"],
  ["read-all", "rate"],
  ["catch-up-handler", "rate"],
  ["catch-up-model", "rate"],
  ["latency-idle", "p50"],
  ["latency-idle", "p99"],
  ["kv-get-1", "rate"],
  ["kv-put-1", "rate"],
  ["kv-put-64", "rate"],
  ["import-history", "rate"],
  ["project-history", "rate"],
  ["open", "time"],
  ["open", "memory"],
  ["bytes", "bytes"]
]

/** Ours, how many times as good it is as by hand and as the best other library, and who failed; on which machine. */
const cellOf = (row: Row | undefined, several: boolean): string => {
  const ours = row && oursOf(row)?.value
  if (row === undefined || ours === undefined) return "–"
  const raw = bestOf(row, "raw")?.ratio
  const peer = bestOf(row, "peer")
  const failed = row.sides.filter(({ absent, kind }) => kind !== "ours" && absent?.is === "failed")
  return [
    `**${short(ours.median)}**`,
    ...raw === undefined ? [] : [short(raw.median)],
    ...peer?.ratio === undefined ? [] : [`${short(peer.ratio.median)} × ${peer.side}`],
    ...failed.map(({ side }) => `${side} failed`)
  ].join(" · ") + (several ? ` (${row.on + 1})` : "")
}

/** On what rows were measured, without which no figure is to be read: each of several machines with its number. */
const groundOf = ({ machines, rows }: Pick<Results, "machines" | "rows">, several: boolean): string => {
  const grounds = machines.flatMap(({ cores, cpu, fileSystem }, place) => {
    if (rows.every(({ on }) => on !== place)) return []
    const flushes = rows.flatMap(({ fsyncMillis, on }) => on === place ? fsyncMillis ?? [] : [])
    const flush = flushes.length === 0 ? "" : `, 4 KiB flushed in ${range(spread(flushes))} ms`
    return [`${several ? `(${place + 1}) ` : ""}${cores} × ${cpu}, ${fileSystem}${flush}`]
  })
  return `Measured on ${grounds.join("; ")}.`
}

/** The table, on what it was measured, and how the goals stand. */
const summaryOf = (results: Pick<Results, "machines" | "rows">): string => {
  const { machines, rows: all } = results
  const stores = Object.entries(storeTitles)
  const rows = shown.flatMap(([workload, figure]) =>
    all.filter((row) => row.workload === workload && row.figure === figure)
  )
  const several = new Set(rows.map(({ on }) => on)).size > 1
  const lines = [...Map.groupBy(rows, ({ figure, workload }) => `${workload} ${figure}`).values()].flatMap((own) => {
    const [first] = own
    if (first === undefined) return []
    const cells = stores.map(([store]) => cellOf(own.find((row) => row.store === store), several))
    return [`| ${nameOf(first)}, ${first.unit} | ${cells.join(" | ")} |`]
  })
  return [
    `| work | ${stores.map(([, title]) => title).join(" | ")} |`,
    `| --- |${" ---: |".repeat(stores.length)}`,
    ...lines,
    "",
    groundOf({ machines, rows }, several),
    "",
    `Goals that the project has set itself. ${goalCounts(all)}`
  ].join("\n")
}

const [begin, end] = ["<!-- made by npm run bench -- --save -->", "<!-- end of what is made -->"]

/** Puts the table where a page says that it goes. Throws where the page doesn't. */
export const withSummary = (page: string, results: Pick<Results, "machines" | "rows">): string => {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`there is no ${begin} … ${end} in the page`)
  return `${page.slice(0, from + begin.length)}\n\n${summaryOf(results)}\n\n${page.slice(to)}`
}
