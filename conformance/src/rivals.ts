/** Several writers to one store: each its own handle where the store is shared, otherwise turns on the only one. */
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Place } from "./fixture.ts"

/** `count` rivals, none of which runs two commits at once on its handle, as core promises every backend. */
export const rivals = Effect.fnUntraced(function*(backend: BackendShape, place: Place, count: number) {
  const own = yield* oneAtATime(backend)
  const found = [own]
  while (found.length < count) {
    found.push(backend.about.shared ? yield* Effect.flatMap(place.open, oneAtATime) : own)
  }
  return found
})

const oneAtATime = (backend: BackendShape): Effect.Effect<BackendShape> =>
  Effect.map(Semaphore.make(1), (turn) => ({ ...backend, commit: (batch) => turn.withPermit(backend.commit(batch)) }))

/** Runs what each rival does, all at once. */
export const atOnce = <A, B, E, R>(
  items: ReadonlyArray<A>,
  does: (item: A, index: number) => Effect.Effect<B, E, R>
): Effect.Effect<Array<B>, E, R> =>
  // The yield makes all of them start before any goes on.
  Effect.forEach(items, (item, i) => Effect.andThen(Effect.yieldNow, does(item, i)), { concurrency: "unbounded" })
