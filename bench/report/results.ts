/** Results as they are kept in git: what was measured, on what, and what of it has moved since. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Machine } from "../harness/machine.ts"
import type { Row } from "../harness/run.ts"
import type { Spread } from "../harness/statistics.ts"
import { workloads } from "../workloads/workloads.ts"
import { reportOf } from "./report.ts"
import { bestOf, nameOf, oursOf, short } from "./table.ts"

/** Rows, and on what they were measured. */
export interface Results {
  readonly machine: Machine
  readonly quick: boolean
  readonly rows: ReadonlyArray<Row>
}

const json = fileURLToPath(new URL("../results.json", import.meta.url))
const markdown = fileURLToPath(new URL("../results.md", import.meta.url))

/** The results in git; `undefined` where there are none. */
export const keptResults = (): Results | undefined =>
  existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : undefined

const keyOf = ({ figure, store, workload }: Row): string => `${store}/${workload}/${figure}`

/** Why figures of two runs may not stand in one table; `undefined` where they may. */
export const unlike = (kept: Results, now: Omit<Results, "rows">): string | undefined => {
  if (kept.quick !== now.quick) return kept.quick ? "it was quick" : "it wasn't quick"
  const [was, is] = [kept.machine, now.machine].map(({ cores, cpu, node }) => `${cores} × ${cpu}, Node ${node}`)
  return was === is ? undefined : `it was on ${was}`
}

/** What is kept with what was measured now in place of the same from before, in the order of the workloads. */
export const merged = (kept: Results | undefined, now: Results): Results => {
  const byKey = new Map([...kept?.rows ?? [], ...now.rows].map((row) => [keyOf(row), row]))
  const rows = workloads.flatMap(({ figures, name }) =>
    Object.keys(figures).flatMap((figure) =>
      [...byKey.values()].filter((row) => row.workload === name && row.figure === figure)
    )
  )
  const { postgres } = kept?.machine ?? {}
  return { ...now, machine: { ...postgres === undefined ? {} : { postgres }, ...now.machine }, rows }
}

/** So that what is there is whole even where this process ends while it writes. */
const replace = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** Writes results.json and results.md; rows that weren't measured this time stay. */
export const keepResults = (results: Results): void => {
  const all = merged(keptResults(), results)
  replace(json, `${JSON.stringify(all, undefined, 1)}\n`)
  replace(markdown, reportOf(all))
}

const apart = (a: Spread, b: Spread): boolean =>
  (a.median > b.max || a.median < b.min) && (b.median > a.max || b.median < a.min)

/** What is compared of a row: ours to by hand, to the best peer where nothing is by hand, else ours alone. */
const figureOf = (row: Row): Spread | undefined =>
  (bestOf(row, "raw") ?? bestOf(row, "peer"))?.ratio ?? oursOf(row)?.value

/** The rows whose medians each lie outside of what the other run has seen: a line for each. */
export const moved = (before: Results, after: Results): ReadonlyArray<string> =>
  after.rows.flatMap((row) => {
    const old = before.rows.find((other) => keyOf(other) === keyOf(row))
    const [was, is] = [old && figureOf(old), figureOf(row)]
    if (was === undefined || is === undefined || !apart(was, is)) return []
    return `${row.store}: ${nameOf(row)}: ${short(was.median)} → ${short(is.median)}`
  })
