/** Snapshots: saved states in the kv, each told apart from what it must not be taken for. */
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { StoredEntry } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { schemaCodec } from "./codec.ts"
import { textDigest } from "./digest.ts"
import { Corrupt, Invalid } from "./error.ts"
import type { Kv } from "./kv.ts"
import { quoted } from "./path.ts"
import { utf8Bytes } from "./payload.ts"
import type { Projection } from "./projection.ts"
import type { Replay, Standpoint } from "./replay.ts"
import { type Scope, scopeOf, type Selection } from "./scope.ts"
import { Position, Seq } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Where snapshots are kept. */
export const snapshotNamespace = "$snapshot"

/** What a snapshot is of. */
export interface SnapshotInfo {
  /** Where it is kept in the namespace `$snapshot`. */
  readonly key: string
  readonly projection: string
  readonly version: number
  readonly scope: Scope
  /** The stream's last seq in the state; `undefined` where it's of several streams. */
  readonly seq: Seq | undefined
  /** Everything of the scope at or below it is in the state. */
  readonly position: Position
  /** The state's size as text, in UTF-16 units. */
  readonly size: number
  /** When it was saved, in milliseconds since 1970. */
  readonly savedAt: number
  /** What its key's next write expects. */
  readonly revision: Position
}

/** A snapshot as it is stored; `digest` is of everything else, so that nothing in it can change unnoticed. */
export interface StoredSnapshot {
  readonly projection: string
  readonly version: number
  readonly streams?: ReadonlyArray<string>
  readonly prefix?: string
  readonly fingerprint: string
  readonly incarnation: string
  readonly position: number
  readonly latest: number
  readonly anchors: ReadonlyArray<{ readonly stream: string; readonly seq: number; readonly fingerprint: string }>
  readonly state: string
  readonly digest: string
}

const Stored = Schema.Struct({
  projection: Schema.String,
  version: Schema.Natural,
  streams: Schema.optionalKey(Schema.Array(Schema.String)),
  prefix: Schema.optionalKey(Schema.String),
  fingerprint: Schema.String,
  incarnation: Schema.String,
  position: Schema.Natural,
  latest: Schema.Int,
  anchors: Schema.Array(Schema.Struct({ stream: Schema.String, seq: Schema.Natural, fingerprint: Schema.String })),
  state: Schema.String,
  digest: Schema.String
})

const codec = schemaCodec<StoredSnapshot>(Stored)

/** The snapshots of a store. */
export const snapshots = (store: StoreShape): Kv<StoredSnapshot> => store.system(snapshotNamespace, Stored)

const digestOf = (snapshot: Omit<StoredSnapshot, "digest">): string =>
  textDigest(
    JSON.stringify([
      snapshot.projection,
      snapshot.version,
      snapshot.streams ?? null,
      snapshot.prefix ?? null,
      snapshot.fingerprint,
      snapshot.incarnation,
      snapshot.position,
      snapshot.latest,
      snapshot.anchors.map(({ fingerprint, seq, stream }) => [stream, seq, fingerprint]),
      snapshot.state
    ])
  )

/**
 * What all keys of one projection, version and scope begin with: JSON, so that no two are alike. The place follows in
 * digits of one length, so that the newest is the last. What is too long for a key is named by its digest.
 */
export const keyPrefix = (
  { about }: StoreShape,
  { name, version }: Pick<Projection<never>, "name" | "version">,
  selection: Selection
): string => {
  const scope = selection._tag === "Prefix" ? [selection.prefix] : selection.streams
  const key = (named: unknown) => JSON.stringify([name, version, selection._tag, named])
  const whole = key(scope)
  return utf8Bytes(whole) + digits <= about.limits.nameBytes ? whole : key(textDigest(JSON.stringify(scope)))
}

const digits = 16

/** The key of a snapshot of this place: the seq of the one stream, else the position. */
export const snapshotKey = (prefix: string, place: number): string => prefix + String(place).padStart(digits, "0")

/** What a key begins with: all but the place. */
export const prefixOf = (key: string): string => key.slice(0, -digits)

/** The one stream of a selection; `undefined` where it's several. */
export const onlyStream = (selection: Selection): string | undefined =>
  selection._tag === "Streams" && selection.streams.length === 1 ? selection.streams[0] : undefined

/** A snapshot to be put under its key. */
export interface SnapshotDraft {
  readonly key: string
  readonly value: StoredSnapshot
}

