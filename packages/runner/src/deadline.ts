/** Deadlines: what is due is only done once everything is handled that was in the log when it ran out. */
import type { Position, StoreError, StoreShape } from "@persist/core"
import type { EventSource } from "@persist/core/event-pages"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

// A clock that was set meanwhile is noticed after this many milliseconds.
const longestWait = 60_000

/** A partition's deadlines. A payment that came in time isn't overtaken by its own deadline, however late both are. */
export class Deadlines {
  private readonly store: StoreShape
  private readonly source: EventSource<unknown>
  /** Everything that was there by then is handled, in milliseconds since 1970. */
  private met = -1
  /** What must be handled for that to be so at another time: fixed, or it would grow for ever on a busy store. */
  private next: { readonly at: number; readonly head: Position } | undefined

  constructor(store: StoreShape, source: EventSource<unknown>) {
    this.store = store
    this.source = source
  }

  /**
   * Milliseconds to wait for what is due first, unless more is looked at meanwhile; 0 where it may be done now that the
   * partition has looked so far. Fails as reads.
   */
  readonly wait = Effect.fnUntraced({ self: this }, function*(
    due: Option.Option<number>,
    looked: Position
  ): Effect.fn.Return<number, StoreError> {
    if (Option.isNone(due)) return longestWait
    const now = yield* Clock.currentTimeMillis
    if (due.value > now) return Math.min(due.value - now, longestWait)
    // The clock was set back: what was there by then is to be found out again.
    if (now < this.met) this.met = -1
    return (yield* this.isMet(due.value, now, looked)) ? 0 : longestWait
  })

  private readonly isMet = Effect.fnUntraced({ self: this }, function*(
    at: number,
    now: number,
    looked: Position
  ): Effect.fn.Return<boolean, StoreError> {
    while (at > this.met) {
      this.next ??= { at: now, head: yield* this.store.head }
      const { at: time, head } = this.next
      if (looked < head && (yield* this.source.next(looked, head)) !== undefined) return false
      this.met = time
      this.next = undefined
    }
    return true
  })
}
