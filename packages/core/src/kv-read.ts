/** Reading the kv in order: scans by key, changes by revision. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StoredEntry, Tombstone } from "./backend.ts"
import { type Codec, decodeAll } from "./codec.ts"
import type { Engine, ReadOptions } from "./engine.ts"
import type { Corrupt, StoreError } from "./error.ts"
import type { Meta } from "./event.ts"
import * as Fault from "./fault.ts"
import { follow } from "./follow.ts"
import { parseJson } from "./json.ts"
import type { Entry } from "./kv.ts"
import { nameFault, successor } from "./name.ts"
import { pages, pageSize, pagesToHead } from "./pages.ts"
import { keyRange, type ScanOptions } from "./range.ts"
import { Position, type PositionInput, unbounded } from "./sequence.ts"

/** A key that was put. */
export interface KeyPut<A> extends Entry<A> {
  readonly _tag: "Put"
}

/** A key that was deleted, and when (milliseconds since 1970). */
export interface KeyDeleted {
  readonly _tag: "Deleted"
  readonly key: string
  readonly revision: Position
  readonly at: number
}

/** A key's last change. */
export type Change<A> = KeyPut<A> | KeyDeleted

/** Since when: changes above this position. */
export interface SinceOptions extends ReadOptions {
  readonly after: PositionInput
}

/** The value of an entry; `Corrupt` names the key whose value can't be read. */
export const decodeValue = <A>(codec: Codec<A>, entry: StoredEntry): Result.Result<A, Corrupt> => {
  const decoded = codec.decode("", entry.value)
  // Where it is takes as long to write as the value to read: it's written when it's to be told.
  return Result.isFailure(decoded)
    ? Result.fail(named(codec.decode(placeOf(entry), entry.value), decoded.failure))
    : decoded
}

/** The entry as users meet it; `Corrupt` names the key whose value or metadata can't be read. */
export const decodeEntry = <A>(codec: Codec<A>, entry: StoredEntry): Result.Result<Entry<A>, Corrupt> => {
  const { at, key, meta, revision } = entry
  const decoded = decodeValue(codec, entry)
  if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
  if (meta === undefined) return Result.succeed({ ...blank, key, value: decoded.success, revision, at, meta })
  const own = parseJson(`meta of ${placeOf(entry)}`, meta)
  return Result.isFailure(own)
    ? Result.fail(own.failure)
    // Metadata is written as a JSON object only, so what parses is one.
    : Result.succeed({ ...blank, key, value: decoded.success, revision, at, meta: own.success as Meta })
}

// As events are made (kind.ts).
const blank = { key: "", value: undefined, revision: 0, at: 0, meta: undefined }

const placeOf = ({ key, namespace }: StoredEntry): string =>
  `key ${JSON.stringify(key)} of namespace ${JSON.stringify(namespace)}`

const named = <A>(again: Result.Result<A, Corrupt>, fault: Corrupt): Corrupt =>
  Result.isFailure(again) ? again.failure : fault

const scanPages = <B>(
  engine: Engine,
  namespace: string,
  options: ScanOptions | undefined,
  decode: (items: ReadonlyArray<StoredEntry>) => Effect.Effect<ReadonlyArray<B>, Corrupt>
): Stream.Stream<B, StoreError> => {
  const range = keyRange(engine.about, namespace, options)
  if (Result.isFailure(range)) return Stream.fail(range.failure)
  const { gte, limit, lt, reverse } = range.success
  // Continuing by the last key, not by a count, is what keeps a scan right while keys come and go.
  return pages(limit, { gte, lt }, (bounds, wanted) =>
    Effect.map(
      engine.reading(options, engine.backend.scan({ ...range.success, ...bounds, limit: wanted })),
      (items) => {
        const last = items.at(-1)
        const beyond = last === undefined || items.length < wanted
          ? undefined
          : reverse
          ? { gte, lt: last.key }
          : { gte: successor(last.key), lt }
        return { items, next: beyond }
      }
    ), decode)
}

/** The entries of a namespace within bounds, in the order of their keys. */
export const scanKeys = <A>(
  engine: Engine,
  namespace: string,
  codec: Codec<A>,
  options: ScanOptions | undefined
): Stream.Stream<Entry<A>, StoreError> =>
  scanPages(engine, namespace, options, (stored) => decodeAll(stored, (entry) => decodeEntry(codec, entry)))

/** How many keys a namespace holds, in all or within bounds. */
export const countKeys = (
  engine: Engine,
  namespace: string,
  options: ScanOptions | undefined
): Effect.Effect<number, StoreError> => Stream.runCount(scanPages(engine, namespace, options, Effect.succeed))

const decodeChange = <A>(codec: Codec<A>) => (entry: StoredEntry | Tombstone): Result.Result<Change<A>, Corrupt> =>
  entry._tag === "Entry"
    ? Result.map(decodeEntry(codec, entry), (decoded) => ({ _tag: "Put", ...decoded }))
    : Result.succeed({ _tag: "Deleted", key: entry.key, revision: entry.revision, at: entry.at })

const sinceFault = (engine: Engine, namespace: string, options: Partial<SinceOptions>): Fault.Fault | undefined =>
  nameFault("namespace", namespace, engine.about.limits.nameBytes) ??
    Fault.optionsFault(options, ["after", "atLeast"]) ??
    (options.after === undefined ? undefined : Fault.counterFault("after", options.after))

/** The last change of each key that changed since a position. */
export const changedSince = <A>(
  engine: Engine,
  namespace: string,
  codec: Codec<A>,
  options: SinceOptions
): Stream.Stream<Change<A>, StoreError> => {
  const fault = Fault.requiredFault(options, ["after", "atLeast"], "after") ?? sinceFault(engine, namespace, options)
  if (fault !== undefined) return Stream.fail(fault)
  const stretch = { after: Position(options.after), to: Position(unbounded), limit: unbounded }
  return pagesToHead(
    engine,
    options,
    stretch,
    (after, _, wanted) => engine.reading(options, engine.backend.changed({ namespace, after, limit: wanted })),
    (items) => decodeAll(items, decodeChange(codec))
  )
}

/** The last change of each key since a position (default: now), then every later one. */
export const watchKeys = <A>(
  engine: Engine,
  namespace: string,
  codec: Codec<A>,
  options: Partial<SinceOptions> = {}
): Stream.Stream<Change<A>, StoreError> => {
  const fault = sinceFault(engine, namespace, options)
  if (fault !== undefined) return Stream.fail(fault)
  const from = options.after === undefined
    ? engine.reading(undefined, engine.backend.head)
    : Effect.succeed(Position(options.after))
  const changes = Stream.unwrap(Effect.map(from, (start) =>
    follow(engine, start, pageSize, (after) =>
      Effect.flatMap(
        engine.reading(options, engine.backend.changed({ namespace, after, limit: pageSize })),
        ({ items, through }) =>
          Effect.map(decodeAll(items, decodeChange(codec)), (decoded) => ({ items: decoded, through }))
      ))))
  return Stream.flatMap(changes, ({ items }) => Stream.fromArray(items))
}
