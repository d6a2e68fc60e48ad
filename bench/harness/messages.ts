/** What the harness and the process of a side say to each other. */
import type { StoreName } from "../sides/persist.ts"
import type { Place, Side } from "../sides/side.ts"
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

/** What is to be known of a side that is ready. */
export interface About extends Pick<Side, "note"> {
  /** `false` where it answers in this workload before what it was given is durable. */
  readonly durable?: boolean
}

/** Why a side takes no part: its library isn't installed, it hasn't got the verb, or it failed. */
export type Refusal =
  | { readonly is: "not installed" | "unable" }
  | { readonly is: "failed"; readonly why: string }

/** What it's answered. */
export type Reply =
  | { readonly is: "ready"; readonly about: About }
  | { readonly is: "measured"; readonly figures: Figures }
  | Refusal
  | { readonly is: "closed" }
