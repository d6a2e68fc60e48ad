/** A runner as a Layer: processors that run for as long as the program has what it needs. */
import { Store, type StoreError } from "@persist/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { Processor } from "./processor.ts"
import { begin } from "./run.ts"
import type { RunnerOptions } from "./runner-options.ts"

/** What others of a program see of its runner. */
export interface RunnerShape {
  /**
   * Waits for a run that never ends by itself, and so fails or dies as it does: for programs that shall not go on
   * without it.
   */
  readonly ended: Effect.Effect<never, StoreError>
}

/** The runner of a program. */
export class Runner extends Context.Service<Runner, RunnerShape>()("@persist/runner/Runner") {
  /**
   * Runs processors on the program's store in the background, until the layer is released: then it finishes what it has
   * in hand, saves it and gives everything back, before the store is closed. It is built once it has shown itself to
   * the other runners and looked around, so wrong options, and a processor that has another number of partitions in
   * this store, fail the layer with `Invalid`. What ends the run later is logged as an error, and is what `ended` fails
   * with.
   */
  static readonly layer = <R = never>(
    processors: ReadonlyArray<Processor<R>>,
    options?: RunnerOptions
  ): Layer.Layer<Runner, StoreError, Store | Exclude<R, Scope>> =>
    Layer.effect(
      Runner,
      Effect.gen(function*() {
        const running = yield* begin(yield* Store, processors, options)
        const fiber = yield* Effect.forkScoped(
          // Who is interrupted, as by the layer's release, doesn't come to that.
          Effect.tapCause(running, (cause) => Effect.logError("the runner has ended", cause))
        )
        return { ended: Fiber.join(fiber) }
      })
    )
}
