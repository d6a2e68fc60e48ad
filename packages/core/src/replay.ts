/** Folding straight from the store: whole pages at a time, verified to be whole, in the order in which things happened. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoredEvent } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { compactedSince, truncatedStream } from "./compacted.ts"
import type { Engine } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import { eventFingerprint } from "./fingerprint.ts"
import { decodeAll, orderFault, streamInfo } from "./log-read.ts"
import { pageSize } from "./pages.ts"
import { quoted } from "./path.ts"
import { foldResult, type Projection } from "./projection.ts"
import type { Cut, Plan } from "./scope.ts"
import { noSeq, origin, Position, Seq, unbounded } from "./sequence.ts"

/** An event that a state ends with: whoever goes on from the state must find the very same one there. */
export interface Anchor {
  readonly stream: string
  readonly seq: Seq
  readonly fingerprint: string
}

/** Events that a replay needs were truncated or deleted. */
export interface Hole {
  readonly _tag: "Hole"
  readonly reason: string
}

/** The state that a replay went on from is of another history than the log's. */
export interface Astray {
  readonly _tag: "Astray"
  readonly reason: string
}

/** What stops a replay. */
export type Trouble = StoreError | Hole | Astray

/** A saved state to go on from. */
export interface Standpoint<S> {
  readonly state: S
  /** Everything of the scope at or below it is in the state. */
  readonly position: Position
  /** The latest `at` of an event in the state. */
  readonly latest: number
  /** The last event of each named stream in the state; of a prefix, the last of all. */
  readonly anchors: ReadonlyArray<Anchor>
  /** Whether it was saved by this very history, so that an anchor may be gone if it was truncated. */
  readonly native: boolean
}

/** The last event of a stream, as far as it's known. */
type End = StoredEvent | Anchor | Pick<StoredEvent, "stream" | "seq">

/** A fold under way: the state so far, what is in it, and what it took. */
export class Replay<S, C extends Catalogue> {
  readonly projection: Projection<S, C>
  readonly from: Standpoint<S> | undefined
  state: S
  /** Everything of the scope at or below it is in the state. */
  position: Position
  /** The latest `at` of an event in the state; `-Infinity` before the first. */
  latest: number
  /** Events read, beyond those in the state it began with. */
  replayed = 0
  /** Sum of their data's lengths: UTF-16 units of text, bytes of bytes. */
  size = 0
  /** Whether it went over a hole, as only a tolerant replay does. */
  holed = false
  /** The last event of each named stream; of a prefix, only the last of all. */
  readonly ends = new Map<string, End>()

  constructor(projection: Projection<S, C>, from: Standpoint<S> | undefined) {
    this.projection = projection
    this.from = from
    this.state = from === undefined ? projection.seed() : from.state
    this.position = from?.position ?? origin
    this.latest = from?.latest ?? -Infinity
    for (const anchor of from?.anchors ?? []) this.ends.set(anchor.stream, anchor)
  }

  /** The last seq of a named stream. */
  seq(stream: string): Seq {
    return this.ends.get(stream)?.seq ?? noSeq
  }

  /** What whoever goes on from here must find in the log. */
  anchors(): ReadonlyArray<Anchor> {
    const anchors: Array<Anchor> = []
    for (const end of this.ends.values()) {
      if ("fingerprint" in end) anchors.push(end)
      else if ("type" in end) {
        anchors.push({ stream: end.stream, seq: end.seq, fingerprint: eventFingerprint(end) })
      }
    }
    return anchors
  }

  /** Folds events and counts them; after a failure nobody may go on with it. */
  take(events: ReadonlyArray<StoredEvent>, { at }: Cut): Effect.Effect<void, StoreError> {
    const within = at === Infinity ? events : events.filter((event) => event.at <= at)
    return Effect.flatMap(decodeAll(this.projection.events, within), (decoded) => {
      const folded = foldResult(this.projection, decoded, this.state)
      if (Result.isFailure(folded)) return Effect.fail(folded.failure)
      this.state = folded.success
      this.replayed += within.length
      for (const event of within) {
        this.size += event.data.length
        if (event.at > this.latest) this.latest = event.at
      }
      const last = within.at(-1)
      if (last !== undefined) this.position = last.position
      return Effect.void
    })
  }
}

/** Folds what the plan asks for onto a replay, which may have begun with a saved state, or have been run before. */
export const run = <S, C extends Catalogue>(
  engine: Engine,
  replay: Replay<S, C>,
  plan: Plan
): Effect.Effect<void, Trouble> =>
  plan.selection._tag === "Streams"
    ? runStreams(engine, replay, plan, plan.selection.streams)
    : runPrefix(engine, replay, plan, plan.selection.prefix)

