/** What a soak has come to, kind of store by kind of store. */
import type { Breach, BreachKind } from "./breach.ts"
import type { RunFigures } from "./run.ts"

/** The sums of many runs on one kind of store. */
export interface Sums {
  runs: number
  acknowledged: number
  unknown: number
  kills: number
  looks: number
  pages: number
  /** Single failpoints of a script that were met. */
  failpoints: number
  /** Losses of power on a real file system. */
  powerLosses: number
  readonly faults: Map<string, number>
  readonly breaches: Map<BreachKind, number>
}

/** Nothing yet. */
export const noSums = (): Sums => ({
  runs: 0,
  acknowledged: 0,
  unknown: 0,
  kills: 0,
  looks: 0,
  pages: 0,
  failpoints: 0,
  powerLosses: 0,
  faults: new Map(),
  breaches: new Map()
})

const count = <K>(into: Map<K, number>, key: K, more = 1): void => {
  into.set(key, (into.get(key) ?? 0) + more)
}

/** Adds breaches. */
export const addBreaches = ({ breaches }: Sums, found: ReadonlyArray<Breach>): void => {
  for (const { kind } of found) count(breaches, kind)
}

/** Adds a run. */
export const addRun = (sums: Sums, run: RunFigures): void => {
  sums.runs++
  sums.acknowledged += run.acknowledged
  sums.unknown += run.unknown
  sums.kills += run.kills
  sums.looks += run.looks
  sums.pages += run.pages
  for (const [name, many] of run.injected) count(sums.faults, name, many)
  addBreaches(sums, run.breaches)
}

const ofBreaches = ({ breaches }: Sums, ...kinds: ReadonlyArray<BreachKind>): number =>
  kinds.reduce((sum, kind) => sum + (breaches.get(kind) ?? 0), 0)

const named = new Set<BreachKind>(["lost", "duplicated", "reissued"])

/** The sums as they are printed and written as JSON. */
export const tableOf = (sums: Sums): Readonly<Record<string, number | Readonly<Record<string, number>>>> => ({
  runs: sums.runs,
  "commits acknowledged": sums.acknowledged,
  "commits unknown until resolved": sums.unknown,
  "processes killed": sums.kills,
  "failpoints met one by one": sums.failpoints,
  "losses of power": sums.powerLosses,
  "faults injected": Object.fromEntries([...sums.faults].sort(([a], [b]) => a < b ? -1 : 1)),
  "stores compared": sums.looks + sums.failpoints + sums.powerLosses,
  "readers' pages compared": sums.pages,
  lost: ofBreaches(sums, "lost"),
  duplicated: ofBreaches(sums, "duplicated"),
  "positions reissued": ofBreaches(sums, "reissued"),
  "other breaches": [...sums.breaches].reduce((sum, [kind, many]) => named.has(kind) ? sum : sum + many, 0)
})

/** The sums as lines. */
export const linesOf = (name: string, sums: Sums): ReadonlyArray<string> => [
  `${name}:`,
  ...Object.entries(tableOf(sums)).map(([what, many]) =>
    `  ${what.padEnd(32)}${
      typeof many === "number"
        ? many.toLocaleString("en")
        : Object.entries(many).map(([each, n]) => `${each} ${n.toLocaleString("en")}`).join(", ") || "none"
    }`
  )
]
