/** The snapshots of a store: finding the newest that a replay may begin with, and keeping the next. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { StoredEntry } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { checkpointOf, checkpoints, moveCheckpoint } from "./checkpoint.ts"
import type { StoreError } from "./error.ts"
import { prefixEnd, successor } from "./name.ts"
import type { Projection } from "./projection.ts"
import { anchorOf, type Replay, type Standpoint } from "./replay.ts"
import type { Plan, Selection } from "./scope.ts"
import { origin, unbounded } from "./sequence.ts"
import * as Snapshot from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** A snapshot that a replay may begin with. */
export interface Candidate<S> {
  readonly info: Snapshot.SnapshotInfo
  readonly standpoint: Standpoint<S>
}

/** Warns of what went wrong with a snapshot: nothing is lost by it but time. */
export const warn = (message: string, details: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWarning(message), details)

/** Reads snapshots below a key, last first, as they are stored. */
export const scanSnapshots = (
  store: StoreShape,
  prefix: string,
  below: string | undefined,
  limit: number
): Effect.Effect<ReadonlyArray<StoredEntry>, StoreError> =>
  store.engine.reading(
    undefined,
    store.engine.backend.scan({
      namespace: Snapshot.snapshotNamespace,
      gte: prefix,
      lt: below ?? prefixEnd(prefix),
      limit,
      reverse: true
    })
  )

/** The newest snapshot below a key that a plan may begin with; of one that can't be read it only warns. */
export const newestSnapshot = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  { cut, selection }: Plan,
  below: string | undefined
): Effect.fn.Return<Candidate<S> | undefined, StoreError> {
  const prefix = Snapshot.keyPrefix(store, projection, selection)
  const place = Snapshot.onlyStream(selection) === undefined ? cut.position : cut.seq
  let bound = below ?? (place === unbounded ? undefined : Snapshot.snapshotKey(prefix, place + 1))
  while (true) {
    const entry = yield* newestEntry(store, prefix, bound)
    if (entry === undefined) return undefined
    bound = entry.key
    const snapshot = Snapshot.readSnapshot(store, entry)
    const standpoint = Result.flatMap(
      snapshot,
      (stored) => Snapshot.standpointOf(store, projection, entry, stored)
    )
    if (Result.isFailure(snapshot) || Result.isFailure(standpoint)) {
      const reason = Result.isFailure(snapshot) ? snapshot.failure : Result.isFailure(standpoint) && standpoint.failure
      yield* warn("a snapshot can't be read, and is passed over", { projection: projection.name, reason })
      continue
    }
    const found = standpoint.success
    if (found === undefined || found.position > cut.position || found.latest > cut.at) continue
    if (found.anchors.some(({ seq }) => seq > cut.seq)) continue
    return { info: Snapshot.infoOf(entry, snapshot.success), standpoint: found }
  }
})

const newestEntry = (
  store: StoreShape,
  prefix: string,
  below: string | undefined
): Effect.Effect<StoredEntry | undefined, StoreError> => {
  const { about, engine: { backend, reading } } = store
  if (!about.lacks.has("scan")) return Effect.map(scanSnapshots(store, prefix, below, 1), ([entry]) => entry)
  const key = Snapshot.snapshotKey(prefix, 0)
  if (below !== undefined && below <= key) return Effect.undefined
  const keys = [{ namespace: Snapshot.snapshotNamespace, key }]
  return Effect.map(reading(undefined, backend.get(keys)), ([entry]) => entry)
}

/** Keeps a replay's state as a snapshot; `undefined` where nothing was folded yet. `Invalid` where it can't be kept. */
export const keepSnapshot = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  replay: Replay<S, C>,
  selection: Selection,
  keep: number
): Effect.fn.Return<Snapshot.SnapshotInfo | undefined, StoreError> {
  const ending = replay.latest === -Infinity ? undefined : yield* endingOf(store, replay, selection)
  if (ending === undefined) return undefined
  const { key, value } = yield* Effect.fromResult(Snapshot.draftSnapshot(store, replay, selection, ending))
  const at = yield* Clock.currentTimeMillis
  const { revision } = yield* Snapshot.snapshots(store).put(key, value, { at })
  yield* settleSnapshot(store, replay, { key, value }, keep)
  return Snapshot.infoOf({ key, revision, at }, value)
})