/** One stream's part of a replay: what was read of it and not yet folded. */
interface Lane {
  readonly stream: string
  from: Seq
  buffer: ReadonlyArray<StoredEvent>
  ended: boolean
}

const runStreams = Effect.fnUntraced(function*<S, C extends Catalogue>(
  engine: Engine,
  replay: Replay<S, C>,
  plan: Plan,
  streams: ReadonlyArray<string>
): Effect.fn.Return<void, Trouble> {
  // What is at or below the head is there for good, so several streams are read as they stood at one moment.
  const moment = streams.length === 1 ? unbounded : yield* engine.reading(plan.reading, engine.backend.head)
  const cut = { ...plan.cut, position: Position(Math.min(plan.cut.position, moment)) }
  const lanes = streams.map((stream): Lane => {
    const end = replay.ends.get(stream)
    // A saved state is gone on from at its last event, to see that it's there.
    const from = end === undefined ? 1 : "fingerprint" in end ? end.seq : end.seq + 1
    return { stream, from: Seq(from), buffer: [], ended: from > cut.seq }
  })
  const limit = Math.max(16, Math.ceil(pageSize / streams.length))
  while (true) {
    for (const lane of lanes) {
      while (!lane.ended && lane.buffer.length === 0) yield* fill(engine, replay, lane, { ...plan, cut }, limit)
    }
    const batch = drain(lanes)
    if (batch.length === 0) break
    yield* replay.take(batch, cut)
  }
  if (cut.at === Infinity && cut.position < unbounded) replay.position = cut.position
  if (cut.seq < unbounded) yield* reached(replay, streams, cut.seq)
})

/** Takes what no lane can come before: up to the least position that an unfinished lane has been read to. */
const drain = (lanes: ReadonlyArray<Lane>): ReadonlyArray<StoredEvent> => {
  const [only] = lanes
  if (lanes.length === 1 && only !== undefined) {
    const batch = only.buffer
    only.buffer = []
    return batch
  }
  let safe = unbounded
  for (const { buffer, ended } of lanes) {
    const last = buffer.at(-1)
    if (!ended && last !== undefined && last.position < safe) safe = last.position
  }
  const batch: Array<StoredEvent> = []
  for (const lane of lanes) {
    const end = lane.buffer.findIndex(({ position }) => position > safe)
    const taken = end === -1 ? lane.buffer : lane.buffer.slice(0, end)
    lane.buffer = end === -1 ? [] : lane.buffer.slice(end)
    for (const event of taken) batch.push(event)
  }
  return batch.sort((a, b) => a.position - b.position)
}

const fill = Effect.fnUntraced(function*<S, C extends Catalogue>(
  engine: Engine,
  replay: Replay<S, C>,
  lane: Lane,
  { allowTruncated, cut, reading }: Plan,
  limit: number
): Effect.fn.Return<void, Trouble> {
  const { from, stream } = lane
  const range = { stream, from, to: cut.seq, limit, reverse: false }
  const page = yield* engine.reading(reading, engine.backend.readStream(range))
  const fault = orderFault(page, 1)
  if (fault !== undefined) return yield* Effect.fail(fault)
  const [first] = page
  const end = replay.ends.get(stream)
  const anchor = end !== undefined && "fingerprint" in end && end.seq === from ? end : undefined
  if (anchor !== undefined) {
    if (first === undefined || !isAnchor(anchor, first)) return yield* Effect.fail(astray(anchor, first))
  } else if (first === undefined ? from === 1 : first.seq > from) {
    const missing = first === undefined ? yield* emptied(engine, stream) : Seq(first.seq - 1)
    if (missing >= from) {
      if (!allowTruncated) return yield* Effect.fail(hole(stream, from, missing))
      replay.holed = true
      replay.ends.set(stream, { stream, seq: Seq(Math.min(missing, cut.seq)) })
    }
  }
  const within = page.filter(({ position }) => position <= cut.position)
  const last = within.at(-1)
  if (last !== undefined) {
    replay.ends.set(stream, last)
    lane.from = Seq(last.seq + 1)
  }
  lane.buffer = anchor === undefined ? within : within.slice(1)
  lane.ended = page.length < limit || within.length < page.length || lane.from > cut.seq
})

