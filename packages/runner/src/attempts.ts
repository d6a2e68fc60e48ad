/** How often what is in hand has failed, and the wait before it's tried again. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Attempt, delayAfter, describe, type Policy } from "./failure.ts"
import type { PartitionReport } from "./names.ts"

/** Lets an interruption through, within what none may come into. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** The partition stands still where an event failed too often. */
export interface Stopped {
  readonly _tag: "Stopped"
  /** What it failed with at last. */
  readonly cause: Cause.Cause<unknown>
}

/** The attempts at what a partition has in hand. */
export class Attempts {
  state: PartitionReport["state"] = "running"
  /** The last one that failed, while it counts. */
  error: Attempt | undefined
  /** Set once the partition stands still. */
  stopped: Stopped | undefined
  private made: ReadonlyArray<Attempt> = []
  private readonly policy: Policy

  constructor(policy: Policy) {
    this.policy = policy
  }

  /** Those that failed, in order. */
  get failed(): ReadonlyArray<Attempt> {
    return this.made
  }

  /** It went well, or was put aside: what comes next begins anew. */
  over(): void {
    this.made = []
    this.error = undefined
    this.state = "running"
  }

  /** It stays where it is, for this. */
  stop(cause: Cause.Cause<unknown>): Stopped {
    this.state = "stopped"
    this.stopped = { _tag: "Stopped", cause }
    return this.stopped
  }

  /**
   * Notes a failure and waits as long as the policy says; answers whether that was the last time, as it is where
   * another one would be in vain.
   */
  readonly fail = Effect.fnUntraced({ self: this }, function*(
    cause: Cause.Cause<unknown>,
    restore: Restore,
    isFinal = false
  ): Effect.fn.Return<boolean> {
    if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
    this.error = { at: yield* Clock.currentTimeMillis, error: describe(cause) }
    this.made = [...this.made, this.error]
    const delay = isFinal ? undefined : delayAfter(this.policy, this.made.length)
    if (delay === undefined) return true
    this.state = "retrying"
    yield* restore(Effect.sleep(delay))
    return false
  })
}
