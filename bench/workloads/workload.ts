/** What a workload is: how it prepares a side, and what one round of it measures. */
import type { Side } from "../sides/side.ts"
import type { Part } from "../sides/sides.ts"

/** How a figure is read. */
export interface Figure {
  readonly unit: string
  readonly better: "more" | "less"
}

/** What one round has measured, by the names of the workload's figures. */
export type Figures = Readonly<Record<string, number>>

/** A side that is ready for rounds. */
export type Ready =
  | {
    /** Does its work `count` times, of which the harness measures the figures of `rate`. */
    readonly repeat: (count: number) => Promise<void>
    /** How many events or keys one time is. */
    readonly each: number
    /** Whether a round tells how much memory becomes resident when it's done once more, as the figure `memory`. */
    readonly memory?: boolean
  }
  | {
    readonly measure: () => Promise<Figures>
    /** Closes what it has opened beside the side itself. */
    readonly close?: () => Promise<void>
  }

/** How much there is of what workloads read, and how long their rounds are. */
export interface Sizes {
  /** Events in a store whose log is read as a whole. */
  readonly log: number
  /** Events in a store whose log is read as a whole, where there are many. */
  readonly large: number
  /** Keys in a kv. */
  readonly keys: number
  /** Events in a store that is opened. */
  readonly open: number
  /** How long a round takes, about, in milliseconds. */
  readonly round: number
}

/** One workload. */
export interface Workload {
  readonly name: string
  /** What it does, as a row of the table. */
  readonly title: string
  readonly figures: Readonly<Record<string, Figure>>
  /** How many clients call at once; one, where it isn't said. */
  readonly clients?: number
  /** What a side must keep to take part. */
  readonly needs: ReadonlyArray<Part>
  /** Fills a side and says how a round goes; `undefined` where the side hasn't got the verb. */
  readonly prepare: (side: Side, sizes: Sizes) => Promise<Ready | undefined>
}

/** The figures of workloads that are repeated; the processor's time is kept, but isn't in the tables. */
export const rate = (unit: string): Workload["figures"] => ({
  rate: { unit, better: "more" },
  cpu: { unit: `microseconds of processor, ${unit.replace(/ies\/s$/, "y").replace(/s\/s$/, "")}`, better: "less" }
})

/** Repeats something, one time after another. */
export const oneByOne = (run: () => Promise<void>): Extract<Ready, { repeat: unknown }>["repeat"] => async (count) => {
  for (let n = 0; n < count; n++) await run()
}

/** How many milliseconds something takes. */
export const timed = async (run: () => Promise<void>): Promise<number> => {
  const from = performance.now()
  await run()
  return performance.now() - from
}
