/** Projections into tables of the application's own, which lie in the store's database. */
import {
  type Catalogue,
  type Committed,
  type Conflict,
  type Event,
  type EventOf,
  isStoreError,
  type StoreError,
  type Transact
} from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fewer } from "./fewer.ts"
import { keysIn } from "./partition.ts"
import { type Handled, type Processor, type ProcessorDefinition, processorOf, refuseNoFunction } from "./processor.ts"

/** A projection into tables, which it writes by `T`. */
export interface TablesDefinition<C extends Catalogue, T, E, R> extends ProcessorDefinition<C> {
  /** Where the tables are: `transactions` of the store's backend. */
  readonly transact: Transact<T>
  /**
   * Writes what becomes of some events of one partition, in order, and leaves the end of the transaction to whoever
   * called: it's that of the checkpoint. Where it fails nothing of it is left, and the events are given again.
   */
  readonly handle: (tables: T, events: ReadonlyArray<EventOf<C>>) => Effect.Effect<unknown, E, R>
}

/**
 * Makes a processor of a projection into tables: whatever ends a run, each event takes effect exactly once. Where
 * several fail together, fewer are given, down to the one that fails. A transaction that lost its connection, its locks
 * or its answer is begun again from the checkpoint. A wrong definition throws `Invalid`: definitions are code.
 */
export const tables = <C extends Catalogue, T, E, R>(definition: TablesDefinition<C, T, E, R>): Processor<R> => {
  const { transact, ...rest } = definition
  const processor = processorOf<C, R>(rest, {
    kind: "tables",
    guarantee: "exactly once",
    work: (store, partition, key) => ({
      keysOf: keysIn(partition, key),
      handle: (all, _attempt, saving) =>
        fewer(all, (events) => {
          // It is given what its own source has read.
          const own = events as ReadonlyArray<Event & EventOf<C>>
          const work = (into: T) => Effect.suspend(() => definition.handle(into, own))
          return attempt(work, events.length, (noted) => transact(store, noted, saving(events.length)))
        })
    })
  })
  refuseNoFunction({ transact, handle: definition.handle })
  return processor
}

type Work<T, E, R> = (tables: T) => Effect.Effect<unknown, E, R>

// The transaction's own failures are the store's: then the run begins again, by the checkpoint as it is then.
const attempt = <T, E, R>(
  work: Work<T, E, R>,
  count: number,
  transact: (work: Work<T, E, R>) => Effect.Effect<Committed | Conflict, StoreError | E, R>
): Effect.Effect<Handled, StoreError, R> =>
  Effect.suspend(() => {
    let own: E | undefined
    const noted: Work<T, E, R> = (into) =>
      Effect.tapError(work(into), (error) =>
        Effect.sync(() => {
          own = error
        }))
    return Effect.matchCauseEffect(transact(noted), {
      onSuccess: (outcome) => Effect.succeed<Handled>({ count, ops: [], outcome, failed: undefined }),
      onFailure: (cause) => {
        const error = Option.getOrUndefined(Cause.findErrorOption(cause))
        return error !== own && isStoreError(error)
          ? Effect.fail(error)
          : Effect.succeed<Handled>({ count: 0, ops: [], failed: cause })
      }
    })
  })
