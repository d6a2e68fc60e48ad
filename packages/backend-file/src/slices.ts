/** Long work in short slices, so that whoever else has something to do never waits long for it. */
import * as Effect from "effect/Effect"

// How long a slice may hold up everybody else, in milliseconds: three times as long as a flush takes on a quick disk,
// and a hundred times as long as the turn between two slices.
const sliceMillis = 0.5

/**
 * Runs a generator to its end, half a millisecond at a time, and `pause` after each slice. The generator yields
 * wherever others may have a turn; its `finally` runs where the effect is interrupted, too. `explain` says what it
 * means that it throws, or that `begin` does.
 */
export const inSlices = <A, E, E2>(
  begin: () => Generator<void, A>,
  pause: Effect.Effect<void, E>,
  explain: (cause: unknown) => E2
): Effect.Effect<A, E | E2> =>
  Effect.acquireUseRelease(
    Effect.try({ try: begin, catch: explain }),
    (work) => {
      const slice = Effect.try({ try: () => advance(work), catch: explain })
      const goOn: Effect.Effect<A, E | E2> = Effect.flatMap(slice, (step) =>
        step.done === true ? Effect.succeed(step.value) : Effect.flatMap(pause, () => goOn))
      return goOn
    },
    // Nobody asks what it returns then.
    (work) =>
      Effect.sync(() => work.return(nothing))
  )

// What a generator gives that is ended early, and nobody asks for.
const nothing = undefined as never

const advance = <A>(work: Generator<void, A>): IteratorResult<void, A> => {
  // Real time, whatever a test's clock says: it's the event loop that must not be held up.
  const end = performance.now() + sliceMillis
  let step = work.next()
  while (step.done !== true && performance.now() < end) step = work.next()
  return step
}