const isAnchor = ({ fingerprint, seq }: Anchor, event: StoredEvent): boolean =>
  event.seq === seq && eventFingerprint(event) === fingerprint

/** The last seq of a stream of which nothing can be read. */
const emptied = (engine: Engine, stream: string): Effect.Effect<Seq, StoreError> =>
  engine.about.lacks.has("truncate") || engine.about.lacks.has("streams")
    ? Effect.succeed(noSeq)
    : Effect.map(streamInfo(engine, stream), (info) => info === undefined ? noSeq : Seq(info.first - 1))

const hole = (stream: string, from: number, to: number): Hole => ({
  _tag: "Hole",
  reason: `${from === to ? `event ${from}` : `the events ${from} to ${to}`} of stream ${quoted(stream)} were truncated`
})

const astray = ({ seq, stream }: Anchor, found: StoredEvent | undefined): Astray => ({
  _tag: "Astray",
  reason: found?.seq === seq
    ? `event ${seq} of stream ${quoted(stream)} is another one than it ends with`
    : `event ${seq} of stream ${quoted(stream)}, which it ends with, is not there`
})

const reached = <S, C extends Catalogue>(
  replay: Replay<S, C>,
  [stream = ""]: ReadonlyArray<string>,
  seq: Seq
): Effect.Effect<void, StoreError> => {
  const last = replay.seq(stream)
  if (last >= seq || replay.holed) return Effect.void
  return Effect.fail(
    new Invalid({
      field: "asOf.seq",
      reason: `stream ${quoted(stream)} has come to seq ${last} only`,
      remedy: "pass a seq it has, or leave it out for the state now"
    })
  )
}

const runPrefix = Effect.fnUntraced(function*<S, C extends Catalogue>(
  engine: Engine,
  replay: Replay<S, C>,
  { allowTruncated, cut, reading }: Plan,
  prefix: string
): Effect.fn.Return<void, Trouble> {
  const { events: { types, unknown } } = replay.projection
  const start = replay.position
  if (replay.from !== undefined) yield* anchored(engine, replay.from)
  const filter = unknown === "skip" && types.length > 0 ? types : undefined
  let after = start
  // Read once even where nothing can follow: a saved state may be beyond the log's end.
  while (true) {
    const range = { after, to: cut.position, prefix, types: filter, limit: pageSize, reverse: false }
    const { items, through } = yield* engine.reading(reading, engine.backend.readAll(range))
    if (through < after) return yield* Effect.fail(ahead(after, through))
    yield* replay.take(items, cut)
    const last = items.at(-1)
    if (last !== undefined) {
      replay.ends.clear()
      replay.ends.set(last.stream, last)
    }
    after = through
    if (items.length < pageSize || after >= cut.position) break
  }
  const found = yield* shortened(engine, prefix, replay.from)
  if (found !== undefined) {
    if (!allowTruncated) return yield* Effect.fail(found)
    replay.holed = true
  }
  if (cut.at === Infinity) replay.position = after
})

const ahead = (position: Position, head: Position): Astray => ({
  _tag: "Astray",
  reason: `it is of position ${position}, and the log ends at ${head}`
})

/** Sees that the last event of a saved state is in the log, or was and has been truncated since. */
const anchored = Effect.fnUntraced(function*(
  engine: Engine,
  { anchors: [anchor], native }: Standpoint<unknown>
): Effect.fn.Return<void, Trouble> {
  if (anchor === undefined) return
  const { seq, stream } = anchor
  const range = { stream, from: seq, to: seq, limit: 1, reverse: false }
  const [event] = yield* engine.reading(undefined, engine.backend.readStream(range))
  if (event !== undefined && isAnchor(anchor, event)) return
  if (event === undefined && native) {
    const info = yield* streamInfo(engine, stream)
    if (info !== undefined && info.last >= seq) return
  }
  return yield* Effect.fail(astray(anchor, event))
})

/** Why a replay of streams by prefix isn't whole: one of them was truncated beyond what the saved state holds. */
const shortened = (
  engine: Engine,
  prefix: string,
  from: Standpoint<unknown> | undefined
): Effect.Effect<Hole | undefined, StoreError> =>
  from === undefined
    ? Effect.map(
      truncatedStream(engine, { _tag: "Prefix", prefix }),
      (info) => info === undefined ? undefined : hole(info.stream, 1, info.first - 1)
    )
    : Effect.map(
      compactedSince(engine, prefix, from.position),
      (note) => note === undefined ? undefined : hole(note.stream, 1, note.before - 1)
    )
