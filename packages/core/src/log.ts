/** The log: append-only streams of typed events, each read by itself or all in their total order. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StreamInfo } from "./backend.ts"
import type { Appended, Committed, Conflict } from "./commit.ts"
import { type Draft, type Op, opOf } from "./draft.ts"
import { type Engine, unconditional } from "./engine.ts"
import type { StoreError } from "./error.ts"
import type { EventInput } from "./event.ts"
import * as Fault from "./fault.ts"
import { listStreams, readEverything, readStream, streamInfo } from "./log-read.ts"
import type { EventCodec, StreamsOptions } from "./log-read.ts"
import { suspendedThen } from "./posted.ts"
import type { ReadAllOptions, ReadStreamOptions } from "./range.ts"
import { noSeq, type Position, type Seq, type SeqInput, unbounded } from "./sequence.ts"
import { commitKeys, type CommitOptions } from "./write.ts"

/** What a stream must be for a commit to happen: its last seq, 0 (must be new), `"exists"`, or `"any"`thing. */
export type Expected = SeqInput | "any" | "exists"

/** What must hold for an append to happen, and the commit's id and time. */
export interface AppendOptions<E extends Expected = Expected> extends CommitOptions {
  readonly expected: E
}

/** The events are in the stream, with seqs `first` to `last`. */
export interface EventsAppended extends Appended {
  readonly _tag: "Committed"
  /** The commit's last position: what a read with `atLeast` waits for. */
  readonly position: Position
  /** True where the same commit had happened before under this id. */
  readonly repeated: boolean
}

/** The operations of a log as parts of a commit: nothing happens until `commit` is given them. */
export interface LogOps<I> {
  /** Appends events. */
  readonly append: (stream: string, events: I | ReadonlyArray<I>, options: { readonly expected: Expected }) => Op
  /** Only expects something of a stream. */
  readonly check: (stream: string, expected: Expected) => Op
  /** Removes the events below seq `before`. */
  readonly truncate: (stream: string, before: SeqInput) => Op
  /** Removes all events, if the stream is as expected; the last seq stays, so nothing is ever numbered twice. */
  readonly delete: (stream: string, options: { readonly expected: Expected }) => Op
}

/**
 * Streams of events of one catalogue. Every verb may fail with the store's errors: `Invalid` and `LimitExceeded` (mend
 * the call), `Unavailable` (try again), `OutcomeUnknown` (resolve the commit), `Corrupt` (stored data the catalogue
 * can't read), `Unsupported` and `Denied`.
 */
export interface Log<E, I> {
  /** Appends one event or several, if the stream is as expected; a lost race is a `Conflict`: nothing happened then. */
  readonly append: {
    (
      stream: string,
      events: I | ReadonlyArray<I>,
      options: AppendOptions<"any">
    ): Effect.Effect<EventsAppended, StoreError>
    (
      stream: string,
      events: I | ReadonlyArray<I>,
      options: AppendOptions
    ): Effect.Effect<EventsAppended | Conflict, StoreError>
  }
  /** Reads a stream's events, first to last unless `reverse`; a stream that isn't there is empty. */
  readonly read: (stream: string, options?: ReadStreamOptions) => Stream.Stream<E, StoreError>
  /** Reads the events of all streams in the total order, filtered; it ends at the head. */
  readonly readAll: (options?: ReadAllOptions) => Stream.Stream<E, StoreError>
  /** The stream's last seq; 0 where nothing was ever appended. */
  readonly lastSeq: (stream: string) => Effect.Effect<Seq, StoreError>
  /** The stream's first readable and last seq; `undefined` where nothing was ever appended. */
  readonly info: (stream: string) => Effect.Effect<StreamInfo | undefined, StoreError>
  /** Lists streams by name, those emptied by truncation or deletion included (`first` is then `last + 1`). */
  readonly streams: (options?: StreamsOptions) => Stream.Stream<StreamInfo, StoreError>
  /** The events that made a `Conflict`: what came after the expected seq, to decide again with. */
  readonly missing: (conflict: Conflict) => Stream.Stream<E, StoreError>
  /** Removes a stream's events below seq `before`; seqs go on as before. */
  readonly truncate: (stream: string, before: SeqInput) => Effect.Effect<Committed, StoreError>
  /** Removes all of a stream's events, if it is as expected; seqs go on as before. */
  readonly delete: (
    stream: string,
    options: { readonly expected: Expected }
  ) => Effect.Effect<Committed | Conflict, StoreError>
  /** The same operations as parts of a larger commit. */
  readonly ops: LogOps<I>
}

