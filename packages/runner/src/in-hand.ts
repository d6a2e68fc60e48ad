/** What a partition has in hand: the events that it was given and isn't done with, or something that was due. */
import type { Event, Position } from "@persist/core"
import * as Effect from "effect/Effect"

/** What one partition has in hand. */
export class InHand {
  /** Another one whenever something was begun or done with. */
  pulse = 0
  private events: ReadonlyArray<Event> | undefined
  private done = 0

  /** Whether there is anything. */
  get isBusy(): boolean {
    return this.events !== undefined
  }

  /** The position of the first event that isn't done with; `undefined` where there is none, or something was due. */
  get position(): Position | undefined {
    return this.events?.[this.done]?.position
  }

  /** One more event is done with. */
  readonly next = (): void => {
    this.done++
    this.pulse++
  }

  /** Has events in hand, or what was due where there are none, for as long as something goes on. */
  during<A, E, R>(events: ReadonlyArray<Event>, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      this.take(events)
      return Effect.ensuring(work, Effect.sync(() => this.take(undefined)))
    })
  }

  private take(events: ReadonlyArray<Event> | undefined): void {
    this.events = events
    this.done = 0
    this.pulse++
  }
}
