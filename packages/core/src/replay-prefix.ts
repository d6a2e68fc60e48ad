/** Replaying all streams with a prefix: read in the total order, from where the replay stands to where the log ends. */
import * as Effect from "effect/Effect"
import type { StreamInfo } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { compactedSince, lostBeyond, truncatedStream } from "./compacted.ts"
import type { Engine } from "./engine.ts"
import { allPage } from "./log-pages.ts"
import { streamInfo } from "./log-read.ts"
import { pageSize } from "./pages.ts"
import { astray, type Hole, hole, isAnchor, type Replay, type Standpoint, type Trouble } from "./replay.ts"
import type { Plan } from "./scope.ts"
import { origin, Position } from "./sequence.ts"

/** Folds what a plan asks for of the streams with this prefix onto a replay. */
export const replayPrefix = Effect.fnUntraced(function*<S, C extends Catalogue>(
  engine: Engine,
  replay: Replay<S, C>,
  { allowTruncated, cut, reading }: Plan,
  prefix: string
): Effect.fn.Return<void, Trouble> {
  const { events: { types, unknown } } = replay.projection
  const head = yield* engine.reading(reading, engine.backend.head)
  if (replay.from !== undefined) yield* anchored(engine, replay.from)
  const missing = replay.from === undefined ? yield* truncatedStream(engine, { _tag: "Prefix", prefix }) : undefined
  yield* passOver(replay, missing, allowTruncated)
  const filter = unknown === "skip" && types.length > 0 ? types : undefined
  // What is there now, and no more: a store that grows as fast as it's read would never be read to its end.
  const to = Position(Math.min(head, cut.position))
  let after = replay.position
  while (after < to) {
    const range = { after, to, prefix, types: filter, limit: pageSize, reverse: false }
    const { items, through } = yield* allPage(engine, undefined, range)
    yield* replay.take(items, cut)
    // A page may end early, with few items or none: how far it looked tells where to go on.
    if (through <= after) break
    after = through
  }
  const since = replay.from?.position ?? head
  yield* passOver(replay, yield* compactedSince(engine, prefix, since, replay.from?.position ?? origin), allowTruncated)
  // Others truncate without a note, before or while the pages were read; what can't be told is taken as missing.
  const begun = replay.from ?? nothing
  if (!replay.holed && begun.position < to) {
    yield* passOver(replay, yield* lostBeyond(engine, prefix, begun), allowTruncated)
  }
  replay.position = Position(Math.max(replay.position, to))
})

/** What stands in for no event at all. */
const nothing = { anchors: [], position: origin } as const

/** Sees that the event a saved state's position is known by is in the log, or was and has been truncated since. */
const anchored = Effect.fnUntraced(function*(
  engine: Engine,
  { anchors: [anchor], native }: Standpoint<unknown>
): Effect.fn.Return<void, Trouble> {
  if (anchor === undefined) return
  const { seq, stream } = anchor
  const range = { stream, from: seq, to: seq, limit: 1, reverse: false }
  const [event] = yield* engine.reading(undefined, engine.backend.readStream(range))
  if (event !== undefined && isAnchor(anchor, event)) return
  const { lacks } = engine.about
  if (event === undefined && native && !lacks.has("truncate") && !lacks.has("streams")) {
    const info = yield* streamInfo(engine, stream)
    if (info !== undefined && info.last >= seq) return
  }
  return yield* Effect.fail(astray(anchor, event))
})

/** Goes over what is missing of a stream, or stops the replay. */
const passOver = <S, C extends Catalogue>(
  replay: Replay<S, C>,
  missing: Pick<StreamInfo, "stream" | "first"> | undefined,
  allowTruncated: boolean
): Effect.Effect<void, Hole> => {
  if (missing === undefined) return Effect.void
  if (!allowTruncated) return Effect.fail(hole(missing.stream, 1, missing.first - 1))
  replay.holed = true
  return Effect.void
}
