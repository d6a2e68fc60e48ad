/** Mutants that tell moments apart which weren't asked for, or by other events. */
import * as Effect from "effect/Effect"
import { core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

/** Broken in diffs. */
export const storeDiffs = [
  coreMutant("now", "takes the state now for the later one", {
    diff: (store, projection, { to: _, ...options }) => core.diff(store, projection, options)
  }, [
    "a diff has the states of both moments and the events between, through whatever snapshot",
    "a diff between moments that there is nothing between is refused"
  ]),

  coreMutant("counts what it gives", "counts only the events that it gives", {
    diff: (store, projection, options) =>
      Effect.map(core.diff(store, projection, options), (found) => ({ ...found, count: found.events.length }))
  }, [
    "a diff says what to change, and gives as many events as it is asked for"
  ]),

  coreMutant("turns it round", "refuses no moments in the wrong order, but exchanges them", {
    diff: (store, projection, options) =>
      Effect.catchTag(
        core.diff(store, projection, options),
        "Invalid",
        (error) =>
          options.to === undefined
            ? Effect.fail(error)
            : core.diff(store, projection, { ...options, from: options.to, to: options.from })
      )
  }, [
    "a diff between moments that there is nothing between is refused"
  ])
]
