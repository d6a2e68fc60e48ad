/** What is handled together, and fails together: fewer are tried, down to the one that fails. */
import type { Event, StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Handled } from "./processor.ts"

/** Tries some events; where they fail, the first half: so those before the one that fails are done with. */
export const fewer = <R>(
  events: ReadonlyArray<Event>,
  attempt: (events: ReadonlyArray<Event>) => Effect.Effect<Handled, StoreError, R>
): Effect.Effect<Handled, StoreError, R> =>
  Effect.flatMap(attempt(events), (handled) =>
    handled.failed === undefined || events.length === 1
      ? Effect.succeed(handled)
      : fewer(events.slice(0, Math.ceil(events.length / 2)), attempt))
