/** What is thrown where nobody can catch it, told to a test instead of ending it. */
import * as Effect from "effect/Effect"

/** Collects, until the scope closes, what the process would be ended by. */
export const uncaught = Effect.acquireRelease(
  Effect.sync(() => {
    const others = process.listeners("uncaughtException")
    const thrown: Array<unknown> = []
    const take = (cause: unknown) => void thrown.push(cause)
    process.removeAllListeners("uncaughtException").on("uncaughtException", take)
    return {
      thrown,
      leave: () =>
        others.reduce((all, other) => all.on("uncaughtException", other), process.off("uncaughtException", take))
    }
  }),
  ({ leave }) => Effect.sync(leave)
)