/**
 * What a replay's state ends with. Of a prefix it's the log's last event, of whatever stream, and its position: what
 * comes after that event is read anew, so that nothing can slip in behind it in a history gone another way.
 */
const endingOf = <S, C extends Catalogue>(
  { engine }: StoreShape,
  replay: Replay<S, C>,
  { _tag: scope }: Selection
): Effect.Effect<Pick<Standpoint<S>, "anchors" | "position"> | undefined, StoreError> => {
  if (scope === "Streams") return Effect.succeed({ anchors: replay.anchors(), position: replay.position })
  const to = replay.position
  const range = { after: origin, to, prefix: "", types: undefined, limit: 1, reverse: true }
  return Effect.map(
    engine.reading(undefined, engine.backend.readAll(range)),
    ({ items: [last] }) => last === undefined ? undefined : { anchors: [anchorOf(last)], position: last.position }
  )
}

/**
 * What follows once a snapshot is kept: its reader goes on, older ones of the same form beyond `keep` are removed, and
 * so are those beyond the end of the log, which are of a history that a restore has undone. What of it fails is left to
 * the next time, with a warning: the snapshot is kept all the same.
 */
export const settleSnapshot = <S, C extends Catalogue>(
  store: StoreShape,
  replay: Replay<S, C>,
  draft: Snapshot.SnapshotDraft,
  keep: number
): Effect.Effect<void> =>
  Effect.catchCause(
    settle(store, replay, draft, keep),
    (cause) =>
      warn("what follows a saved snapshot is left to the next one", {
        projection: replay.projection.name,
        reason: Cause.squash(cause)
      })
  )

const settle = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  replay: Replay<S, C>,
  { key, value }: Snapshot.SnapshotDraft,
  keep: number
): Effect.fn.Return<void, StoreError> {
  const prefix = Snapshot.prefixOf(key)
  const kv = Snapshot.snapshots(store)
  yield* advance(store, readerName(prefix), value.position)
  if (store.about.lacks.has("scan")) return
  // A few more than can be there in the long run, so that a smaller `keep` takes effect after some saves.
  const older = yield* scanSnapshots(store, prefix, key, keep + 8)
  const stale = older.filter((entry) => {
    const snapshot = Snapshot.readSnapshot(store, entry)
    return Result.isSuccess(snapshot) && snapshot.success.fingerprint === value.fingerprint
  }).slice(keep - 1)
  if (stale.length > 0) yield* kv.deleteMany(stale.map((entry) => entry.key))
  const stream = value.streams?.length === 1 ? value.streams[0] : undefined
  if (stream === undefined) return
  const ahead = yield* scanSnapshots(store, successor(key), prefixEnd(prefix), 8)
  if (ahead.length === 0) return
  // The commit itself proves that the log ends below them; somebody else's newer snapshot makes it a conflict.
  const ends = store.log().ops.check(stream, replay.seq(stream))
  yield* store.commit([ends, ...ahead.map((entry) => kv.ops.delete(entry.key, { expected: entry.revision }))])
})

/** The name under which the snapshots with this key prefix are registered as a reader, if they are. */
export const readerName = (prefix: string): string => `${readerSign}${prefix}`

const readerSign = "$snapshot:"

/** Whether a reader is a registered projection over named streams, which knows its place by the last event of each. */
export const restsOnNamed = (reader: string): boolean =>
  // Within the names before it a quotation mark is escaped.
  reader.startsWith(readerSign) && reader.includes(`,"${"Streams" satisfies Selection["_tag"]}",`)

/** Moves the reader of this name on to a position, if it is registered. */
export const advance = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  position: number
): Effect.fn.Return<void, StoreError> {
  const entry = yield* checkpoints(store).entry(name)
  if (Option.isNone(entry)) return
  const checkpoint = checkpointOf(entry.value)
  // Who is fenced has been overtaken by another save.
  if (checkpoint.position < position) yield* moveCheckpoint(store, checkpoint, position)
})
