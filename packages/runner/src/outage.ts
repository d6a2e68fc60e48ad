/** Telling of a store that can't be reached: when that begins, now and then while it lasts, and when it's over. */
import { isStoreError, mustReopen, type OutcomeUnknown, type StoreError, type Unavailable } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

// Often enough to be seen in a log's tail, seldom enough not to be all of it.
const toldEvery = 30_000n * 1_000_000n

/** Whether something failed since the store couldn't be reached, or its answer got lost. */
export const isOutage = (cause: Cause.Cause<unknown>): boolean =>
  Option.exists(
    Cause.findErrorOption(cause),
    (error) => isStoreError(error) && (error._tag === "Unavailable" || error._tag === "OutcomeUnknown")
  )

/** What a runner's looks meet, told in a few lines. */
export class Outage {
  private since: bigint | undefined
  private told = 0n

  /** Looks; a store that can't be reached is told of, not failed with: it's looked for again, unless it's of no use. */
  readonly outlive = <R>(look: Effect.Effect<void, StoreError, R>): Effect.Effect<void, StoreError, R> =>
    Effect.catchTags(Effect.andThen(look, this.end), { Unavailable: this.begin, OutcomeUnknown: this.begin })

  private readonly begin = Effect.fnUntraced({ self: this }, function*(error: Unavailable | OutcomeUnknown) {
    if (mustReopen(error)) return yield* Effect.fail(error)
    const now = yield* Clock.monotonicTimeNanos
    if (this.since !== undefined && now - this.told < toldEvery) return
    this.told = now
    if (this.since === undefined) {
      this.since = now
      return yield* Effect.logWarning("the store can't be reached, and is looked for until it can", error)
    }
    yield* Effect.logWarning(`the store can't be reached for ${seconds(now - this.since)} now`, error)
  })

  private readonly end = Effect.suspend(() => {
    const since = this.since
    if (since === undefined) return Effect.void
    this.since = undefined
    return Effect.flatMap(
      Clock.monotonicTimeNanos,
      (now) => Effect.logInfo(`the store is there again, after ${seconds(now - since)}`)
    )
  })
}

const seconds = (nanos: bigint): string => `${Math.round(Number(nanos) / 1e9)} s`