/** Makes the log of one catalogue over a store's engine. */
export const makeLog = <E, I extends EventInput>(engine: Engine, codec: EventCodec<E, I>): Log<E, I> => {
  const ops = logOps(codec, engine.about.incarnation)
  return {
    append: ((stream: string, events: I | ReadonlyArray<I>, options: AppendOptions) =>
      engine.write(
        (draft) =>
          Fault.requiredFault(options, appendKeys, "expected") ??
            draftAppend(draft, codec, stream, events, options.expected),
        options,
        ofOneAppend
      )) as Log<E, I>["append"], // That `"any"` can't conflict is the backend's law, beyond what inference sees.
    read: (stream, options) => readStream(engine, codec, stream, options),
    readAll: (options) => readEverything(engine, codec, options),
    lastSeq: (stream) => suspendedThen(() => streamInfo(engine, stream), (info) => Exit.succeed(info?.last ?? noSeq)),
    info: (stream) => streamInfo(engine, stream),
    streams: (options) => listStreams(engine, options),
    missing: ({ expectation }) =>
      expectation._tag === "Stream" && typeof expectation.expected === "number"
        ? readStream(engine, codec, expectation.stream, { from: expectation.expected + 1 })
        : Stream.empty,
    truncate: (stream, before) => unconditional(engine.commit([ops.truncate(stream, before)])),
    delete: (stream, options) => engine.commit([ops.delete(stream, options)]),
    ops
  }
}

/**
 * Makes the operations of a log: those of the store with this incarnation alone, or, without one, of whichever store
 * commits them.
 */
export const logOps = <I extends EventInput>(codec: EventCodec<unknown, I>, incarnation?: string): LogOps<I> => ({
  append: (stream, events, options) =>
    opOf(incarnation, (draft) => {
      // The id and the time are the commit's, and so are given to it.
      const fault = Fault.requiredFault(options, ["expected"], "expected")
      if (fault !== undefined) return fault
      return draftAppend(draft, codec, stream, events, options.expected)
    }),
  check: (stream, expected) => opOf(incarnation, (draft) => draft.check(stream, expected)),
  truncate: (stream, before) => opOf(incarnation, (draft) => draft.truncate(stream, before)),
  delete: (stream, options) =>
    opOf(
      incarnation,
      (draft) =>
        Fault.requiredFault(options, ["expected"], "expected") ?? draft.check(stream, options.expected) ??
          draft.truncate(stream, unbounded)
    )
})

const appendKeys = ["expected", ...commitKeys]

const isMany = <I>(events: I | ReadonlyArray<I>): events is ReadonlyArray<I> => Array.isArray(events)

const draftAppend = <I extends EventInput>(
  draft: Draft,
  codec: EventCodec<unknown, I>,
  stream: string,
  events: I | ReadonlyArray<I>,
  expected: Expected
): Fault.Fault | undefined => {
  if (!isMany(events)) return draft.append(stream, expected, 1) ?? draftEvent(draft, codec, "event", events)
  const fault = draft.append(stream, expected, events.length)
  if (fault !== undefined) return fault
  for (let i = 0; i < events.length; i++) {
    const own = draftEvent(draft, codec, events.length === 1 ? "event" : `events[${i}]`, events[i])
    if (own !== undefined) return own
  }
  return undefined
}

const draftEvent = <I extends EventInput>(
  draft: Draft,
  codec: EventCodec<unknown, I>,
  field: string,
  input: I | undefined
): Fault.Fault | undefined => {
  if (input === null || typeof input !== "object") {
    return Fault.noEventFault(field)
  }
  const fault = Fault.optionsFault(input, eventKeys)
  if (fault !== undefined) return fault
  const encoded = codec.encode(field, input)
  return Result.isFailure(encoded) ? encoded.failure : draft.event(encoded.success, input.at, input.id)
}

const eventKeys = ["type", "data", "at", "meta", "id"]

const ofOneAppend = (outcome: Committed | Conflict): EventsAppended | Conflict => {
  if (outcome._tag === "Conflict") return outcome
  const [appended] = outcome.appended
  // A commit of one append answers one place; a backend that answers none is broken beyond a typed error.
  if (appended === undefined) throw new Error("the backend answered no place for an append")
  const { first, firstPosition, last, lastPosition, stream } = appended
  const { position, repeated } = outcome
  return { _tag: "Committed", stream, first, last, firstPosition, lastPosition, position, repeated }
}
