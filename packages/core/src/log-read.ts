/** Reading the log: ranges checked, pages made into streams, events decoded and the order within a page verified. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StoredEvent, StreamInfo } from "./backend.ts"
import type { EncodedEvent } from "./catalogue.ts"
import { decodeAll } from "./codec.ts"
import type { Engine } from "./engine.ts"
import { Corrupt, type Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { nameFault } from "./name.ts"
import { pages, pagesToHead } from "./pages.ts"
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
  const decode = (event: StoredEvent) => codec.decode(event)
  const { from, limit, reverse, to } = range.success
  return pages(limit, reverse ? to : from, (cursor, wanted) =>
    Effect.flatMap(
      engine.reading(
        options,
        engine.backend.readStream({
          stream,
          from: reverse ? from : cursor,
          to: reverse ? cursor : to,
          limit: wanted,
          reverse
        })
      ),
      (events) => {
        const fault = orderFault(events, reverse ? -1 : 1)
        if (fault !== undefined) return Effect.fail(fault)
        const last = events.at(-1)
        const next = last === undefined || events.length < wanted ? undefined : Seq(last.seq + (reverse ? -1 : 1))
        return Effect.map(decodeAll(events, decode), (items) => ({ items, next }))
      }
    ))
}

/** The events of all streams as a Stream that ends at the head. */
export const readEverything = <E>(
  engine: Engine,
  codec: EventCodec<E, never>,
  options: ReadAllOptions | undefined
): Stream.Stream<E, StoreError> => {
  const range = allRange(options)
  if (Result.isFailure(range)) return failing(range.failure)
  const decode = (event: StoredEvent) => codec.decode(event)
  const { after, limit, reverse, to } = range.success
  const page = (bounds: { readonly after: Position; readonly to: Position }, wanted: number) =>
    engine.reading(options, engine.backend.readAll({ ...range.success, ...bounds, limit: wanted }))
  if (reverse) {
    return pages(
      limit,
      to,
      (cursor, wanted) =>
        Effect.flatMap(page({ after, to: cursor }, wanted), ({ items: events }) => {
          const last = events.at(-1)
          const next = last === undefined || events.length < wanted ? undefined : Position(last.position - 1)
          return Effect.map(decodeAll(events, decode), (items) => ({ items, next }))
        })
    )
  }
  return pagesToHead(
    engine,
    options,
    { after, to, limit },
    (cursor, end, wanted) =>
      Effect.flatMap(
        page({ after: cursor, to: end }, wanted),
        ({ items: events, through }) => Effect.map(decodeAll(events, decode), (items) => ({ items, through }))
      )
  )
}

/** Why a page of a stream can't be right: it has a hole. The other half of the rule that backends keep in writing. */
export const orderFault = (events: ReadonlyArray<StoredEvent>, step: 1 | -1): Corrupt | undefined => {
  for (let i = 1; i < events.length; i++) {
    const [before, event] = [events[i - 1], events[i]]
    if (before === undefined || event === undefined || event.seq === before.seq + step) continue
    return new Corrupt({
      where: `stream ${JSON.stringify(event.stream)}, seq ${event.seq}`,
      reason: `it follows seq ${before.seq}`,
      remedy: "run verify on the store, and restore what is missing from a backup"
    })
  }
  return undefined
}

/** One stream's first and last seq. */
export const streamInfo = (engine: Engine, stream: string): Effect.Effect<StreamInfo | undefined, StoreError> =>
  Effect.suspend(() => {
    const fault = nameFault("stream", stream, engine.about.limits.nameBytes)
    if (fault !== undefined) return Effect.fail(fault)
    const { about, backend } = engine
    // A store that neither lists streams nor truncates them has every event, so the last one tells everything.
    if (about.lacks.has("streams") && about.lacks.has("truncate")) {
      const last = backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 1, reverse: true })
      return Effect.map(
        engine.reading(undefined, last),
        ([event]) => event && { stream, first: Seq(1), last: event.seq }
      )
    }
    // Among the names with this prefix, the name itself comes first.
    const found = backend.streams({ prefix: stream, after: undefined, limit: 1 })
    return Effect.map(engine.reading(undefined, found), ([info]) => info?.stream === stream ? info : undefined)
  })

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
    ))
}
