/** Strong reads: a read model as of the head, however far it has been kept. What it lacks is folded in memory. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import { readCheckpoint } from "./checkpoint.ts"
import { refuseTruncated } from "./compacted.ts"
import type { ReadOptions } from "./engine.ts"
import { Invalid, type StoreError, Unavailable } from "./error.ts"
import { type EventSource, eventSource } from "./event-pages.ts"
import * as Fault from "./fault.ts"
import type { Entry } from "./kv.ts"
import { foreignKeys } from "./model-fault.ts"
import { type Keyed, passTail, readStored, TailStates } from "./model-tail.ts"
import { nameFault } from "./name.ts"
import { pageSize } from "./pages.ts"
import { quoted } from "./path.ts"
import { overlaid } from "./query-overlay.ts"
import { type Query, queryOver, type QueryPage } from "./query.ts"
import type { ReadModel } from "./read-model.ts"
import type { BuildOptions } from "./run-read-model.ts"
import { origin, type Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** How far behind the read model may be, and what every read may be given. */
export interface StrongOptions extends ReadOptions, BuildOptions {
  /** Most of the model's events that are folded for the answer; 10,000 by default. With more it's `Unavailable`. */
  readonly tail?: number | undefined
}

/** What is asked of a read model as of the head. */
export type StrongQuery<A> = Query<A> & StrongOptions

/** States of one moment. */
export interface StrongStates<A> {
  /** Those of the keys that have one. */
  readonly states: ReadonlyMap<string, A>
  /** Everything at or below it is in the states, nothing above it. At least the head as the read began. */
  readonly position: Position
  /** How many events were folded beyond the read model's checkpoint. */
  readonly folded: number
}

/** The verbs that read a read model as of the head. */
export interface StrongReads<A> {
  /** The state of a key; none where it has none. */
  readonly get: (key: string, options?: StrongOptions) => Effect.Effect<Option.Option<A>, StoreError>
  /** The states of several keys, all as of one position. */
  readonly getMany: (
    keys: ReadonlyArray<string>,
    options?: StrongOptions
  ) => Effect.Effect<StrongStates<A>, StoreError>
  /**
   * Finds states as `query` does. What is on a page is as of the head or later, page by page: every event that was in
   * the log when the page was asked for is in its items and in what isn't among them. An entry that the tail changed
   * has its last event's position as its revision.
   */
  readonly query: (asked?: StrongQuery<NoInfer<A>>) => Effect.Effect<QueryPage<A>, StoreError>
}

/**
 * Reads a read model as of the head: the stored states and, on top of them, the events that whoever keeps it hasn't
 * come to, folded in memory. Nothing is written and nobody is waited for; a model that was never run is all tail. So a
 * key shows what you have just appended, and what it says is never that of two moments.
 *
 * An event that the model can't take stops the reads of its own keys alone. What only its keeping refuses isn't seen
 * here: two states with the same values of a unique index, and what a runner has put aside.
 *
 * Fails with `Unavailable` where the model is farther behind than `tail`; `Invalid` for bad options, for a model that
 * throws or gives what its schema doesn't take, one built over other events, a namespace that holds keys of somebody
 * else, and truncated streams where nothing of it is built, without `allowTruncated`; `Corrupt` where its checkpoint
 * belongs to another history of the store, a state doesn't fit its schema or an event of the tail can't be decoded; and
 * as every read.
 */
export const strong = <C extends Catalogue, A>(store: StoreShape, model: ReadModel<C, A>): StrongReads<A> => {
  const getMany: StrongReads<A>["getMany"] = (keys, options) => statesOf(store, model, keys, options)
  return {
    get: (key, options) => Effect.map(getMany([key], options), ({ states }) => Option.fromUndefinedOr(states.get(key))),
    getMany,
    query: (asked) => queryStrongly(store, model, asked)
  }
}

/** Most events of a tail, unless told otherwise: they are read and folded in about a tenth of a second. */
const usualTail = 10_000

/** Options with nothing left out, and the model's events. */
interface Prepared<E> {
  readonly source: EventSource<E>
  readonly most: number
  readonly reading: ReadOptions
  readonly allowTruncated: boolean
}

const prepare = <C extends Catalogue, A>(
  store: StoreShape,
  { events, prefix }: ReadModel<C, A>,
  { allowTruncated = false, atLeast, tail = usualTail }: StrongOptions
): Result.Result<Prepared<EventOf<C>>, Fault.Fault> => {
  const fault = Fault.flagFault("allowTruncated", allowTruncated) ?? (Fault.isCounter(tail) ? undefined : noTail)
  return fault !== undefined
    ? Result.fail(fault)
    : Result.map(
      eventSource(store, events, { prefix }),
      (source) => ({ source, most: tail, reading: { atLeast }, allowTruncated })
    )
}

