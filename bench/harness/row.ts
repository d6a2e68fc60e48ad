/** Rows of results: what each side has done in one figure of one workload, and how many times as good ours is. */
import type { StoreName } from "../sides/persist.ts"
import type { Kind } from "../sides/sides.ts"
import type { Figure, Figures, Workload } from "../workloads/workload.ts"
import type { About, Refusal } from "./messages.ts"
import { ratios, type Spread, spread } from "./statistics.ts"

/** Why there is no figure: a side takes no part, was left out of the run, or the workload gives it no such figure. */
export type Absence = Refusal | { readonly is: "left out" | "without figure" }

/** A side as rows name it. */
interface Named extends About {
  readonly side: string
  readonly kind: Kind
  /** The package that it's of and the version that was installed. */
  readonly library?: string
}

/** What a side has done, or why it hasn't. */
type Outcome =
  | {
    readonly value: Spread
    /** How many times as good the row's first side is as this one, within rounds. */
    readonly ratio?: Spread
    readonly absent?: never
  }
  | { readonly absent: Absence; readonly value?: never; readonly ratio?: never }

/** What one side has done in one row. */
export type Taken = Named & Outcome

/** Whether a side took part and failed, which is no more to be passed over than what it measured. */
export const hasFailed = ({ absent }: { readonly absent?: Absence | undefined }): boolean => absent?.is === "failed"

/** One figure of one workload on one store, of all sides. */
export interface Row {
  readonly store: StoreName
  readonly workload: string
  readonly figure: string
  readonly title: string
  readonly unit: string
  readonly better: Figure["better"]
  readonly sides: ReadonlyArray<Taken>
  /** When it was measured, as ISO 8601, at which commit of the project, and in how many rounds. */
  readonly at: string
  readonly commit: string
  readonly rounds: number
  /** Where it was measured: the place among the machines of the results. */
  readonly on: number
  /** What a flush took where the store lies, just before, in milliseconds; where there is one, and it's known. */
  readonly fsyncMillis?: number
}

/** Whether a side of ours failed, so that the row says nothing of how fast ours is. */
export const oursFailed = ({ sides }: Pick<Row, "sides">): boolean =>
  sides.some((side) => side.kind === "ours" && hasFailed(side))

/** A side after its rounds. */
export interface Measured {
  readonly named: Named
  readonly absent: Absence | undefined
  /** What each round has measured. */
  readonly taken: ReadonlyArray<Figures>
}

/** Sets all sides in ratios to the first; to one that failed there is none. */
const sidesOf = (name: string, { better }: Figure, measured: ReadonlyArray<Measured>): ReadonlyArray<Taken> => {
  const valuesOf = ({ taken }: Measured) => taken.flatMap((figures) => figures[name] ?? [])
  const [first] = measured
  const ours = first === undefined || first.absent !== undefined ? [] : valuesOf(first)
  return measured.map((side): Taken => {
    const values = valuesOf(side)
    const { absent, named } = side
    if (absent !== undefined) return { ...named, absent }
    if (values.length === 0) return { ...named, absent: { is: "without figure" } }
    const value = spread(values)
    if (side === first || ours.length === 0) return { ...named, value }
    const ratio = ratios(ours, values, better)
    // Beside nothing there is no ratio, not even in one round: JSON couldn't keep it.
    return Number.isFinite(ratio.max) ? { ...named, value, ratio } : { ...named, value }
  })
}

/** The rows of a workload by its figures, but for those that no side has anything to say of. */
export const rowsOf = (
  { figures, name: workload, title }: Workload,
  measured: ReadonlyArray<Measured>,
  about: Pick<Row, "store" | "at" | "commit" | "rounds" | "fsyncMillis">
): ReadonlyArray<Row> =>
  Object.entries(figures)
    .map(([name, figure]): Row => {
      const { store, ...run } = about
      return { store, workload, figure: name, title, ...figure, sides: sidesOf(name, figure, measured), ...run, on: 0 }
    })
    .filter((row) => row.sides.some((side) => side.value !== undefined || hasFailed(side)))
