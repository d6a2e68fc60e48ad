/** All workloads, in the order of the table. */
import { appends } from "./append.ts"
import { extras } from "./extras.ts"
import { feeds } from "./feeds.ts"
import { imports } from "./import.ts"
import { keys } from "./keys.ts"
import { processors } from "./processors.ts"
import { reads } from "./read.ts"
import { whole } from "./whole.ts"
import type { Workload } from "./workload.ts"

/** The workloads by their order. */
export const workloads: ReadonlyArray<Workload> = [
  ...appends,
  ...reads,
  ...feeds,
  ...processors,
  ...keys,
  ...imports,
  ...whole,
  ...extras
]
