/** Pages of decoded events in the total order, filtered by the backend: what subscriptions and read models read. */
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { paginateAhead } from "./ahead.ts"
import type { Page, StoredEvent } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { ReaderFilter } from "./checkpoint.ts"
import { lostBeyond } from "./compacted.ts"
import { type Corrupt, Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { follow } from "./follow.ts"
import { allPage, firstOfAll } from "./log-pages.ts"
import { pageSize } from "./pages.ts"
import { quoted } from "./path.ts"
import { Position, unbounded } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Which events to read, and how many at a time. */
export interface EventFilter<C extends Catalogue> {
  /** Only streams whose name starts with it. */
  readonly prefix?: string | undefined
  /** Only events of these types, which the catalogue must know. */
  readonly types?: ReadonlyArray<EventOf<C>["type"]> | undefined
  /** Most events a page, 1,000 by default; one more page may be read ahead of a slow consumer that catches up. */
  readonly batch?: number | undefined
}

/** A place to read pages of events from. */
export interface EventSource<E> {
  readonly filter: ReaderFilter
  /** Most events that a page holds. */
  readonly limit: number
  /** The page after a position; it ends before an event that can't be decoded, and fails where that is the first. */
  readonly read: (after: Position, to: Position) => Effect.Effect<Page<E>, StoreError>
  /** The position of the first event between two, whether it can be decoded or not. */
  readonly next: (after: Position, to: Position) => Effect.Effect<Position | undefined, StoreError>
}

interface Decoder<E> {
  readonly decode: (event: StoredEvent) => Result.Result<E | undefined, Corrupt>
}

/** Makes the source of a catalogue's events, or says what's wrong with the filter. */
export const eventSource = <C extends Catalogue>(
  { engine }: StoreShape,
  catalogue: C,
  options: EventFilter<C>
): Result.Result<EventSource<EventOf<C>>, Fault.Fault> => {
  const fault = catalogueFault(catalogue) ?? Fault.textFault("prefix", options.prefix) ??
    Fault.typesFault(options.types) ??
    batchFault(options.batch) ?? knownFault(catalogue, options.types)
  if (fault !== undefined) return Result.fail(fault)
  const prefix = options.prefix ?? ""
  const types = options.types ?? (catalogue.unknown === "skip" ? catalogue.types : undefined)
  const limit = options.batch ?? pageSize
  const decoder: Decoder<EventOf<C>> = catalogue
  const stored = (after: Position, to: Position) =>
    allPage(engine, undefined, { after, to, prefix, types, limit, reverse: false })
  return Result.succeed({
    filter: { prefix, types },
    limit,
    read: (after, to) => Effect.flatMap(stored(after, to), (page) => decodePage(decoder, page)),
    next: (after, to) => Effect.map(firstOfAll(engine, { after, to, prefix, types }), (first) => first?.position)
  })
}

const catalogueFault = (catalogue: Partial<Catalogue> | undefined): Fault.Fault | undefined =>
  typeof catalogue?.decode === "function" ? undefined : new Invalid({
    field: "events",
    reason: "is no catalogue",
    remedy: "pass one made with Catalogue.make, or anyEvents for every event as it is stored"
  })

const batchFault = (batch: unknown): Fault.Fault | undefined =>
  batch === undefined || (Fault.isCounter(batch) && batch > 0)
    ? undefined
    : new Invalid({ field: "batch", reason: "is no whole number from 1", remedy: "leave it out for pages of 1,000" })

// What is skipped is never read, so every event of a page means something: a filter of nothing is a mistake.
const knownFault = (
  { types: known, unknown }: Catalogue,
  types: ReadonlyArray<string> | undefined
): Fault.Fault | undefined => {
  if (unknown === "skip" && known.length === 0) {
    return new Invalid({
      field: "events",
      reason: "it defines no types and skips all others, so nothing would ever arrive",
      remedy: "define the types to read"
    })
  }
  if (unknown === "pass" || known.length === 0) return undefined
  const stranger = types?.find((type) => !known.includes(type))
  if (stranger === undefined) return undefined
  return new Invalid({
    field: "types",
    reason: `${quoted(stranger)} isn't in the catalogue`,
    remedy: "use its types, or define it"
  })
}

const decodePage = <E>(
  decoder: Decoder<E>,
  { items: stored, through }: Page<StoredEvent>
): Effect.Effect<Page<E>, Corrupt> => {
  const items: Array<E> = []
  let last: Position | undefined
  for (const event of stored) {
    const result = decoder.decode(event)
    if (Result.isFailure(result)) {
      return last === undefined ? Effect.fail(result.failure) : Effect.succeed({ items, through: last })
    }
    if (result.success !== undefined) items.push(result.success)
    last = event.position
  }
  return Effect.succeed({ items, through })
}

/**
 * Pages from a position on: those that are there, then those that come; it never ends by itself. Where streams lost
 * events beyond that position it goes on with what is left, and warns.
 */
export const followPages = <E>(
  store: StoreShape,
  source: EventSource<E>,
  from: Position
): Stream.Stream<Page<E>, StoreError> =>
  Stream.unwrap(
    Effect.as(
      // Beside the pages, since it may have to go through the names of all streams.
      Effect.forkScoped(warnOfLost(store, source.filter.prefix, from)),
      pagesFrom(store, source, from)
    )
  )

/** The same, for those who have warned of what is lost themselves. */
export const pagesFrom = <E>(
  { engine }: StoreShape,
  source: EventSource<E>,
  from: Position
): Stream.Stream<Page<E>, StoreError> =>
  follow(engine, from, source.limit, (after) => source.read(after, Position(unbounded)))

/** Warns where streams with a prefix lost events beyond a position; goes through those that were truncated, or all. */
// A warning that can't be given is no reason to stop.
export const warnOfLost = ({ engine }: StoreShape, prefix: string, after: Position): Effect.Effect<void> =>
  Effect.flatMap(
    engine.reading(undefined, engine.backend.head),
    (head) => head <= after ? Effect.undefined : lostBeyond(engine, prefix, { anchors: [], position: after })
  ).pipe(
    Effect.flatMap((lost) =>
      lost === undefined ? Effect.void : Effect.annotateLogs(
        Effect.logWarning("events may have been truncated or deleted before they were read; it goes on with the rest"),
        { stream: lost.stream, first: lost.first, after }
      )
    ),
    Effect.ignore
  )

/** Pages from a position to another; it ends there. */
export const pagesTo = <E>(source: EventSource<E>, from: Position, to: Position): Stream.Stream<Page<E>, StoreError> =>
  from >= to ? Stream.empty : paginateAhead(from, (after: Position) =>
    Effect.map(source.read(after, to), (page) => ({
      page: [page],
      next: page.through < to ? page.through : undefined,
      full: page.items.length >= source.limit
    })), Effect.succeed)

/** Does something so that an interruption takes effect within it, where its caller's would. */
export type Interruptibly = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Does something with one page after another until that answers a result, or the pages end (`undefined`). An
 * interruption takes effect while it reads or waits, and within `each` only in what is done `interruptibly`.
 */
export const consume = <E, A, E2, R>(
  pages: Stream.Stream<Page<E>, StoreError>,
  each: (page: Page<E>, interruptibly: Interruptibly) => Effect.Effect<A | undefined, E2, R>
): Effect.Effect<A | undefined, StoreError | E2, R> =>
  Effect.scoped(Effect.uninterruptibleMask((interruptibly) =>
    Effect.gen(function*() {
      const pull = yield* Stream.toPull(pages)
      const next = interruptibly(Pull.catchDone(pull, () => Effect.undefined))
      while (true) {
        const read = yield* next
        if (read === undefined) return undefined
        for (const page of read) {
          const result = yield* each(page, interruptibly)
          if (result !== undefined) return result
        }
      }
    })
  ))