/** Writes down a replay's state, which ends as `ending` says; `Invalid` where it can't be kept as what it is. */
export const draftSnapshot = <S, C extends Catalogue>(
  store: StoreShape,
  { latest, projection, state }: Replay<S, C>,
  selection: Selection,
  { anchors, position }: Pick<Standpoint<S>, "anchors" | "position">
): Result.Result<SnapshotDraft, Invalid> => {
  const field = `state of projection ${quoted(projection.name)}`
  const written = projection.state.codec.encode(field, state)
  if (Result.isFailure(written)) return Result.fail(written.failure)
  const text = written.success
  if (typeof text !== "string") return Result.fail(notKept(field, "is bytes"))
  // A snapshot must not change the answer, so it's read back before anybody relies on it.
  const read = projection.state.codec.decode(field, text)
  if (Result.isFailure(read) || !Equal.equals(read.success, state)) {
    return Result.fail(notKept(field, "reads back different from what it was"))
  }
  const snapshot = {
    projection: projection.name,
    version: projection.version,
    ...(selection._tag === "Prefix" ? { prefix: selection.prefix } : { streams: selection.streams }),
    fingerprint: projection.state.fingerprint,
    incarnation: store.about.incarnation,
    position,
    latest,
    anchors,
    state: text
  }
  return Result.succeed({ key: keyOf(store, snapshot), value: { ...snapshot, digest: digestOf(snapshot) } })
}

/** Where a snapshot belongs. */
const keyOf = (store: StoreShape, snapshot: Omit<StoredSnapshot, "digest">): string => {
  const { anchors: [last], position, projection: name, version } = snapshot
  const selection = selectionIn(snapshot)
  const place = onlyStream(selection) === undefined ? position : last?.seq ?? 0
  // Where keys can't be scanned there is one snapshot, under a key that can be guessed.
  return snapshotKey(keyPrefix(store, { name, version }, selection), store.about.lacks.has("scan") ? 0 : place)
}

const notKept = (field: string, reason: string): Invalid =>
  new Invalid({ field, reason, remedy: "give the projection a state schema that carries all of it" })

/** What a snapshot says of itself; `Corrupt` where it can't be what was saved. */
export const readSnapshot = (store: StoreShape, entry: StoredEntry): Result.Result<StoredSnapshot, Corrupt> => {
  const where = `snapshot ${quoted(entry.key)}`
  const decoded = codec.decode(where, entry.value)
  if (Result.isFailure(decoded)) return decoded
  const { success: snapshot } = decoded
  if (digestOf(snapshot) === snapshot.digest && keyOf(store, snapshot) === entry.key) return decoded
  return Result.fail(
    new Corrupt({ where, reason: "it isn't what was saved", remedy: "nothing: the events are replayed instead" })
  )
}

/** Which events a snapshot is of. */
export const selectionIn = ({ prefix, streams }: Pick<StoredSnapshot, "prefix" | "streams">): Selection =>
  streams === undefined ? { _tag: "Prefix", prefix: prefix ?? "" } : { _tag: "Streams", streams }

/** What a snapshot is of, as users meet it. */
export const infoOf = (
  { at, key, revision }: Pick<StoredEntry, "key" | "revision" | "at">,
  snapshot: StoredSnapshot
): SnapshotInfo => {
  const { anchors, position, projection, state, version } = snapshot
  const selection = selectionIn(snapshot)
  return {
    key,
    projection,
    version,
    scope: scopeOf(selection),
    seq: onlyStream(selection) === undefined ? undefined : Seq(anchors[0]?.seq ?? 0),
    position: Position(position),
    size: state.length,
    savedAt: at,
    revision
  }
}

/** The state to go on from, where the snapshot is of the projection's present form; `undefined` where not. */
export const standpointOf = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  entry: StoredEntry,
  snapshot: StoredSnapshot
): Result.Result<Standpoint<S> | undefined, Corrupt> => {
  const { anchors, fingerprint, incarnation, latest, position, state } = snapshot
  if (fingerprint !== projection.state.fingerprint) return Result.succeed(undefined)
  return Result.map(projection.state.codec.decode(`snapshot ${quoted(entry.key)}`, state), (decoded) => ({
    state: decoded,
    position: Position(position),
    latest,
    anchors: anchors.map((anchor) => ({ ...anchor, seq: Seq(anchor.seq) })),
    native: incarnation === store.about.incarnation
  }))
}
