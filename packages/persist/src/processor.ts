/** Processors whose handlers are ordinary functions, which may be async. */
import type { Catalogue, EventOf, Op, Transact } from "@persist/core"
import {
  type Delivery,
  type Processor,
  type ProcessorDefinition,
  reaction as reactionEffect,
  subscription as subscriptionEffect,
  tables as tablesEffect,
  type Workflow as WorkflowEffect,
  workflow as workflowEffect,
  type WorkflowDefinition
} from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Abortable, callPlain } from "./run.ts"
import { asking } from "./running.ts"
import type { Store } from "./store.ts"

export { readModel } from "@persist/runner"

/** A subscription, and what it does with each event. */
export interface SubscriptionDefinition<C extends Catalogue> extends ProcessorDefinition<C> {
  /** What it answers is waited for; what it throws or rejects with is met as `failure` says. */
  readonly handle: (event: EventOf<C>, delivery: Delivery) => unknown
}

/** A reaction, and what it makes of events. */
export interface ReactionDefinition<C extends Catalogue> extends ProcessorDefinition<C> {
  /**
   * Operations on the store for some events of one partition, in order: one commit with the checkpoint. What they
   * expect is judged there; where it isn't so, nothing happens, and the events are given again.
   */
  readonly handle: (events: ReadonlyArray<EventOf<C>>) => ReadonlyArray<Op> | Promise<ReadonlyArray<Op>>
}

/** A projection into tables, which it writes by `T`. */
export interface TablesDefinition<C extends Catalogue, T> extends ProcessorDefinition<C> {
  /** Where the tables are: `transactions` of the store's backend. */
  readonly transact: Transact<T>
  /**
   * Writes what becomes of some events of one partition, in order, and leaves the end of the transaction to whoever
   * called: it's that of the checkpoint. Where it throws or rejects nothing of it is left, and the events are given
   * again. In SQLite it can't be async.
   */
  readonly handle: (tables: T, events: ReadonlyArray<EventOf<C>>) => unknown
}

/** A workflow as a processor, and the states of its instances. */
export interface Workflow<A> extends Processor {
  /** An instance's state; `undefined` where it hasn't begun, or has ended. Rejects as every read. */
  readonly stateOf: (store: Store, instance: string, options?: Abortable) => Promise<A | undefined>
}

/**
 * Makes a processor of a subscription: its handler is given each event at least once, those of one key in order.
 * Definitions are code, so a wrong one throws at once: `Invalid`, naming the field.
 */
export const subscription = <C extends Catalogue>(definition: SubscriptionDefinition<C>): Processor => {
  const own = definition?.handle
  const handle = (event: EventOf<C>, delivery: Delivery) => answer(() => own(event, delivery))
  return subscriptionEffect({ ...definition, handle: orItself(own, handle) })
}

/**
 * Makes a processor of a reaction: whatever ends a run, each event takes effect exactly once. Where several fail
 * together, fewer are given, down to the one that fails. A wrong definition throws `Invalid`.
 */
export const reaction = <C extends Catalogue>(definition: ReactionDefinition<C>): Processor => {
  const own = definition?.handle
  const handle = (events: ReadonlyArray<EventOf<C>>) => answer(() => own(events))
  return reactionEffect({ ...definition, handle: orItself(own, handle) })
}

/**
 * Makes a processor of a projection into tables of the application's own, in the store's database: whatever ends a run,
 * each event takes effect exactly once. Where several fail together, fewer are given, down to the one that fails. A
 * wrong definition throws `Invalid`.
 */
export const tables = <C extends Catalogue, T>(definition: TablesDefinition<C, T>): Processor => {
  const own = definition?.handle
  const handle = (into: T, events: ReadonlyArray<EventOf<C>>) => answer(() => own(into, events))
  return tablesEffect({ ...definition, handle: orItself(own, handle) })
}

/**
 * Makes a processor of a workflow: each event and each timer moves its instance exactly once, and what it commands
 * happens in that commit. Timers are kept in the store. A wrong definition throws `Invalid`.
 */
export const workflow = <C extends Catalogue, A, T extends Catalogue>(
  definition: WorkflowDefinition<C, A, T>
): Workflow<A> => {
  const made: WorkflowEffect<A> = workflowEffect(definition)
  return {
    ...made,
    stateOf: (store, instance, options) =>
      callPlain(options, () => Effect.map(made.stateOf(store.effect, instance), Option.getOrUndefined))
  }
}

// Fails with what was thrown as it is: it's kept and shown with what failed.
const answer = <A>(ask: () => A | Promise<A>): Effect.Effect<A, unknown> =>
  Effect.mapError(asking(ask), ({ cause }) => cause)

// What is no function is refused where all other options are.
const orItself = <F>(own: unknown, handle: F): F => typeof own === "function" ? handle : own as F
