/** Waiting for what runners bring about: asked again and again until it's so. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How runners behave that tests wait for. */
export const quick = { interval: 5, patience: 300, label: "here" }

const isTrue = (answer: unknown): boolean => answer === true

/** Asks until the answer is as it should be, true where nothing else is said, and gives it. */
export const until = <A, E>(ask: Effect.Effect<A, E>, there: (answer: A) => boolean = isTrue): Effect.Effect<A, E> =>
  Effect.repeat(ask, { until: there, schedule: Schedule.spaced(5) })
