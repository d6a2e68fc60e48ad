/** Running processors beside whatever else the process does, and waiting for what they have done. */
import type { PositionInput } from "@persist/core"
import {
  type Processor,
  run as runEffect,
  type RunnerOptions,
  whenProcessed as whenProcessedEffect,
  type WhenProcessedOptions
} from "@persist/runner"
import * as Result from "effect/Result"
import { type Abortable, call, split } from "./run.ts"
import { type Running, start } from "./running.ts"
import type { Store } from "./store.ts"
import { surrounding } from "./surroundings.ts"

/** How processors are run. */
export interface RunOptions extends RunnerOptions, Abortable {}

/**
 * Runs processors until it's stopped or the store closes, together with every other process that runs them: each
 * partition in one place, moved when a process comes, goes, stalls or dies. Stopping finishes what is in hand, saves it
 * and gives everything back. A handler that fails is met as its `failure` says, and ends the run only by
 * `whenStopped: "die"`; then, and where what it's asked to run is wrong (`Invalid`), `ended` rejects with it.
 */
export const run = (store: Store, processors: ReadonlyArray<Processor>, options: RunOptions = {}): Running => {
  const [own, signal] = split(options)
  const around = Result.getOrThrow(surrounding(store))
  return start(runEffect(store.effect, processors, own), signal, around)
}

/**
 * Waits until every partition of a processor is done with everything at or below a position, such as that of your own
 * last append, in whatever process each of them runs. What was parked counts as done with. Rejects with `Unavailable`
 * where that isn't so within 5,000 milliseconds or `within`, `Invalid` for what is no position, and as every read.
 */
export const whenProcessed = (
  store: Store,
  processor: Processor,
  position: PositionInput,
  options?: WhenProcessedOptions & Abortable
): Promise<void> => call(options, (own) => whenProcessedEffect(store.effect, processor, position, own))
