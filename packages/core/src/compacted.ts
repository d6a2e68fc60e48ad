/** Which streams were shortened: those that begin above seq 1, and the note that is left of what shortened each. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StoredEntry, StreamInfo } from "./backend.ts"
import { schemaCodec } from "./codec.ts"
import type { Engine } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import type { Kv } from "./kv.ts"
import { streamInfo } from "./log-read.ts"
import { pageSize } from "./pages.ts"
import { quoted } from "./path.ts"
import type { Standpoint } from "./replay.ts"
import type { Selection } from "./scope.ts"
import { type Position, Seq } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Where the notes are kept: by stream. */
export const compactionNamespace = "$compaction"

/** The events below seq `before` are gone, of which the last had position `through`. */
export interface Note {
  readonly before: number
  readonly through: number
  /** The projection whose snapshot stood in for them; none where only a retention rule let them go. */
  readonly projection?: string
  readonly version?: number
}

const Stored = Schema.Struct({
  before: Schema.Natural,
  through: Schema.Natural,
  projection: Schema.optionalKey(Schema.String),
  version: Schema.optionalKey(Schema.Natural)
})

const codec = schemaCodec<Note>(Stored)

const noteIn = ({ key, value }: Pick<StoredEntry, "key" | "value">) =>
  codec.decode(`note of the compaction of stream ${quoted(key)}`, value)

/** The notes of a store. */
export const compactions = (store: StoreShape): Kv<Note> => store.system(compactionNamespace, Stored)

/**
 * A stream with this prefix that was compacted after position `since`, and lost events beyond position `beyond` by it;
 * `undefined` for none.
 */
export const compactedSince = Effect.fnUntraced(function*(
  engine: Engine,
  prefix: string,
  since: Position,
  beyond: Position
): Effect.fn.Return<Pick<StreamInfo, "stream" | "first"> | undefined, StoreError> {
  if (engine.about.lacks.has("changed")) return undefined
  const head = yield* engine.reading(undefined, engine.backend.head)
  let after = since
  while (true) {
    const range = { namespace: compactionNamespace, after, limit: pageSize }
    const { items, through } = yield* engine.reading(undefined, engine.backend.changed(range))
    for (const item of items) {
      if (item._tag === "Tombstone" || !item.key.startsWith(prefix)) continue
      const note = yield* Effect.fromResult(noteIn(item))
      if (note.through > beyond) return { stream: item.key, first: Seq(note.before) }
    }
    // A page may end early, with few items or none: how far it looked tells where to go on.
    if (through <= after || through >= head) return undefined
    after = through
  }
})

/** A stream of a selection that was truncated or deleted; `undefined` for none, and where the store can't tell. */
export const truncatedStream = Effect.fnUntraced(function*(
  engine: Engine,
  selection: Selection
): Effect.fn.Return<StreamInfo | undefined, StoreError> {
  const { lacks } = engine.about
  if (lacks.has("truncate") || lacks.has("streams")) return undefined
  if (selection._tag === "Streams") {
    for (const stream of selection.streams) {
      const info = yield* streamInfo(engine, stream)
      if (info !== undefined && info.first > 1) return info
    }
    return undefined
  }
  return yield* firstStream(engine, selection.prefix, (infos) => Effect.succeed(infos[0]))
})

/**
 * A stream with this prefix that lost events, or may have lost some, which a saved state doesn't stand in for;
 * `undefined` for none. Whatever truncated it: what it lost is known to be in the state only where an event that stayed
 * is, or the note of a compaction says so.
 */
export const lostBeyond = Effect.fnUntraced(function*(
  engine: Engine,
  prefix: string,
  { anchors, position }: Pick<Standpoint<unknown>, "anchors" | "position">
): Effect.fn.Return<StreamInfo | undefined, StoreError> {
  const { about: { lacks }, backend } = engine
  if (lacks.has("truncate") || lacks.has("streams")) return undefined
  const lost = Effect.fnUntraced(function*(infos: ReadonlyArray<StreamInfo>) {
    const keys = infos.map(({ stream }) => ({ namespace: compactionNamespace, key: stream }))
    const notes = yield* engine.reading(undefined, backend.get(keys))
    for (const [i, info] of infos.entries()) {
      const { first, stream } = info
      if (anchors.some((anchor) => anchor.stream === stream && first <= anchor.seq + 1)) continue
      const entry = notes[i]
      const note = entry === undefined ? undefined : yield* Effect.fromResult(noteIn(entry))
      if (note !== undefined && note.before >= first && note.through <= position) continue
      const range = { stream, from: first, to: first, limit: 1, reverse: false }
      const [left] = yield* engine.reading(undefined, backend.readStream(range))
      if (left === undefined || left.position > position) return info
    }
    return undefined
  })
  return yield* firstStream(engine, prefix, lost)
})

/** The first that `find` answers of the shortened streams with this prefix, which it's given page by page. */
const firstStream = Effect.fnUntraced(function*(
  engine: Engine,
  prefix: string,
  find: (infos: ReadonlyArray<StreamInfo>) => Effect.Effect<StreamInfo | undefined, StoreError>
): Effect.fn.Return<StreamInfo | undefined, StoreError> {
  let after: string | undefined
  while (true) {
    const range = { prefix, after, limit: pageSize, shortened: true }
    const infos = yield* engine.reading(undefined, engine.backend.streams(range))
    const shortened = infos.filter(({ first }) => first > 1)
    const found = shortened.length === 0 ? undefined : yield* find(shortened)
    if (found !== undefined || infos.length < pageSize) return found
    after = infos.at(-1)?.stream
    // A page of names takes a millisecond or two, and where a backend lists the others too there may be hundreds.
    yield* Effect.yieldNow
  }
})

/** Fails with `Invalid` where a stream with this prefix was truncated: a read model of it wouldn't be whole. */
export const refuseTruncated = ({ about, engine }: StoreShape, prefix: string): Effect.Effect<void, StoreError> => {
  // A store that can truncate but not list its streams can't tell whether it did.
  if (about.lacks.has("streams") && !about.lacks.has("truncate")) {
    return Effect.fail(Fault.lackFault(about.name, "streams"))
  }
  return Effect.flatMap(
    truncatedStream(engine, { _tag: "Prefix", prefix }),
    (found) =>
      found === undefined ? Effect.void : Effect.fail(
        new Invalid({
          field: "allowTruncated",
          reason: `stream ${quoted(found.stream)} was truncated below seq ${found.first}, ` +
            "so what it held before can't be folded again",
          remedy: "pass allowTruncated: true to build from what is left, and accept another answer"
        })
      )
  )
}
