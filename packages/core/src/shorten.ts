/** Truncating a stream below a snapshot: in one commit with it, and never beyond what a reader still needs. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { awaitedByStream, type ParkedBound, parkedBound } from "./awaited.ts"
import type { Catalogue } from "./catalogue.ts"
import { compactions } from "./compacted.ts"
import type { StoreError } from "./error.ts"
import { streamInfo } from "./log-read.ts"
import { readersOf } from "./reader.ts"
import { sameRegistrations } from "./registration.ts"
import type { Replay } from "./replay.ts"
import type { Selection } from "./scope.ts"
import { type Position, Seq } from "./sequence.ts"
import { readerName, settleSnapshot } from "./snapshot-store.ts"
import { draftSnapshot, infoOf, keyPrefix, type SnapshotInfo, snapshots } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"
import { positionAt, seqAfter } from "./stream-places.ts"

/** Why a compaction removed no more than it did. */
export type CompactionBound =
  /** Everything below the snapshot's last event is gone, which stays to know the snapshot's history by. */
  | { readonly _tag: "Snapshot"; readonly seq: Seq }
  /** So many of the last events were to be kept. */
  | { readonly _tag: "Keep"; readonly events: number }
  /** This reader has come to this position only. */
  | { readonly _tag: "Reader"; readonly name: string; readonly position: Position }
  | ParkedBound

/** What a compaction did, or would do. */
export interface Compacted {
  readonly stream: string
  /** Events removed. */
  readonly removed: number
  /** The first seq that can be read afterwards. */
  readonly first: Seq
  readonly boundedBy: CompactionBound
  /** The snapshot that stands in for what was removed; `undefined` where nothing was removed, or nothing done. */
  readonly snapshot: SnapshotInfo | undefined
}

/** How much to remove of which stream. */
export interface ShortenOptions {
  readonly stream: string
  /** How many snapshots are kept. */
  readonly keep: number
  /** How many of the last events stay. */
  readonly keepEvents: number
  readonly dryRun: boolean
}

/** Removes a stream's events below what a replay of it has come to: its end, without holes on the way. */
export const shorten = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  replay: Replay<S, C>,
  { dryRun, keep, keepEvents, stream }: ShortenOptions
): Effect.fn.Return<Compacted, StoreError> {
  const selection: Selection = { _tag: "Streams", streams: [stream] }
  const notes = compactions(store)
  const ending = { anchors: replay.anchors(), position: replay.position }
  const own = readerName(keyPrefix(store, replay.projection, selection))
  while (true) {
    const note = yield* notes.entry(stream)
    const registrations = yield* sameRegistrations(store)
    const first = (yield* streamInfo(store.engine, stream))?.first ?? Seq(1)
    const bound = yield* boundOf(store, replay.seq(stream), { stream, own, first, keepEvents })
    if (bound === undefined) continue
    const { before, boundedBy } = bound
    const removed = Math.max(0, before - first)
    const outcome = { stream, removed, first: Seq(first + removed), boundedBy, snapshot: undefined }
    if (removed === 0 || dryRun) return outcome
    const through = yield* positionAt(store.engine, stream, before - 1)
    if (through === undefined) continue
    const { key, value } = yield* Effect.fromResult(draftSnapshot(store, replay, selection, ending))
    const { name: projection, version } = replay.projection
    const at = yield* Clock.currentTimeMillis
    const committed = yield* store.commit([
      // A reader that was registered meanwhile has not been asked what it still needs.
      registrations,
      snapshots(store).ops.put(key, value),
      // Whoever wrote the note meanwhile has compacted the stream: then what to do is another question.
      notes.ops.put(stream, { before, through, projection, version }, {
        expected: Option.match(note, { onNone: () => "absent" as const, onSome: ({ revision }) => revision })
      }),
      store.log().ops.truncate(stream, before)
    ], { at })
    if (committed._tag === "Conflict") continue
    yield* settleSnapshot(store, replay, { key, value }, keep)
    const revision = committed.revisions[0] ?? committed.position
    return { ...outcome, snapshot: infoOf({ key, revision, at }, value) }
  }
})

interface BoundOptions {
  readonly stream: string
  /** The reader that the snapshot itself moves on. */
  readonly own: string
  readonly first: Seq
  readonly keepEvents: number
}

/** The first seq that must stay, and what for; `undefined` where somebody else has just shortened the stream. */
const boundOf = Effect.fnUntraced(function*(
  store: StoreShape,
  last: Seq,
  { first, keepEvents, own, stream }: BoundOptions
): Effect.fn.Return<{ readonly before: Seq; readonly boundedBy: CompactionBound } | undefined, StoreError> {
  const wanted = Seq(Math.max(first, last - keepEvents + 1))
  const boundedBy: CompactionBound = keepEvents === 1
    ? { _tag: "Snapshot", seq: last }
    : { _tag: "Keep", events: keepEvents }
  const [slowest] = yield* readersOf(store, stream, own)
  if (wanted <= first) return { before: wanted, boundedBy }
  let bound: { readonly before: Seq; readonly boundedBy: CompactionBound } = { before: wanted, boundedBy }
  if (slowest !== undefined) {
    const { name, position } = slowest
    const after = yield* seqAfter(store.engine, { stream, from: first, end: Seq(wanted + 1) }, position)
    if (after === undefined) return undefined
    // What a reader has read last it may know its place by.
    const read = Seq(Math.max(first, after - 1))
    if (read < wanted) bound = { before: read, boundedBy: { _tag: "Reader", name, position } }
  }
  const awaited = (yield* awaitedByStream(store))(stream, first)
  return awaited === undefined || awaited.seq >= bound.before
    ? bound
    : { before: awaited.seq, boundedBy: parkedBound(awaited) }
})
