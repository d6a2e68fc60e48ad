/** Effects that can be had without a fiber: whoever has none is called back, and saves what a fiber costs. */
import * as Effectable from "effect/Effectable"

/** An effect that needs no fiber of its own. In one, it does the same. */
export abstract class Posted<A, E> extends Effectable.Class<A, E> {
  /**
   * Does what it does in a fiber that was given nothing (no tracer, no clock of its own), and can't be interrupted:
   * one of the two is called, once, at once or later. `fail` is given the error itself, or the defect.
   */
  abstract post(succeed: (value: A) => void, fail: (error: unknown) => void): void
}
