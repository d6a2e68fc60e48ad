/** A clock that goes as time does, and is turned on by laws that don't want to wait. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

/** A clock for whatever a law runs. */
export interface TurnedClock {
  /** Does something by this clock. */
  readonly by: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Turns it on by so many milliseconds: whoever would have slept for less wakes up. */
  readonly turn: (millis: number) => Effect.Effect<void>
}

/** Makes a clock that was not turned yet. */
export const makeTurnedClock: Effect.Effect<TurnedClock> = Effect.clockWith((clock) =>
  Effect.sync(() => {
    let ahead = 0
    const sleepers = new Set<Sleeper>()
    const millis = () => clock.currentTimeMillisUnsafe() + ahead
    const nanos = (passed: bigint) => passed + BigInt(ahead) * 1_000_000n
    const turned = (duration: number) =>
      Effect.callback<void>((resume) => {
        const sleeper = { due: ahead + duration, wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      })
    const own: Clock.Clock = {
      currentTimeMillis: Effect.sync(millis),
      currentTimeMillisUnsafe: millis,
      currentTimeNanos: Effect.sync(() => nanos(clock.currentTimeNanosUnsafe())),
      currentTimeNanosUnsafe: () => nanos(clock.currentTimeNanosUnsafe()),
      monotonicTimeNanos: Effect.sync(() => nanos(clock.monotonicTimeNanosUnsafe())),
      monotonicTimeNanosUnsafe: () => nanos(clock.monotonicTimeNanosUnsafe()),
      sleep: (duration) => Effect.raceFirst(clock.sleep(duration), turned(Duration.toMillis(duration)))
    }
    return {
      by: (effect) => Effect.provideService(effect, Clock.Clock, own),
      turn: (by) =>
        Effect.sync(() => {
          ahead += by
          for (const sleeper of sleepers) {
            if (sleeper.due > ahead) continue
            sleepers.delete(sleeper)
            sleeper.wake()
          }
        })
    }
  })
)
