/** How far a retention rule shortens a stream, and who holds it back. */
import * as Effect from "effect/Effect"
import { type AwaitedIn, type ParkedBound, parkedBound } from "./awaited.ts"
import type { StreamInfo } from "./backend.ts"
import type { Engine } from "./engine.ts"
import { Corrupt, type StoreError } from "./error.ts"
import { streamInfo } from "./log-read.ts"
import { quoted } from "./path.ts"
import type { ReadersFor } from "./reader.ts"
import type { RetentionRule } from "./retention-rule.ts"
import { Position, Seq } from "./sequence.ts"
import type { RestsOn } from "./snapshot-rests.ts"
import { restsOnNamed } from "./snapshot-store.ts"
import { seqAfter, seqSince, type Stretch } from "./stream-places.ts"

/** Why no more of a stream goes. */
export type RetentionBound =
  /** All that the rule lets go does. */
  | { readonly _tag: "Rule" }
  /** This reader has come to this position only. */
  | { readonly _tag: "Reader"; readonly name: string; readonly position: Position }
  | ParkedBound
  /** The newest snapshot of this projection doesn't hold more, or knows its history by the event that stays. */
  | { readonly _tag: "Snapshot"; readonly projection: string; readonly version: number }

/** What a retention rule does to a stream. */
export interface RetentionCut {
  readonly stream: string
  /** Events that are removed. */
  readonly removed: number
  /** Events that the rule lets go and that stay for now, since somebody needs them. */
  readonly held: number
  /** The first seq that can be read afterwards. */
  readonly first: Seq
  readonly boundedBy: RetentionBound
}

/** What a stream may be cut by. */
export interface Shears {
  readonly engine: Engine
  readonly rule: RetentionRule
  /** When the run began, in milliseconds since 1970. */
  readonly now: number
  readonly readersFor: ReadersFor
  readonly awaitedIn: AwaitedIn
  readonly restsOn: RestsOn
}

/** Tells how far a stream is to be cut; `undefined` where the rule lets nothing of it go. */
export const cutOf = Effect.fnUntraced(function*(
  shears: Shears,
  found: StreamInfo
): Effect.fn.Return<RetentionCut | undefined, StoreError> {
  let info: StreamInfo | undefined = found
  while (info !== undefined) {
    const { first, stream }: StreamInfo = info
    const end = yield* ruledEnd(shears, info)
    const bound = end === undefined || end === first ? undefined : yield* boundOf(shears, info, end)
    if (end === first) return undefined
    if (end !== undefined && bound !== undefined) {
      const { before, boundedBy } = bound
      return { stream, removed: before - first, held: end - before, first: before, boundedBy }
    }
    info = yield* shortened(shears.engine, info)
  }
  return undefined
})

/** A stream of which an event isn't there, as it is now: `Corrupt` where nobody has shortened it meanwhile. */
export const shortened = (
  engine: Engine,
  { first, stream }: Pick<StreamInfo, "stream" | "first">
): Effect.Effect<StreamInfo | undefined, StoreError> =>
  Effect.flatMap(
    streamInfo(engine, stream),
    (info) =>
      info === undefined || info.first > first ? Effect.succeed(info) : Effect.fail(
        new Corrupt({
          where: `stream ${quoted(stream)}`,
          reason: `it begins at seq ${first}, and not all of its events are there`,
          remedy: "run verify on the store, and restore what is missing from a backup"
        })
      )
  )

/** The first seq that the rule keeps, or the one after the last; `undefined` where an event is gone. */
const ruledEnd = Effect.fnUntraced(function*(
  { engine, now, rule: { before, maxAge, maxCount } }: Shears,
  { first, last, stream }: StreamInfo
): Effect.fn.Return<Seq | undefined, StoreError> {
  const end = Seq(last + 1)
  let from: number = maxCount === undefined ? first : Math.max(first, end - maxCount)
  if (before !== undefined && "seq" in before) from = Math.max(from, Math.min(before.seq, end))
  if (before !== undefined && "position" in before) {
    const place = Position(before.position - 1)
    const found: Seq | undefined = yield* seqAfter(engine, { stream, from: Seq(from), end }, place)
    if (found === undefined) return undefined
    from = found
  }
  const time = Math.max(
    maxAge === undefined ? -Infinity : now - maxAge,
    before !== undefined && "at" in before ? before.at : -Infinity
  )
  return time === -Infinity ? Seq(from) : yield* seqSince(engine, { stream, from: Seq(from), end }, time)
})

interface Bound {
  readonly before: Seq
  readonly boundedBy: RetentionBound
}

/** The first seq that must stay, below `end`, and what for; `undefined` where an event is gone. */
const boundOf = Effect.fnUntraced(function*(
  { awaitedIn, engine, readersFor, restsOn }: Shears,
  { first, last, stream }: StreamInfo,
  end: Seq
): Effect.fn.Return<Bound | undefined, StoreError> {
  let bound: Bound = { before: end, boundedBy: { _tag: "Rule" } }
  const readers = yield* Effect.fromResult(readersFor(stream))
  for (const named of [false, true]) {
    const slowest = readers.find(({ name }) => restsOnNamed(name) === named)
    if (slowest === undefined || bound.before === first) continue
    const { name, position } = slowest
    const stretch = { stream, from: first, end: bound.before }
    const before: Seq | undefined = yield* named
      ? keepingLast(engine, stretch, last, position)
      : seqAfter(engine, stretch, position)
    if (before === undefined) return undefined
    if (before < bound.before) bound = { before, boundedBy: { _tag: "Reader", name, position } }
  }
  const awaited = awaitedIn(stream, first)
  if (awaited !== undefined && awaited.seq < bound.before) {
    bound = { before: awaited.seq, boundedBy: parkedBound(awaited) }
  }
  for (const { position, projection, seq, version } of bound.before === first ? [] : yield* restsOn(stream)) {
    const read: Seq | undefined = yield* seqAfter(engine, { stream, from: first, end: bound.before }, position)
    if (read === undefined) return undefined
    // Where the event it knows its history by is gone, it stands in for nothing any more.
    const before = seq === undefined || seq < first ? read : Seq(Math.min(read, seq))
    if (before < bound.before) bound = { before, boundedBy: { _tag: "Snapshot", projection, version } }
  }
  return bound
})

/** The first seq that stays of a stretch where a reader at a position has also to find the last event it has read. */
const keepingLast = (
  engine: Engine,
  { end, from, stream }: Stretch,
  last: Seq,
  position: Position
): Effect.Effect<Seq | undefined, StoreError> =>
  Effect.map(
    seqAfter(engine, { stream, from, end: Seq(Math.min(end, last) + 1) }, position),
    (after) => after === undefined ? undefined : Seq(Math.min(end, Math.max(from, after - 1)))
  )
