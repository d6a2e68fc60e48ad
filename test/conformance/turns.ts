/** A clock that counts turns of the event loop: what never ends is found out at once, and nothing takes real time. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

// More turns than any law takes in memory; each is a microsecond or so while there is nothing else to do.
const patience = 20_000

/** Sleeps for a turn instead of a millisecond, and for no more than so many; otherwise the real clock. */
export const inTurns = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) =>
    Effect.provideService(effect, Clock.Clock, {
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          let left = Math.min(patience, Duration.toMillis(duration))
          let timer = setImmediate(function turn() {
            if (left-- <= 0) resume(Effect.void)
            else timer = setImmediate(turn)
          })
          return Effect.sync(() => clearImmediate(timer))
        })
    })
  )
