/** Running processors until somebody ends it. */
import type { StoreError, StoreShape } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { Outage } from "./outage.ts"
import type { Processor } from "./processor.ts"
import { paceOf, runnerFault, type RunnerOptions } from "./runner-options.ts"
import { Runner } from "./runner.ts"
import { outsideTraces } from "./sight.ts"

/**
 * Runs processors, together with every other runner of the same store that knows them: each partition in one place,
 * moved when a runner comes, goes, stalls or dies. Runs until it is interrupted: then it finishes what it has in hand,
 * saves it and gives everything back. Fails with `Invalid` for a wrong option, for two processors of one name, and
 * where one has another number of partitions in this store, or a read model other indexes under the same version; with
 * `Unavailable` that says `reopen` where the store was closed, replaced or given another incarnation beneath it: what
 * is there now is to be opened; and as every read and commit; dies only as `whenStopped` says. A store that can't be
 * reached is looked for again.
 */
export const run = <R>(
  store: StoreShape,
  processors: ReadonlyArray<Processor<R>>,
  options: RunnerOptions = {}
): Effect.Effect<never, StoreError, R> =>
  Effect.acquireUseRelease(made(store, processors, options), (runner) => Effect.flatten(begun(runner, options)), left)

/**
 * Begins to run processors, for the life of a scope, whose closing is what interrupting `run` is: it has shown itself
 * and looked around once, and answers what goes on. Fails as `run` does.
 */
export const begin = <R>(
  store: StoreShape,
  processors: ReadonlyArray<Processor<R>>,
  options: RunnerOptions = {}
): Effect.Effect<Effect.Effect<never, StoreError, R>, StoreError, R | Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(made(store, processors, options), left),
    (runner) => begun(runner, options)
  )

const made = <R>(
  store: StoreShape,
  processors: ReadonlyArray<Processor<R>>,
  options: RunnerOptions
): Effect.Effect<Runner<R>, StoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const fault = runnerFault(processors, options)
    return fault === undefined ? Effect.succeed(new Runner(store, processors, options, now)) : Effect.fail(fault)
  })

const begun = <R>(
  runner: Runner<R>,
  options: RunnerOptions
): Effect.Effect<Effect.Effect<never, StoreError, R>, StoreError, R> => {
  // What runs here may go on meanwhile, if it can.
  const look = new Outage().outlive(outsideTraces(runner.look))
  return Effect.as(look, Effect.forever(Effect.andThen(Effect.sleep(paceOf(options).interval), look)))
}

const left = <R>(runner: Runner<R>): Effect.Effect<void> => Effect.ignoreCause(runner.leave)
