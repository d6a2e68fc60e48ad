/** Reading for a query: entries of an index and the states that they stand for, or the states as they lie. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoredEntry } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { checkpointCodec, checkpointNamespace } from "./checkpoint.ts"
import type { ReadOptions } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import { afterValues } from "./index-key.ts"
import { ownerIn } from "./index-writes.ts"
import { decodeEntry } from "./kv-read.ts"
import type { Entry } from "./kv.ts"
import { quoted } from "./path.ts"
import { type Bounds, isEmpty, type Plan } from "./query-plan.ts"
import { entryOf, isWhole, type ReadIndex, sameForms } from "./read-index.ts"
import type { ReadModel } from "./read-model.ts"
import type { StoreShape } from "./store.ts"

/** A key that was looked at. */
export interface Look<A> {
  /** The key that was read: of an entry, or of the state itself. */
  readonly place: string
  /** The state; `undefined` where it has left the place since the entry was read. */
  readonly entry: Entry<A> | undefined
}

/** Some keys, and whether there are more in the range. */
export interface Looks<A> {
  readonly looks: ReadonlyArray<Look<A>>
  readonly more: boolean
}

/** What reads at most so many keys of a range. */
export type Reading<A> = (bounds: Bounds, limit: number) => Effect.Effect<Looks<A>, StoreError>

/**
 * What a plan reads. States are decoded here, and those of entries are looked at once more: only one that still has
 * its entry is given. Fails with `Invalid` where the index isn't the one that the read model was built with, `Corrupt`
 * where a state can't be read, and as every kv read.
 */
export const readingOf = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  { index, reverse }: Plan,
  options: ReadOptions
): Reading<A> => {
  const { engine } = store
  const scan = (
    namespace: string,
    bounds: Bounds,
    limit: number
  ): Effect.Effect<ReadonlyArray<StoredEntry>, StoreError> =>
    isEmpty(bounds)
      ? Effect.succeed([])
      : engine.reading(options, engine.backend.scan({ namespace, ...bounds, limit, reverse }))
  // One more than is asked for tells whether there are more.
  const some = (namespace: string, bounds: Bounds, limit: number) =>
    Effect.map(scan(namespace, bounds, limit + 1), (found) => ({
      found: found.length > limit ? found.slice(0, limit) : found,
      more: found.length > limit
    }))
  if (index === undefined) {
    return (bounds, limit) =>
      Effect.flatMap(
        some(model.namespace, bounds, limit),
        ({ found, more }) => Effect.map(Effect.fromResult(states(model, found)), (looks) => ({ looks, more }))
      )
  }
  return Effect.fnUntraced(function*(bounds: Bounds, limit: number): Effect.fn.Return<Looks<A>, StoreError> {
    const { found, more } = yield* some(index.namespace, bounds, limit)
    const keys = yield* Effect.fromResult(keysOf(index, found))
    // With the checkpoint of the same moment, which says what the index is.
    const [checkpoint, ...stored] = yield* engine.reading(
      undefined,
      engine.backend.get([
        { namespace: checkpointNamespace, key: model.reader },
        ...keys.map((key) => ({ namespace: model.namespace, key }))
      ])
    )
    const built = yield* Effect.fromResult(isBuilt(index, checkpoint))
    if (built === false || (built === undefined && (yield* scan(model.namespace, everywhere, 1)).length > 0)) {
      return yield* notBuilt(model.namespace, index)
    }
    return { looks: yield* Effect.fromResult(standing(model, index, found, stored)), more }
  })
}

const everywhere: Bounds = { gte: undefined, lt: undefined }

const states = <C extends Catalogue, A>(
  { codec }: ReadModel<C, A>,
  found: ReadonlyArray<StoredEntry>
): Result.Result<ReadonlyArray<Look<A>>, StoreError> => {
  const looks: Array<Look<A>> = []
  for (const stored of found) {
    const entry = decodeEntry(codec, stored)
    if (Result.isFailure(entry)) return Result.fail(entry.failure)
    looks.push({ place: stored.key, entry: entry.success })
  }
  return Result.succeed(looks)
}

/** The keys of the states that entries stand for. */
const keysOf = (
  index: ReadIndex,
  entries: ReadonlyArray<StoredEntry>
): Result.Result<ReadonlyArray<string>, StoreError> => {
  const keys: Array<string> = []
  for (const entry of entries) {
    const key = isWhole(index, entry.key) ? ownerIn(entry) : Result.succeed(afterValues(entry.key, index.on.length))
    if (Result.isFailure(key)) return Result.fail(key.failure)
    keys.push(key.success)
  }
  return Result.succeed(keys)
}

// Whether the read model was built with this index; `undefined` where nothing says so, because it never ran.
const isBuilt = (
  index: ReadIndex,
  checkpoint: StoredEntry | undefined
): Result.Result<boolean | undefined, StoreError> => {
  if (checkpoint === undefined) return Result.succeed(undefined)
  const decoded = checkpointCodec.decode(`checkpoint of reader ${quoted(checkpoint.key)}`, checkpoint.value)
  const { name, on, unique } = index
  return Result.map(decoded, ({ indexes = [] }) => indexes.some((one) => sameForms([one], [{ name, on, unique }])))
}

const notBuilt = (namespace: string, { name }: ReadIndex): Invalid =>
  new Invalid({
    field: "indexes",
    reason: `the read model ${quoted(namespace)} was not built with its index ${name}`,
    remedy: "give it a new version, or rebuild it"
  })

const standing = <C extends Catalogue, A>(
  { codec }: ReadModel<C, A>,
  index: ReadIndex,
  found: ReadonlyArray<StoredEntry>,
  stored: ReadonlyArray<StoredEntry | undefined>
): Result.Result<ReadonlyArray<Look<A>>, StoreError> => {
  const looks: Array<Look<A>> = []
  for (const [i, { key: place }] of found.entries()) {
    const state = stored[i]
    const entry = state === undefined ? undefined : decodeEntry(codec, state)
    if (entry !== undefined && Result.isFailure(entry)) return Result.fail(entry.failure)
    const still = entry !== undefined &&
      Result.getOrUndefined(entryOf(index, entry.success.key, entry.success.value)) === place
    looks.push({ place, entry: still ? entry.success : undefined })
  }
  return Result.succeed(looks)
}
