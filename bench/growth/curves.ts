/** The curves of growth as they are kept: which may take another's place, and how they are drawn. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Machine } from "../harness/machine.ts"
import type { Spread } from "../harness/statistics.ts"
import { readKept, replaceFile } from "../report/kept-file.ts"
import { plot, type Series } from "../report/plot.ts"
import { unlike } from "../report/results.ts"
import { short } from "../report/table.ts"
import type { StoreName } from "../sides/persist.ts"

/** What is drawn together, and in which unit; where the curves differ each says its own. */
const panels = {
  reading: "reading: microseconds a call, by events in the store",
  "all events": "passing over all events: microseconds an event, by events in the store",
  writing: "writing: microseconds a call (contending: a win), by events in the store",
  latency: "latency: microseconds, by events in the store",
  store: "the store, by events in it"
} as const

/** One of them. */
export type Panel = keyof typeof panels

/** The unit of a panel's figures, where it isn't in the names of its curves. */
export const unitOf = (panel: Panel): string => panel === "store" ? "" : " µs"

/** What something comes to where so many events are there. */
export interface Point {
  readonly events: number
  /** Of several measurements, in the unit of its panel. */
  readonly value: Spread
}

/** How one kind of work grows. */
export interface Curve {
  readonly name: string
  readonly panel: Panel
  readonly points: ReadonlyArray<Point>
}

/** The curves of one store, and where they come from. */
export interface Growth {
  readonly at: string
  readonly commit: string
  readonly machine: Machine
  /** How many events the store was filled with, from step to step. */
  readonly steps: ReadonlyArray<number>
  readonly curves: ReadonlyArray<Curve>
}

/** Where curves are kept in git. */
const bench = fileURLToPath(new URL("..", import.meta.url))

type Kept = Readonly<Partial<Record<StoreName, Growth>>>

/** The curves that are kept in a directory, or in git; those of before there were panels are none. */
export const keptGrowth = (directory: string = bench): Kept => {
  const path = join(directory, "growth.json")
  const all = Object.entries(readKept<Kept>(path) ?? {})
  return Object.fromEntries(all.filter(([, { curves }]) => curves.every(({ panel }) => panel in panels)))
}

/** Why curves that are kept aren't to be replaced by others unless that is asked for; `undefined` where they may. */
export const whyKept = (
  kept: Growth | undefined,
  { machine, steps }: Pick<Growth, "machine" | "steps">
): string | undefined => {
  if (kept === undefined) return undefined
  const [had, has] = [kept.steps.at(-1) ?? 0, steps.at(-1) ?? 0]
  if (had > has) return `it went up to ${short(had)} events, and this goes up to ${short(has)}`
  return unlike(kept.machine, machine)
}

const seriesOf = ({ name, points }: Curve): Series => ({
  name,
  points: points.map(({ events, value }) => [events, value.median] as const)
})

/** Draws the curves of a store and keeps them, in a directory or in git, in place of those from before. */
export const keepGrowth = (store: StoreName, growth: Growth, directory: string = bench): void => {
  const plots = Object.entries(panels).flatMap(([panel, title]) => {
    const own = growth.curves.filter((curve) => curve.panel === panel)
    return own.length === 0 ? [] : [{ title: `${store}: ${title}`, series: own.map(seriesOf) }]
  })
  replaceFile(join(directory, `growth-${store}.svg`), plot(plots))
  const all = { ...keptGrowth(directory), [store]: growth }
  replaceFile(join(directory, "growth.json"), `${JSON.stringify(all, undefined, 1)}\n`)
}
