/** A store's file beside a running program: opened by a second handle, to see what has been committed. */
import { make } from "@persist/backend-sqlite"
import { makeStore, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Uses the store in a file. */
export const useStore = <A>(path: string, use: (store: StoreShape) => Effect.Effect<A, unknown>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(Effect.flatMap(make({ path }), (one) => makeStore(one)), use)))

/** How many events there are. */
export const countEvents = (store: StoreShape): Effect.Effect<number, unknown> =>
  Stream.runFold(store.log().streams(), () => 0, (sum, { first, last }) => sum + last - first + 1)

/** Waits until a store holds so many events; the program that appends them must have made the file. */
export const untilEvents = (path: string, events: number): Promise<void> =>
  useStore(path, (store) =>
    store.changes.pipe(
      Stream.mapEffect(() => countEvents(store)),
      Stream.takeUntil((count) => count >= events),
      Stream.runDrain
    ))
