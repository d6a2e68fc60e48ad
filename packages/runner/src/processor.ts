/** Processors: what goes through the log under a name, in one or more partitions. */
import type { Catalogue, Event, EventOf, Op, ReaderFilter, StartFrom, StoreError, StoreShape } from "@persist/core"
import { Invalid } from "@persist/core"
import { type EventSource, eventSource } from "@persist/core/event-pages"
import * as Fault from "@persist/core/fault"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { type FailurePolicy, type Policy, policyFault, policyOf } from "./failure.ts"
import { isIn, type Partition } from "./partition.ts"

/** How often an event takes effect, whatever happens meanwhile. */
export type Guarantee = "exactly once" | "at least once"

/** What came of some events. */
export interface Handled {
  /** How many of them, from the first, are done with once `ops` are committed. */
  readonly count: number
  /** To be committed with the checkpoint. */
  readonly ops: ReadonlyArray<Op>
  /** Told that it was committed. */
  readonly committed?: () => void
  /** Why the next one isn't done with. */
  readonly failed: Cause.Cause<unknown> | undefined
}

/** What a partition does with its events. */
export interface Work<R> {
  /** The keys an event is kept in order by, but for those of other partitions. None: it isn't for this one. */
  readonly keysOf: (event: Event) => ReadonlyArray<string>
  /** Handles events, of which `attempt` is how often the first was tried before: as many as go into one commit. */
  readonly handle: (events: ReadonlyArray<Event>, attempt: number) => Effect.Effect<Handled, StoreError, R>
}

/** A partition's events and what to do with them. */
export interface Assignment<R> {
  readonly source: EventSource<Event>
  readonly work: Work<R>
}

/** Something that goes through the log under a name. */
export interface Processor<R = never> {
  readonly name: string
  readonly guarantee: Guarantee
  readonly partitions: number
  readonly policy: Policy
  /** Registers a partition's reader, where it isn't yet, and says what it does. */
  readonly assign: (store: StoreShape, partition: Partition) => Effect.Effect<Assignment<R>, StoreError>
  readonly from: StartFrom
  readonly filter: (store: StoreShape) => Result.Result<ReaderFilter, StoreError>
}

/** What an effect elsewhere needs to know of a delivery. */
export interface Delivery {
  /** The same for each delivery of an event to this processor, and no other: what makes an effect happen once. */
  readonly key: string
  /** How often it was delivered before, as far as this process knows. */
  readonly attempt: number
}

/** A subscription that a runner runs. */
export interface SubscriptionDefinition<C extends Catalogue, E, R> {
  readonly name: string
  readonly events: C
  readonly prefix?: string | undefined
  readonly types?: ReadonlyArray<EventOf<C>["type"]> | undefined
  /** Where it begins the very first time; `"start"` by default. */
  readonly from?: StartFrom | undefined
  /** In how many partitions; 1 by default. It can't be changed later but by a reset. */
  readonly partitions?: number | undefined
  /** What order is kept by, and what decides the partition; the stream by default. */
  readonly key?: ((event: EventOf<C>) => string) | undefined
  readonly failure?: FailurePolicy | undefined
  readonly handle: (event: EventOf<C>, delivery: Delivery) => Effect.Effect<unknown, E, R>
}

const known = ["name", "events", "prefix", "types", "from", "partitions", "key", "failure", "handle"]

/** The most partitions a processor may have. */
export const mostPartitions = 1024

/**
 * Makes a processor of a subscription: its handler is given each event at least once, those of one key in order.
 * Definitions are code, so a wrong one throws at once: `Invalid`, naming the field.
 */
export const subscription = <C extends Catalogue, E, R>(
  definition: SubscriptionDefinition<C, E, R>
): Processor<R> => {
  const { events, from = "start", handle, name, partitions = 1, prefix, types } = definition
  const fault = Fault.requiredFault(definition, known, "name") ?? policyFault(definition.failure) ??
    partitionsFault(partitions)
  if (fault !== undefined) throw fault
  const key = definition.key ?? (({ stream }: Event) => stream)
  const filtered = (store: StoreShape) => eventSource(store, events, { prefix, types })
  return {
    name,
    guarantee: "at least once",
    partitions,
    policy: policyOf(definition.failure),
    from,
    filter: (store) => Result.map(filtered(store), ({ filter }) => filter),
    assign: (store, partition) =>
      Effect.map(Effect.fromResult(filtered(store)), (source) => ({
        source,
        // It is given what its own source has read.
        work: eachEvent({ store, name, partition, key: key as (event: Event) => string, handle: handle as Handle<R> })
      }))
  }
}

const partitionsFault = (partitions: number): Fault.Fault | undefined =>
  Fault.isCounter(partitions) && partitions > 0 && partitions <= mostPartitions ? undefined : new Invalid({
    field: "partitions",
    reason: `is no whole number from 1 to ${mostPartitions}`,
    remedy: "leave it out for one"
  })

type Handle<R> = (event: Event, delivery: Delivery) => Effect.Effect<unknown, unknown, R>

interface EachEvent<R> {
  readonly store: StoreShape
  readonly name: string
  readonly partition: Partition
  readonly key: (event: Event) => string
  readonly handle: Handle<R>
}

const eachEvent = <R>({ handle, key, name, partition, store }: EachEvent<R>): Work<R> => ({
  keysOf: (event) => {
    const own = key(event)
    return isIn(partition, own) ? [own] : []
  },
  handle: (events, attempt) =>
    Effect.suspend(() => {
      let count = 0
      const one = (event: Event) =>
        handle(event, {
          key: `${name}/${store.about.incarnation}/${event.position}`,
          attempt: count === 0 ? attempt : 0
        })
      const loop = Effect.whileLoop({
        while: () => count < events.length,
        body: () => {
          const event = events[count]
          return event === undefined ? Effect.void : Effect.suspend(() => one(event))
        },
        step: () => {
          count++
        }
      })
      return Effect.map(Effect.exit(loop), (exit) => ({
        count,
        ops: [],
        failed: Exit.isFailure(exit) ? exit.cause : undefined
      }))
    })
})
