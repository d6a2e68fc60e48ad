/** Results as they are kept in git: what was measured, on what, and what of it has moved since. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Machine, postgresOf } from "../harness/machine.ts"
import { oursFailed, type Row } from "../harness/row.ts"
import type { Spread } from "../harness/statistics.ts"
import { workloads } from "../workloads/workloads.ts"
import { readKept, replaceFile } from "./kept-file.ts"
import { reportOf } from "./report.ts"
import { withSummary } from "./summary.ts"
import { bestOf, nameOf, oursOf, short } from "./table.ts"

/** Rows, and on what machines they were measured: one that has just been used is the only one. */
export interface Results {
  readonly machines: ReadonlyArray<Machine>
  readonly quick: boolean
  readonly rows: ReadonlyArray<Row>
}

/** Where results are kept in git. */
const bench = fileURLToPath(new URL("..", import.meta.url))

/**
 * The results that are kept in a directory, or in git, of workloads as they are now; `undefined` where there are none.
 * Throws `Unusable` where the file isn't one of the bench's.
 */
export const keptResults = (directory: string = bench): Results | undefined => {
  const path = join(directory, "results.json")
  const kept = readKept<Results>(path)
  return kept && { ...kept, rows: current(kept.rows) }
}

const keyOf = ({ figure, store, workload }: Row): string => `${store}/${workload}/${figure}`

/** Rows of workloads as they are now: what was measured of another work under the same name is of no use. */
const current = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.filter((row) => workloads.some(({ name, title }) => name === row.workload && title === row.title))

/** What figures depend on, in words; of PostgreSQL only where there is another to hold it against. */
const groundOf = (machine: Machine, { postgres }: Machine): ReadonlyArray<string> => [
  `${machine.cores} × ${machine.cpu}`,
  `${machine.memoryGiB} GiB`,
  machine.system,
  `Node ${machine.node}`,
  `SQLite ${machine.sqlite}`,
  machine.fileSystem,
  ...machine.postgres === undefined || postgres === undefined ? [] : [postgresOf(machine.postgres)]
]

/** Why figures of two machines may not be held against each other; `undefined` where they may. */
export const unlike = (kept: Machine, now: Machine): string | undefined => {
  const is = groundOf(now, kept)
  const other = groundOf(kept, now).findIndex((was, i) => was !== is[i])
  return other === -1 ? undefined : `it was on ${groundOf(kept, now)[other]}, and this is ${is[other]}`
}

/** Machines, those that are alike as one, and what becomes of the numbers by which rows name them. */
const together = (kept: ReadonlyArray<Machine>, now: ReadonlyArray<Machine>) => {
  const machines = [...kept]
  const places = now.map((machine) => {
    const place = machines.findIndex((known) => unlike(known, machine) === undefined)
    if (place < 0) return machines.push(machine) - 1
    machines[place] = { ...machines[place], ...machine }
    return place
  })
  return { machines, placeOf: (place: number): number => places[place] ?? place }
}

/** Leaves out machines that no row is of any more. */
const used = ({ machines, quick, rows }: Results): Results => {
  const places = [...new Set(rows.map(({ on }) => on))].toSorted((a, b) => a - b)
  return {
    quick,
    machines: machines.filter((_, place) => places.includes(place)),
    rows: rows.map((row) => ({ ...row, on: places.indexOf(row.on) }))
  }
}

/**
 * What is kept with what was measured now in place of the same from before, in the order of the workloads, each row of
 * the machine that it was measured on. A row in which ours failed takes no place: what it measured is of another work
 * than ours.
 */
export const merged = (kept: Results | undefined, now: Results): Results => {
  const { machines, placeOf } = together(kept?.machines ?? [], now.machines)
  const measured = now.rows.filter((row) => !oursFailed(row)).map((row) => ({ ...row, on: placeOf(row.on) }))
  const byKey = new Map([...kept?.rows ?? [], ...measured].map((row) => [keyOf(row), row]))
  const rows = workloads.flatMap(({ figures, name }) =>
    Object.keys(figures).flatMap((figure) =>
      [...byKey.values()].filter((row) => row.workload === name && row.figure === figure)
    )
  )
  return used({ machines, quick: now.quick, rows })
}

/**
 * Writes results.json and results.md in a directory, or in git, and the table in the README beside that directory; rows
 * that weren't measured this time stay.
 */
export const keepResults = (results: Results, directory: string = bench): void => {
  const all = merged(keptResults(directory), results)
  replaceFile(join(directory, "results.json"), `${JSON.stringify(all, undefined, 1)}\n`)
  replaceFile(join(directory, "results.md"), reportOf(all))
  const readme = join(directory, "..", "README.md")
  if (existsSync(readme)) replaceFile(readme, withSummary(readFileSync(readme, "utf8"), all))
}

const apart = (a: Spread, b: Spread): boolean =>
  (a.median > b.max || a.median < b.min) && (b.median > a.max || b.median < a.min)

/**
 * What is compared of a row, and beside whom: ours to by hand, to the best peer where nothing is by hand, else ours
 * alone. Nothing where ours failed.
 */
const figureOf = (row: Row): readonly [figure: Spread | undefined, beside: string | undefined] => {
  if (oursFailed(row)) return [undefined, undefined]
  const other = bestOf(row, "raw") ?? bestOf(row, "peer")
  return other?.ratio === undefined ? [oursOf(row)?.value, undefined] : [other.ratio, other.side]
}

/** The row of the same figure, workload and store that another run has measured on a machine like this one. */
const sameIn = (before: Results, after: Results, row: Row): Row | undefined => {
  const machine = after.machines[row.on]
  const old = before.rows.find((other) => keyOf(other) === keyOf(row))
  const was = old && before.machines[old.on]
  return machine === undefined || was === undefined || unlike(was, machine) !== undefined ? undefined : old
}

/** How many rows there is none for in another run, of a machine like theirs. */
export const incomparable = (before: Results, after: Results): number =>
  after.rows.filter((row) => sameIn(before, after, row) === undefined).length

/** The rows whose medians each lie outside of what the other run has seen on a machine like theirs: a line for each. */
export const moved = (before: Results, after: Results): ReadonlyArray<string> =>
  after.rows.flatMap((row) => {
    const old = sameIn(before, after, row)
    if (old === undefined) return []
    const [[was, wasBeside], [is, beside]] = [figureOf(old), figureOf(row)]
    if (was === undefined || is === undefined || wasBeside !== beside || !apart(was, is)) return []
    return `${row.store}: ${nameOf(row)}: ${short(was.median)} → ${short(is.median)}`
  })
