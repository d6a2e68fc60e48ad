/** Two versions of a read model beside each other: the states in which they differ. */
import type { AnyValue, Entry, Position, StoreError, StoreShape } from "@persist/core"
import { compareUtf8 } from "@persist/core/name"
import { pageSize } from "@persist/core/pages"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { namespaceOf, unknownVersion, versionsOf } from "./live.ts"

/** A key whose states differ: `undefined` where a version has none. */
export interface Difference {
  readonly key: string
  readonly before: AnyValue | undefined
  readonly after: AnyValue | undefined
}

/** Two versions of a read model, and how far each had come when they began to be compared. */
export interface Comparison {
  readonly before: { readonly version: number; readonly position: Position }
  readonly after: { readonly version: number; readonly position: Position }
  /** The keys in which they differ, in order, read as they are pulled. */
  readonly differences: Stream.Stream<Difference, StoreError>
}

/**
 * Compares the stored states of two versions of a read model, key by key. What moves on meanwhile may show as a
 * difference: compare what has caught up. Fails with `Invalid` where one of them was never begun, and as every read.
 */
export const compareVersions = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  before: number,
  after: number
): Effect.fn.Return<Comparison, StoreError> {
  const known = yield* versionsOf(store, name)
  const of = (version: number) => {
    const found = known.find((each) => each.version === version)
    return found === undefined
      ? Effect.fail(unknownVersion({ name, version }))
      : Effect.succeed({ version, position: found.checkpoint.position })
  }
  return {
    before: yield* of(before),
    after: yield* of(after),
    differences: differences(
      store,
      namespaceOf({ name, version: before }),
      namespaceOf({ name, version: after })
    )
  }
})

const differences = (store: StoreShape, before: string, after: string): Stream.Stream<Difference, StoreError> => {
  const page = (namespace: string, gt: string | undefined) =>
    Stream.runCollect(store.kv(namespace).scan({ gt, limit: pageSize }))
  return Stream.paginate(
    undefined as string | undefined, // the type of the cursor: none before the first page
    Effect.fnUntraced(function*(gt) {
      const pages = [yield* page(before, gt), yield* page(after, gt)] as const
      const end = endOf(pages)
      const [old, young] = pages.map((entries) => upTo(entries, end))
      const keys = Array.from(new Set([...old?.keys() ?? [], ...young?.keys() ?? []])).sort(compareUtf8)
      const differing = keys.flatMap((key): ReadonlyArray<Difference> => {
        const states = { key, before: old?.get(key), after: young?.get(key) }
        return Equal.equals(states.before, states.after) ? [] : [states]
      })
      return [differing, end === undefined ? Option.none() : Option.some(end)] as const
    })
  )
}

/** Up to which key both pages are whole; `undefined` where nothing is left behind them. */
const endOf = (pages: ReadonlyArray<ReadonlyArray<Entry<AnyValue>>>): string | undefined =>
  pages.flatMap((entries) => entries.length < pageSize ? [] : entries.at(-1)?.key ?? []).sort(compareUtf8)[0]

const upTo = (entries: ReadonlyArray<Entry<AnyValue>>, end: string | undefined): ReadonlyMap<string, AnyValue> =>
  new Map(
    entries.flatMap(({ key, value }) => end === undefined || compareUtf8(key, end) <= 0 ? [[key, value]] : [])
  )
