/** Replaying named streams: each read by itself, verified to be whole, and folded in the order of all of them. */
import * as Effect from "effect/Effect"
import type { StoredEvent } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import type { Engine } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import { streamPage } from "./log-pages.ts"
import { streamInfo } from "./log-read.ts"
import { pageSize } from "./pages.ts"
import { quoted } from "./path.ts"
import { astray, hole, isAnchor, type Replay, type Trouble } from "./replay.ts"
import type { Plan } from "./scope.ts"
import { noSeq, Position, Seq, unbounded } from "./sequence.ts"

/** One stream's part of a replay: what was read of it and not yet folded. */
interface Lane {
  readonly stream: string
  from: Seq
  buffer: ReadonlyArray<StoredEvent>
  ended: boolean
}

/** Folds what a plan asks for of these streams onto a replay. */
export const replayStreams = Effect.fnUntraced(function*<S, C extends Catalogue>(
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
    for (let empty = lanes.filter(isEmpty); empty.length > 0; empty = empty.filter(isEmpty)) {
      yield* Effect.forEach(empty, (lane) => fill(engine, replay, lane, { ...plan, cut }, limit), together)
    }
    const batch = drain(lanes)
    if (batch.length === 0) break
    yield* replay.take(batch, cut)
  }
  if (cut.position < unbounded) replay.position = cut.position
  if (cut.seq < unbounded) yield* reached(replay, streams, cut.seq, `${plan.asOf}.seq`)
})

const isEmpty = ({ buffer, ended }: Lane): boolean => !ended && buffer.length === 0

/** How many streams are read at once: enough to hide a network's round trips. */
const together = { concurrency: 16, discard: true } as const

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
  const end = replay.ends.get(stream)
  const before = end !== undefined && "position" in end ? end : undefined
  const page = yield* streamPage(engine, reading, range, before)
  const [first] = page
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

/** The last seq of a stream of which nothing can be read. */
const emptied = (engine: Engine, stream: string): Effect.Effect<Seq, StoreError> =>
  engine.about.lacks.has("truncate") || engine.about.lacks.has("streams")
    ? Effect.succeed(noSeq)
    : Effect.map(streamInfo(engine, stream), (info) => info === undefined ? noSeq : Seq(info.first - 1))

/** Fails with `Invalid` where a replay of one stream hasn't come to a seq. */
export const reached = <S, C extends Catalogue>(
  replay: Replay<S, C>,
  [stream = ""]: ReadonlyArray<string>,
  seq: Seq,
  field: string
): Effect.Effect<void, StoreError> => {
  const last = replay.seq(stream)
  if (last >= seq || replay.holed) return Effect.void
  return Effect.fail(
    new Invalid({
      field,
      reason: `stream ${quoted(stream)} has come to seq ${last} only`,
      remedy: "pass a seq it has, or leave it out for the state now"
    })
  )
}
