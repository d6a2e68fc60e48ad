/** Subscriptions under a runner: a handler for each event, at least once, with a key that makes effects happen once. */
import type { Catalogue, Event, EventOf } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { keysIn } from "./partition.ts"
import { type Processor, type ProcessorDefinition, processorOf, refuseNoFunction } from "./processor.ts"

/** What an effect elsewhere needs to know of a delivery. */
export interface Delivery {
  /** The same for each delivery of an event to this processor, and no other: what makes an effect happen once. */
  readonly key: string
  /** How often it was delivered before, as far as this process knows. */
  readonly attempt: number
}

/** A subscription, and what it does with each event. */
export interface SubscriptionDefinition<C extends Catalogue, E, R> extends ProcessorDefinition<C> {
  readonly handle: (event: EventOf<C>, delivery: Delivery) => Effect.Effect<unknown, E, R>
}

type Handle<R> = (event: Event, delivery: Delivery) => Effect.Effect<unknown, unknown, R>

/**
 * Makes a processor of a subscription: its handler is given each event at least once, those of one key in order.
 * Definitions are code, so a wrong one throws at once: `Invalid`, naming the field.
 */
export const subscription = <C extends Catalogue, E, R>(
  definition: SubscriptionDefinition<C, E, R>
): Processor<R> => {
  const processor = processorOf<C, R>(definition, {
    kind: "subscription",
    guarantee: "at least once",
    work: ({ about }, partition, key) => ({
      keysOf: keysIn(partition, key),
      handle: (events, attempt, _saving, next) => {
        const deliveryOf = ({ position }: Event, first: boolean) => ({
          key: `${definition.name}/${about.incarnation}/${position}`,
          attempt: first ? attempt : 0
        })
        // It is given what its own source has read.
        return eachInTurn(events, { handle: definition.handle as Handle<R>, deliveryOf, next })
      }
    })
  })
  refuseNoFunction({ handle: definition.handle })
  return processor
}

interface Turns<R> {
  readonly handle: Handle<R>
  readonly deliveryOf: (event: Event, first: boolean) => Delivery
  readonly next: () => void
}

const eachInTurn = <R>(events: ReadonlyArray<Event>, { deliveryOf, handle, next }: Turns<R>) =>
  Effect.suspend(() => {
    let count = 0
    const loop = Effect.whileLoop({
      while: () => count < events.length,
      body: () => {
        const event = events[count]
        return event === undefined ? Effect.void : Effect.suspend(() => handle(event, deliveryOf(event, count === 0)))
      },
      step: () => {
        count++
        next()
      }
    })
    return Effect.map(Effect.exit(loop), (exit) => ({
      count,
      ops: [],
      failed: Exit.isFailure(exit) ? exit.cause : undefined
    }))
  })
