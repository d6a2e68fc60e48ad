/** Telling of streams that lost events before they were read: once for all partitions that begin together. */
import type { Position, StoreShape } from "@persist/core"
import { warnOfLost } from "@persist/core/event-pages"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

interface Beginning {
  readonly prefix: string
  readonly from: Position
}

/** What begins in a process, and who looks for what that can't read any more. */
export class Losses {
  private readonly store: StoreShape
  private beginnings = new Map<string, Beginning>()
  private readonly looking = new Set<Fiber.Fiber<void>>()

  constructor(store: StoreShape) {
    this.store = store
  }

  /** A partition begins at a position: the lowest of its processor's is what counts. */
  begin(processor: string, prefix: string, from: Position): void {
    const other = this.beginnings.get(processor)
    if (other === undefined || from < other.from) this.beginnings.set(processor, { prefix, from })
  }

  /** Looks, beside their work, for what those that began can no longer read: it goes through all streams. */
  readonly tell: Effect.Effect<void> = Effect.suspend(() => {
    const all = Array.from(this.beginnings)
    this.beginnings = new Map()
    return Effect.forEach(
      all,
      ([processor, { from, prefix }]) =>
        Effect.annotateLogs(warnOfLost(this.store, prefix, from), { processor }).pipe(
          Effect.forkDetach,
          Effect.map((fiber) => {
            this.looking.add(fiber)
            fiber.addObserver(() => this.looking.delete(fiber))
          }),
          Effect.uninterruptible
        ),
      { discard: true }
    )
  })

  /** Looks no longer. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => Fiber.interruptAll(this.looking))
}
