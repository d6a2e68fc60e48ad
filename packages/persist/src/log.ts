/** The log as Promises: append-only streams of typed events, each read by itself or all in their total order. */
import type {
  AppendOptions,
  Committed,
  Conflict,
  EventsAppended,
  Expected,
  Log as CoreLog,
  LogOps,
  ReadAllOptions,
  ReadStreamOptions,
  Seq,
  SeqInput,
  StreamInfo,
  StreamsOptions
} from "@persist/core"
import { plain, type Reading, reading } from "./reading.ts"
import { type Abortable, call, callPlain } from "./run.ts"

/**
 * Streams of events of one catalogue. Every verb may reject with the store's errors: `Invalid` and `LimitExceeded`
 * (mend the call), `Unavailable` (try again), `OutcomeUnknown` (resolve the commit), `Corrupt` (stored data the
 * catalogue can't read), `Unsupported` and `Denied`.
 */
export interface Log<E, I> {
  /** Appends one event or several, if the stream is as expected; a lost race is a `Conflict`: nothing happened then. */
  readonly append: {
    (
      stream: string,
      events: I | ReadonlyArray<I>,
      options: AppendOptions<"any"> & Abortable
    ): Promise<EventsAppended>
    (
      stream: string,
      events: I | ReadonlyArray<I>,
      options: AppendOptions & Abortable
    ): Promise<EventsAppended | Conflict>
  }
  /** Reads a stream's events, first to last unless `reverse`; a stream that isn't there is empty. */
  readonly read: (stream: string, options?: ReadStreamOptions & Abortable) => Reading<E>
  /** Reads the events of all streams in the total order, filtered; it ends at the head. */
  readonly readAll: (options?: ReadAllOptions & Abortable) => Reading<E>
  /** The stream's last seq; 0 where nothing was ever appended. */
  readonly lastSeq: (stream: string, options?: Abortable) => Promise<Seq>
  /** The stream's first readable and last seq; `undefined` where nothing was ever appended. */
  readonly info: (stream: string, options?: Abortable) => Promise<StreamInfo | undefined>
  /** Lists streams by name, those emptied by truncation or deletion included (`first` is then `last + 1`). */
  readonly streams: (options?: StreamsOptions & Abortable) => Reading<StreamInfo>
  /** The events that made a `Conflict`: what came after the expected seq, to decide again with. */
  readonly missing: (conflict: Conflict, options?: Abortable) => Reading<E>
  /** Removes a stream's events below seq `before`; seqs go on as before. */
  readonly truncate: (stream: string, before: SeqInput, options?: Abortable) => Promise<Committed>
  /** Removes all of a stream's events, if it is as expected; seqs go on as before. */
  readonly delete: (
    stream: string,
    options: { readonly expected: Expected } & Abortable
  ) => Promise<Committed | Conflict>
  /** The same operations as parts of a larger commit: `store.commit([log.ops.append(…), kv.ops.put(…)])`. */
  readonly ops: LogOps<I>
}

/** Makes the Promise interface of a log. */
export const promiseLog = <E, I>(log: CoreLog<E, I>): Log<E, I> => {
  const append = (stream: string, events: I | ReadonlyArray<I>, options: AppendOptions & Abortable) =>
    call(options, (own) => log.append(stream, events, own))
  return {
    append: append as Log<E, I>["append"], // by overloads, which are core's
    read: (stream, options) => reading(options, (own) => log.read(stream, own)),
    readAll: (options) => reading(options, log.readAll),
    lastSeq: (stream, options) => callPlain(options, () => log.lastSeq(stream)),
    info: (stream, options) => callPlain(options, () => log.info(stream)),
    streams: (options) => reading(options, log.streams),
    missing: (conflict, options) => reading(options, plain(log.missing(conflict))),
    truncate: (stream, before, options) => callPlain(options, () => log.truncate(stream, before)),
    delete: (stream, options) => call(options, (own) => log.delete(stream, own)),
    ops: log.ops
  }
}