const noTail = new Invalid({
  field: "tail",
  reason: "is no whole number from 0",
  remedy: "pass how many events may be folded for the answer"
})

// A model of which something is built was begun whole, or was allowed not to be.
const refuseHoles = (
  store: StoreShape,
  { allowTruncated, source }: Prepared<unknown>,
  from: Position
): Effect.Effect<void, StoreError> =>
  from > origin || allowTruncated ? Effect.void : refuseTruncated(store, source.filter.prefix)

const statesOf = Effect.fnUntraced(function*<C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  keys: ReadonlyArray<string>,
  options: StrongOptions = {}
): Effect.fn.Return<StrongStates<A>, StoreError> {
  const fault = Fault.optionsFault(options, ["allowTruncated", "atLeast", "tail"]) ?? keysFault(store, keys)
  if (fault !== undefined) return yield* Effect.fail(fault)
  const prepared = yield* Effect.fromResult(prepare(store, model, options))
  const { most, reading, source } = prepared
  const asked = new Set(keys)
  const stored = yield* readStored(store, model, source.filter, Array.from(asked), reading)
  const states = new TailStates(model, asked, stored.entries)
  const folded = yield* passTail(store, model, source, stored, most, (page) => states.fold(page))
  // Afterwards, so that what is truncated meanwhile is noticed.
  yield* refuseHoles(store, prepared, stored.from)
  const entries = yield* Effect.fromResult(states.entries())
  return {
    states: new Map(Array.from(entries, ([key, { value }]) => [key, value])),
    position: stored.head,
    folded
  }
})

const keysFault = ({ about }: StoreShape, keys: ReadonlyArray<string>): Fault.Fault | undefined => {
  if (!Array.isArray(keys)) {
    return new Invalid({ field: "keys", reason: "is no list of keys", remedy: "pass an array of strings" })
  }
  for (const key of keys) {
    const fault = nameFault("key", key, about.limits.nameBytes)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** How often a query is begun again because its read model was cleared under it. */
const attempts = 3

const queryStrongly = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  asked: StrongQuery<A> = {}
): Effect.Effect<QueryPage<A>, StoreError> =>
  Effect.gen(function*() {
    const fault = Fault.optionsFault(asked, ["where", "sort", "limit", "after", "atLeast", "allowTruncated", "tail"])
    if (fault !== undefined) return yield* Effect.fail(fault)
    const { allowTruncated, tail, ...query } = asked
    const prepared = yield* Effect.fromResult(prepare(store, model, { allowTruncated, tail, atLeast: query.atLeast }))
    for (let attempt = 0; attempt < attempts; attempt++) {
      const page = yield* tryQuery(store, model, query, prepared)
      if (page !== undefined) return page
    }
    return yield* Effect.fail(rebuilding(model.namespace))
  })

const rebuilding = (namespace: string): Unavailable =>
  new Unavailable({
    operation: "strong",
    reason: `the read model ${quoted(namespace)} was cleared while it was asked`,
    remedy: "ask again when it is rebuilt"
  })

// A key that the tail doesn't change is right as it is stored, now and later: only those that it changes are taken from
// here. `undefined` where the model has gone back meanwhile, so that this doesn't hold.
const tryQuery = Effect.fnUntraced(function*<C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  query: Query<A>,
  prepared: Prepared<EventOf<C>>
): Effect.fn.Return<QueryPage<A> | undefined, StoreError> {
  const { most, reading, source } = prepared
  const begun = yield* readStored(store, model, source.filter, [], reading)
  const tail: Array<Keyed<EventOf<C>>> = []
  yield* passTail(store, model, source, begun, most, (page) => {
    for (const one of page) tail.push(one)
    return Result.succeed(undefined)
  })
  yield* refuseHoles(store, prepared, begun.from)
  const changed = Array.from(new Set(tail.flatMap(({ keys }) => keys)))
  const entries: Array<Entry<A>> = []
  for (let i = 0; i < changed.length; i += pageSize) {
    const keys = changed.slice(i, i + pageSize)
    const { entries: found, from } = yield* readStored(store, model, source.filter, keys)
    if (from < begun.from) return undefined
    const states = new TailStates(model, new Set(keys), found)
    yield* Effect.fromResult(states.fold(tail.filter(({ event }) => event.position > from)))
    for (const entry of (yield* Effect.fromResult(states.entries())).values()) entries.push(entry)
  }
  const page = yield* queryOver(store, model, query, (read, plan) => overlaid(read, plan, new Set(changed), entries))
  const after = yield* readCheckpoint(store, model.reader)
  if (Option.isSome(after)) return after.value.position < begun.from ? undefined : page
  if (begun.from > origin) return undefined
  return (yield* store.kv(model.namespace).count({ limit: 1 })) > 0
    ? yield* Effect.fail(foreignKeys(model.namespace))
    : page
})
