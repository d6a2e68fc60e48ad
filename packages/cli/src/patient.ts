/** Patience with a store that is followed for good: while it can't be read, that is said once, and it's waited for. */
import { type BackendError, type BackendShape, mustReopen, type Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import { say } from "./output.ts"
import { printable } from "./printable.ts"

// How long it's left alone after it couldn't be read, in milliseconds, beside what the backend itself waits.
const pause = 500

/**
 * The same store, whose reads are repeated for as long as they are `Unavailable`, unless it must be opened again;
 * stderr is told once that it's gone, and once that it's back. Commits fail as before: a commit that waits could not be
 * interrupted.
 */
export const patient = (backend: BackendShape): BackendShape => {
  let away = false
  const left = (error: Unavailable): Effect.Effect<void> => {
    if (away) return Effect.void
    away = true
    return say(printable(`waiting: ${error.reason}; it goes on when the store can be read again, Ctrl-C ends it`))
  }
  const back = Effect.suspend(() => {
    if (!away) return Effect.void
    away = false
    return say("the store can be read again")
  })
  const waiting = <A>(read: Effect.Effect<A, BackendError>): Effect.Effect<A, BackendError> =>
    Effect.catchTag(
      Effect.tap(read, () => back),
      "Unavailable",
      (error) =>
        mustReopen(error)
          ? Effect.fail(error)
          : Effect.andThen(left(error), Effect.andThen(Effect.sleep(pause), Effect.suspend(() => waiting(read))))
    )
  return {
    ...backend,
    readStream: (range) => waiting(backend.readStream(range)),
    readAll: (range) => waiting(backend.readAll(range)),
    streams: (range) => waiting(backend.streams(range)),
    get: (key) => waiting(backend.get(key)),
    scan: (range) => waiting(backend.scan(range)),
    changed: (range) => waiting(backend.changed(range)),
    namespaces: (range) => waiting(backend.namespaces(range)),
    head: waiting(backend.head)
  }
}
