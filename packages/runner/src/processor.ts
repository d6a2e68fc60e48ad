/** Processors: what goes through the log under a name, in one or more partitions. */
import type {
  Catalogue,
  Checkpoint,
  Committed,
  Conflict,
  Event,
  EventOf,
  Op,
  StartFrom,
  StoreError,
  StoreShape
} from "@persist/core"
import { Invalid } from "@persist/core"
import { type EventSource, eventSource } from "@persist/core/event-pages"
import * as Fault from "@persist/core/fault"
import { isReserved, nameFault, reservedFault } from "@persist/core/name"
import { enrol } from "@persist/core/reader"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { type FailurePolicy, type Policy, policyFault, policyOf } from "./failure.ts"
import { type Partition, partitionOf, readerOf } from "./partition.ts"

/** How often an event takes effect, whatever happens meanwhile. */
export type Guarantee = "exactly once" | "at least once"

/** What a processor is. */
export type ProcessorKind = "subscription" | "reaction" | "read model" | "tables" | "workflow"

/** What came of some events. */
export interface Handled {
  /** How many of them, from the first, are done with once `ops` are committed. */
  readonly count: number
  /** To be committed with the checkpoint. */
  readonly ops: ReadonlyArray<Op>
  /** What came of the commit, where the work has made it itself, of what {@link Saving} says. */
  readonly outcome?: Committed | Conflict
  /** Told that it was committed. */
  readonly committed?: () => void
  /** Why the next one isn't done with. */
  readonly failed: Cause.Cause<unknown> | undefined
}

/** What says in a commit that so many of the events, from the first, are done with; to come before all else in it. */
export type Saving = (count: number) => ReadonlyArray<Op>

/** What a partition does with its events. */
export interface Work<R> {
  /**
   * The keys an event is kept in order by, but for those of other partitions. None: it isn't for this one. `undefined`:
   * they can't be told, which is another partition's failure.
   */
  readonly keysOf: (event: Event) => ReadonlyArray<string> | undefined
  /**
   * Handles events, of which `attempt` is how often the first was tried before: as many as go into one commit. Where
   * they are handled one by one, `next` is told when one is done with.
   */
  readonly handle: (
    events: ReadonlyArray<Event>,
    attempt: number,
    saving: Saving,
    next: () => void
  ) => Effect.Effect<Handled, StoreError, R>
  readonly alarm?: Alarm<R> | undefined
}

/** What a partition does at a time, beside its events. */
export interface Alarm<R> {
  /** When there is something to do next, in milliseconds since 1970. */
  readonly next: Effect.Effect<Option.Option<number>, StoreError>
  /** Does the first of what is due. */
  readonly fire: Effect.Effect<Handled, StoreError, R>
}

/** A partition's events and what to do with them. */
export interface Assignment<R> {
  readonly source: EventSource<Event>
  readonly work: Work<R>
  /** An event's key and the reader of its partition, where there may be several; throws what the key throws. */
  readonly homeOf?: (event: Event) => Home
}

/** Where an event belongs. */
export interface Home {
  readonly reader: string
  readonly key: string
}

/** Something that goes through the log under a name. */
export interface Processor<R = never> {
  readonly name: string
  readonly kind: ProcessorKind
  readonly guarantee: Guarantee
  readonly partitions: number
  readonly policy: Policy
  /** The name of a partition's reader. */
  readonly readerOf: (partition: Partition) => string
  /** Fails with `Invalid` where the store holds what another definition of the same name has made. */
  readonly refuse?: (store: StoreShape) => Effect.Effect<void, StoreError>
  /** Registers a partition's reader, or finds it registered. */
  readonly register: (store: StoreShape, partition: Partition) => Effect.Effect<Checkpoint, StoreError>
  /** What a partition does, once its lease is taken. */
  readonly assign: (store: StoreShape, partition: Partition) => Effect.Effect<Assignment<R>, StoreError>
}

/** Whether something is a processor; whether it needs services can't be seen. */
export const isProcessor = (u: unknown): u is Processor =>
  typeof u === "object" && u !== null && "assign" in u && "policy" in u && "guarantee" in u &&
  typeof u.assign === "function"

/** What every processor is defined by. */
export interface ProcessorDefinition<C extends Catalogue> {
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
}

const known = ["name", "events", "prefix", "types", "from", "partitions", "key", "failure", "handle"]

/** The most partitions a processor may have. */
export const mostPartitions = 1024

/** Of a processor, what its kind decides. */
export interface Kind<R> {
  readonly kind: ProcessorKind
  readonly guarantee: Guarantee
  readonly work: (store: StoreShape, partition: Partition, key: (event: Event) => string) => Work<R>
}

/** Makes a processor of its definition. A wrong one throws `Invalid`, naming the field: definitions are code. */
export const processorOf = <C extends Catalogue, R>(
  definition: ProcessorDefinition<C>,
  { guarantee, kind, work }: Kind<R>
): Processor<R> => {
  const { events, from = "start", name, partitions = 1, prefix, types } = definition
  const fault = Fault.requiredFault(definition, known, "name") ?? policyFault(definition.failure) ??
    processorNameFault(name) ?? partitionsFault(partitions)
  if (fault !== undefined) throw fault
  // It is given what its own source has read.
  const key = (definition.key ?? (({ stream }: Event) => stream)) as (event: Event) => string
  const source = (store: StoreShape) => eventSource(store, events, { prefix, types })
  return {
    name,
    kind,
    guarantee,
    partitions,
    policy: policyOf(definition.failure),
    readerOf: (partition) => readerOf(name, partition),
    register: (store, partition) =>
      Effect.flatMap(
        Effect.fromResult(source(store)),
        ({ filter }) => enrol(store, readerOf(name, partition), from, filter)
      ),
    assign: (store, partition) =>
      Effect.map(Effect.fromResult(source(store)), (own) => ({
        source: own,
        work: work(store, partition, key),
        homeOf: (event) => ({ key: key(event), reader: readerOf(name, partitionOf(partitions, key(event))) })
      }))
  }
}

/** Longest name of a processor, in UTF-8 bytes: the names of its readers and keys are made of it. */
const nameBytes = 256

const processorNameFault = (name: string): Fault.Fault | undefined =>
  nameFault("name", name, nameBytes) ?? (isReserved(name) ? reservedFault("name", name) : undefined) ??
    (name.includes("#")
      ? new Invalid({ field: "name", reason: "has a #, which tells partitions apart", remedy: "choose another" })
      : undefined)

/** Throws `Invalid` where one of a definition's functions is none. */
export const refuseNoFunction = (functions: Readonly<Record<string, unknown>>): void => {
  for (const [field, value] of Object.entries(functions)) {
    if (typeof value !== "function") throw new Invalid({ field, reason: "is no function", remedy: "pass one" })
  }
}

const partitionsFault = (partitions: number): Fault.Fault | undefined =>
  Fault.isCounter(partitions) && partitions > 0 && partitions <= mostPartitions ? undefined : new Invalid({
    field: "partitions",
    reason: `is no whole number from 1 to ${mostPartitions}`,
    remedy: "leave it out for one"
  })
