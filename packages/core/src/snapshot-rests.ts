/** What snapshots rest on: the events that a replay from one of them must still find in the log. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoredEntry } from "./backend.ts"
import type { StoreError } from "./error.ts"
import { prefixEnd, successor } from "./name.ts"
import { Position, Seq, unbounded } from "./sequence.ts"
import { scanSnapshots } from "./snapshot-store.ts"
import { keyPrefix, prefixOf, readSnapshot, snapshotNamespace, type StoredSnapshot } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** What the newest snapshot of a projection needs of a stream: its events above `position`, and the one at `seq`. */
export interface Rest {
  readonly projection: string
  readonly version: number
  /** Everything of the stream at or below it is in the state. */
  readonly position: Position
  /** The stream's event by which the snapshot knows its history; `undefined` where that is another stream's. */
  readonly seq: Seq | undefined
}

/** What snapshots of one stream, a prefix or all streams rest on in a stream, of each projection and version. */
export type RestsOn = (stream: string) => Effect.Effect<ReadonlyArray<Rest>, StoreError>

/**
 * Looks once which projections have snapshots, to ask of many streams what rests on them. Those of several named
 * streams are left out: their keys don't lead to a stream. Fails as every kv read.
 */
export const restingSnapshots = Effect.fnUntraced(function*(store: StoreShape): Effect.fn.Return<RestsOn, StoreError> {
  const forms: Array<Form> = []
  const wide: Array<StoredSnapshot> = []
  let from: string | undefined = "["
  while (from !== undefined) {
    const entry: StoredEntry | undefined = yield* firstFrom(store, from, prefixEnd("["))
    if (entry === undefined) break
    const snapshot = readSnapshot(store, entry)
    if (Result.isFailure(snapshot)) {
      from = successor(entry.key)
      continue
    }
    const { projection, version } = snapshot.success
    // Keys are JSON arrays that begin with the projection and its version.
    const form = `${JSON.stringify([projection, version]).slice(0, -1)},`
    forms.push({ name: projection, version })
    wide.push(...yield* ofPrefixes(store, `${form}"Prefix",`))
    from = prefixEnd(form)
  }
  return Effect.fnUntraced(function*(stream) {
    const rests: Array<Rest> = []
    for (const form of forms) {
      const found = yield* newestReadable(store, keyPrefix(store, form, { _tag: "Streams", streams: [stream] }))
      if (found !== undefined) rests.push(restOf(found, stream))
    }
    const covering = wide.filter(({ anchors, prefix = "" }) =>
      stream.startsWith(prefix) || anchors.some((anchor) => anchor.stream === stream)
    )
    return [...rests, ...covering.map((snapshot) => restOf(snapshot, stream))]
  })
})

interface Form {
  readonly name: string
  readonly version: number
}

const restOf = ({ anchors, position, prefix, projection, version }: StoredSnapshot, stream: string): Rest => {
  const anchor = anchors.find((one) => one.stream === stream)
  // Of a stream that it isn't of, only the event that it knows its history by.
  const covers = prefix === undefined || stream.startsWith(prefix)
  return {
    projection,
    version,
    position: covers ? Position(position) : Position(unbounded),
    seq: anchor === undefined ? undefined : Seq(anchor.seq)
  }
}

/** The newest snapshot of each prefix, among the keys that begin so. */
const ofPrefixes = Effect.fnUntraced(function*(
  store: StoreShape,
  begin: string
): Effect.fn.Return<ReadonlyArray<StoredSnapshot>, StoreError> {
  const found: Array<StoredSnapshot> = []
  const end = prefixEnd(begin)
  let from: string | undefined = begin
  while (from !== undefined) {
    const entry: StoredEntry | undefined = yield* firstFrom(store, from, end)
    if (entry === undefined) break
    const prefix = prefixOf(entry.key)
    const newest = yield* newestReadable(store, prefix)
    if (newest !== undefined) found.push(newest)
    from = prefixEnd(prefix)
  }
  return found
})

const firstFrom = (
  { engine }: StoreShape,
  gte: string,
  lt: string | undefined
): Effect.Effect<StoredEntry | undefined, StoreError> =>
  Effect.map(
    engine.reading(
      undefined,
      engine.backend.scan({ namespace: snapshotNamespace, gte, lt, limit: 1, reverse: false })
    ),
    ([entry]) => entry
  )

/** The newest snapshot with this key prefix; where that is spoilt the one before it, as a replay takes them. */
const newestReadable = (store: StoreShape, prefix: string): Effect.Effect<StoredSnapshot | undefined, StoreError> =>
  Effect.map(scanSnapshots(store, prefix, undefined, 2), (entries) => {
    for (const entry of entries) {
      const snapshot = readSnapshot(store, entry)
      if (Result.isSuccess(snapshot)) return snapshot.success
    }
    return undefined
  })
