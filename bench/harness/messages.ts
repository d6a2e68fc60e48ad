/** What the harness and the process of a side say to each other. */
import type { StoreName } from "../sides/persist.ts"
import type { Place } from "../sides/side.ts"
import type { Figures, Sizes } from "../workloads/workload.ts"

/** What a side's process is to be. */
export interface Assignment {
  readonly store: StoreName
  readonly side: string
  readonly workload: string
  readonly place: Place
  readonly sizes: Sizes
}

/** What the harness asks for. */
export type Request =
  | { readonly ask: "prepare"; readonly assignment: Assignment }
  | { readonly ask: "round" }
  | { readonly ask: "close" }

/** What it's answered. */
export type Reply =
  | { readonly is: "ready"; readonly note?: string | undefined }
  /** The side can't do this, or isn't installed: why. */
  | { readonly is: "absent"; readonly why: string }
  | { readonly is: "measured"; readonly figures: Figures }
  | { readonly is: "failed"; readonly why: string }
  | { readonly is: "closed" }
