/** Turns of the event loop for whoever else it has, where much work is done without waiting for anything. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scheduler from "effect/Scheduler"
import { post, Posted } from "./posted.ts"
import { throwUncaught } from "./uncaught.ts"

/**
 * Counts work, and once there was as much as `limit` has all who come wait for the event loop's turn: many reads in a
 * row of a backend that answers at once, of one caller or of many, would keep it from signals, timers and sockets until
 * the last of them. Counted and not timed, so that it's the same in every run.
 */
export class Turns {
  private readonly limit: number
  private readonly dispatcher = Scheduler.Scheduler.defaultValue().makeDispatcher()
  private done = 0
  private waiting: Array<Waiting> = []

  constructor(limit: number) {
    this.limit = limit
  }

  /** The effect, which comes to so much work: as it is, or in the next turn where that is due. */
  take<A, E>(work: number, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    if (this.done >= this.limit) return new InTurn(this, work, effect)
    this.done += work
    return effect
  }

  /** Calls back in the next turn for somebody who has so much work to do then. */
  wait(work: number, go: () => void): void {
    if (this.waiting.length === 0) this.dispatcher.scheduleTask(this.wake, 0)
    this.waiting.push({ work, go })
  }

  /** Begins to count anew, with so much work. */
  begin(done: number): void {
    this.done = done
  }

  // Whoever is woken may go on at once, until it has had its share: otherwise the first would have everything.
  private readonly wake = (): void => {
    const { limit, waiting } = this
    this.waiting = []
    const before = limit - Math.floor(limit / waiting.length)
    let done = 0
    for (const { go, work } of waiting) {
      this.done = before + work
      try {
        go()
      } catch (thrown) {
        throwUncaught(thrown)
      }
      done += this.done - before
    }
    this.done = done
  }
}

/** An effect in the next turn. */
class InTurn<A, E> extends Posted<A, E> {
  private readonly turns: Turns
  private readonly work: number
  private readonly effect: Effect.Effect<A, E>

  constructor(turns: Turns, work: number, effect: Effect.Effect<A, E>) {
    super()
    this.turns = turns
    this.work = work
    this.effect = effect
  }

  override asEffect(): Effect.Effect<A, E> {
    return Effect.withFiber((fiber) => {
      if (fiber.getRef(Scheduler.Scheduler).executionMode !== "sync") {
        return Effect.callback((resume) => this.turns.wait(this.work, () => resume(this.effect)))
      }
      // It has to end before the event loop goes on.
      this.turns.begin(this.work)
      return this.effect
    })
  }

  override post(settle: (exit: Exit.Exit<A, E>) => void): void {
    this.turns.wait(this.work, () => post(this.effect, settle))
  }
}

interface Waiting {
  readonly work: number
  readonly go: () => void
}
