/** Reactions: what an event changes in the same store, in the commit that says that it's done with. */
import type { Catalogue, Event, EventOf, Op } from "@persist/core"
import * as Effect from "effect/Effect"
import { fewer } from "./fewer.ts"
import { keysIn } from "./partition.ts"
import { type Handled, type Processor, type ProcessorDefinition, processorOf, refuseNoFunction } from "./processor.ts"

/** A reaction, and what it makes of events. */
export interface ReactionDefinition<C extends Catalogue, E, R> extends ProcessorDefinition<C> {
  /**
   * Operations on the store for some events of one partition, in order: one commit with the checkpoint. What they
   * expect is judged there; where it isn't so, nothing happens, and fewer events are given, down to the one that has
   * failed.
   */
  readonly handle: (events: ReadonlyArray<EventOf<C>>) => Effect.Effect<ReadonlyArray<Op>, E, R>
}

type Handle<R> = (events: ReadonlyArray<Event>) => Effect.Effect<ReadonlyArray<Op>, unknown, R>

/**
 * Makes a processor of a reaction: whatever ends a run, each event takes effect exactly once. Where several fail
 * together, fewer are given, down to the one that fails. A wrong definition throws `Invalid`: definitions are code.
 */
export const reaction = <C extends Catalogue, E, R>(definition: ReactionDefinition<C, E, R>): Processor<R> => {
  const processor = processorOf<C, R>(definition, {
    kind: "reaction",
    guarantee: "exactly once",
    work: (_store, partition, key) => {
      // It is given what its own source has read.
      const handle = definition.handle as Handle<R>
      const attempt = (events: ReadonlyArray<Event>): Effect.Effect<Handled, never, R> =>
        Effect.matchCause(Effect.suspend(() => handle(events)), {
          onSuccess: (ops) => ({ count: events.length, ops, failed: undefined }),
          onFailure: (failed) => ({ count: 0, ops: [], failed })
        })
      return {
        keysOf: keysIn(partition, key),
        handle: (events) => fewer(events, attempt)
      }
    }
  })
  refuseNoFunction({ handle: definition.handle })
  return processor
}
