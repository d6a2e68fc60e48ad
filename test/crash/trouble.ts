/** Troubles of a store's server: one after another befalls it while writers are at it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type { Dice } from "./dice.ts"

/** What can befall a server, and the network before it. */
export interface Troubled {
  /** Draws a trouble and carries it out; gives what it was once it's over, but for a cut that waits for its moment. */
  readonly befall: (dice: Dice) => Effect.Effect<string>
  /** Makes sure that nothing waits any more. */
  readonly calm: Effect.Effect<unknown>
}

/**
 * Lets one trouble after another befall a server, each after so many messages of its writers, until it's told that it's
 * `over`; never is one left in its middle. `onTrouble` is told of each.
 */
export const befall = Effect.fnUntraced(
  function*({ befall: next, calm }: Troubled, dice: Dice, onTrouble: (trouble: string) => void) {
    const messages = yield* Queue.unbounded<void>()
    const one = Effect.suspend(() => Queue.takeN(messages, 1 + dice.below(dice.pick([20, 200]))))
    const carryOut = Effect.uninterruptible(Effect.map(Effect.suspend(() => next(dice)), onTrouble))
    const fiber = yield* Effect.forkScoped(Effect.forever(Effect.andThen(one, carryOut)))
    return {
      onMessage: () => Queue.offerUnsafe(messages, undefined),
      over: Effect.andThen(Fiber.interrupt(fiber), calm)
    }
  }
)

/** Where there is no server. */
export const noTrouble = { onMessage: () => false, over: Effect.void }
