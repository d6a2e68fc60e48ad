/** Reading the log: ranges checked, pages made into streams, events decoded, nothing missing between two pages. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StoredEvent, StreamInfo } from "./backend.ts"
import type { EncodedEvent } from "./catalogue.ts"
import { decodeAll } from "./codec.ts"
import type { Engine } from "./engine.ts"
import type { Corrupt, Invalid, StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { allPage, gapFault, streamPage } from "./log-pages.ts"
import { nameFault } from "./name.ts"
import { pages, pagesToHead } from "./pages.ts"
import { suspendedThen } from "./posted.ts"
import { allRange, type ReadAllOptions, type ReadStreamOptions, streamRange } from "./range.ts"
import { Position, Seq, unbounded } from "./sequence.ts"

/** What a log needs of a catalogue; an event that `decode` answers `undefined` for is left out. */
export interface EventCodec<E, I> {
  readonly encode: (field: string, input: I) => Result.Result<EncodedEvent, Invalid>
  readonly decode: (event: StoredEvent) => Result.Result<E | undefined, Corrupt>
}

/** Which streams: by name prefix, above a name, at most so many. */
export interface StreamsOptions {
  readonly prefix?: string | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

const failing = (fault: Fault.Fault): Stream.Stream<never, Fault.Fault> => Stream.fail(fault)

/** A stream's events as a Stream that ends. */
export const readStream = <E>(
  engine: Engine,
  codec: EventCodec<E, never>,
  stream: string,
  options: ReadStreamOptions | undefined
): Stream.Stream<E, StoreError> => {
  const range = streamRange(engine.about, stream, options)
  if (Result.isFailure(range)) return failing(range.failure)
  const decodePage = (events: ReadonlyArray<StoredEvent>) => decodeAll(events, (event) => codec.decode(event))
  const { from, limit, reverse, to } = range.success
  const begin: Cursor = { at: reverse ? to : from, before: undefined }
  return pages(limit, begin, ({ at, before }, wanted) => {
    const bounds = { stream, from: reverse ? from : at, to: reverse ? at : to, limit: wanted, reverse }
    return Effect.flatMap(streamPage(engine, options, bounds, before), (events) => {
      const [first] = events
      const last = events.at(-1)
      const next = last === undefined || events.length < wanted
        ? undefined
        : { at: Seq(last.seq + (reverse ? -1 : 1)), before: last }
      const page = { items: events, next }
      return before === undefined || first === undefined || first.seq === at
        ? Effect.succeed(page)
        : Effect.as(gapAllowed(engine, first, before), page)
    })
  }, decodePage)
}

/** Where in a stream to go on, and the event that was read last. */
interface Cursor {
  readonly at: Seq
  readonly before: StoredEvent | undefined
}

// Between two pages a stream may be truncated, which only ever takes away what lies behind an event.
const gapAllowed = (engine: Engine, event: StoredEvent, before: StoredEvent): Effect.Effect<void, StoreError> => {
  const { lacks } = engine.about
  const refused = Effect.fail(gapFault(event, before))
  if (event.seq < before.seq || lacks.has("truncate")) return refused
  if (lacks.has("streams")) return Effect.void
  return Effect.flatMap(
    streamInfo(engine, event.stream),
    (info) => info !== undefined && info.first >= event.seq ? Effect.void : refused
  )
}

/** The events of all streams as a Stream that ends at the head. */
export const readEverything = <E>(
  engine: Engine,
  codec: EventCodec<E, never>,
  options: ReadAllOptions | undefined
): Stream.Stream<E, StoreError> => {
  const range = allRange(options)
  if (Result.isFailure(range)) return failing(range.failure)
  const decodePage = (events: ReadonlyArray<StoredEvent>) => decodeAll(events, (event) => codec.decode(event))
  const { after, limit, reverse, to } = range.success
  const page = (bounds: { readonly after: Position; readonly to: Position }, wanted: number) =>
    allPage(engine, options, { ...range.success, ...bounds, limit: wanted })
  if (reverse) {
    return pages(
      limit,
      to,
      (cursor, wanted) =>
        Effect.map(page({ after, to: cursor }, wanted), ({ items }) => {
          const last = items.at(-1)
          return { items, next: last === undefined || items.length < wanted ? undefined : Position(last.position - 1) }
        }),
      decodePage
    )
  }
  return pagesToHead(
    engine,
    options,
    { after, to, limit },
    (cursor, end, wanted) => page({ after: cursor, to: end }, wanted),
    decodePage
  )
}

/** One stream's first and last seq. */
export const streamInfo = (engine: Engine, stream: string): Effect.Effect<StreamInfo | undefined, StoreError> =>
  suspendedThen(
    () => foundAt(engine, stream),
    ([info]) => Exit.succeed(info?.stream === stream ? info : undefined)
  )

// The first of the streams whose names begin with a name: itself, if it's there.
const foundAt = (engine: Engine, stream: string): Effect.Effect<ReadonlyArray<StreamInfo>, StoreError> => {
  const { about, backend } = engine
  const fault = nameFault("stream", stream, about.limits.nameBytes)
  if (fault !== undefined) return Effect.fail(fault)
  // A store that neither lists streams nor truncates them has every event, so the last one tells everything.
  if (about.lacks.has("streams") && about.lacks.has("truncate")) {
    const last = backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 1, reverse: true })
    return Effect.map(
      engine.reading(undefined, last),
      (events) => events.map(({ seq }) => ({ stream, first: Seq(1), last: seq }))
    )
  }
  return engine.reading(undefined, backend.streams({ prefix: stream, after: undefined, limit: 1 }))
}

/** Streams by name. */
export const listStreams = (
  engine: Engine,
  options: StreamsOptions = {}
): Stream.Stream<StreamInfo, StoreError> => {
  const fault = Fault.optionsFault(options, ["prefix", "after", "limit"]) ??
    Fault.textFault("prefix", options.prefix) ?? Fault.textFault("after", options.after) ??
    Fault.limitFault(options.limit)
  if (fault !== undefined) return failing(fault)
  return pages(options.limit ?? unbounded, { after: options.after }, ({ after }, wanted) =>
    Effect.map(
      engine.reading(undefined, engine.backend.streams({ prefix: options.prefix ?? "", after, limit: wanted })),
      (items) => ({ items, next: items.length < wanted ? undefined : { after: items.at(-1)?.stream } })
    ), Effect.succeed)
}
