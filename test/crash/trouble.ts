/** Troubles of a store's server: one after another befalls it while writers are at it. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Dice } from "./dice.ts"

/** What can befall a server, and the network before it. */
export interface Troubled {
  /** Draws a trouble and carries it out; ends when it's over, but for a cut that waits for its moment. */
  readonly befall: (dice: Dice) => Effect.Effect<string>
  /** Makes sure that nothing waits any more. */
  readonly calm: Effect.Effect<unknown>
}

/** Troubles that come up by what is heard of the writers. */
export interface Troubles {
  /** Takes note of a message. */
  readonly heard: () => void
  /** Has one after another befall the server, until it's interrupted: in between, never in the middle of one. */
  readonly befall: Effect.Effect<never>
}

/** Draws troubles from dice; `onTrouble` is told of each once it is over. */
export const makeTroubles = Effect.fnUntraced(
  function*({ befall }: Troubled, dice: Dice, onTrouble: (trouble: string) => void) {
    const messages = yield* Queue.unbounded<void>()
    const next = Effect.map(Effect.uninterruptible(Effect.suspend(() => befall(dice))), onTrouble)
    const troubles: Troubles = {
      heard: () => Queue.offerUnsafe(messages, undefined),
      befall: Effect.forever(
        Effect.andThen(Effect.suspend(() => Queue.takeN(messages, 1 + dice.below(dice.pick([50, 500])))), next)
      )
    }
    return troubles
  }
)
