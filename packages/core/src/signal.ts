/** A wake-up that can't be lost: the `changes` of a backend, for backends to build theirs from. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/** Tells every listener that there may be something new. */
export interface Signal {
  /** Wakes all who listen; callable from anywhere, never waits. */
  readonly notify: () => void
  /** Emits once when opened, then at least once after any later `notify`, however slowly it is pulled. */
  readonly changes: Stream.Stream<void>
}

/** Makes a signal; `onListeners` is told how many listen whenever that changes. */
export const makeSignal = (onListeners?: (count: number) => void): Signal => {
  const listeners = new Set<Queue.Enqueue<void>>()
  const changed = () => onListeners?.(listeners.size)
  return {
    notify: () => {
      for (const listener of listeners) Queue.offerUnsafe(listener, undefined)
    },
    changes: Stream.callback<void>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          listeners.add(queue)
          changed()
          // One slot that slides: a listener that is slow has at most one wake-up waiting, and never none.
          Queue.offerUnsafe(queue, undefined)
        }),
        () =>
          Effect.sync(() => {
            listeners.delete(queue)
            changed()
          })
      ), { bufferSize: 1, strategy: "sliding" })
  }
}
