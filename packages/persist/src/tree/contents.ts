/** What of a store is in its tree, read as it is stored: no payload is decoded on its way. */
import {
  checkpointNamespace,
  isReserved,
  modelOf,
  type Position,
  Seq,
  type StoredEntry,
  type StoredEvent,
  type StoreError,
  type StoreShape,
  type StreamInfo,
  successor,
  type Tombstone
} from "@persist/core"
import { pageSize } from "@persist/core/pages"

import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { seqsPerFile } from "./tree-path.ts"

/** Does something with each page. */
export type EachPage<A, E> = (items: ReadonlyArray<A>) => Effect.Effect<void, E>

/** The namespaces of a store's read models: made of its log, they are left out, and never written from outside. */
export const modelNamespaces = (store: StoreShape): Effect.Effect<ReadonlySet<string>, StoreError> =>
  Effect.gen(function*() {
    const models = new Set<string>()
    yield* eachScanned(store, checkpointNamespace, (entries) =>
      Effect.sync(() => {
        for (const { key } of entries) {
          const model = modelOf(key)
          if (model !== undefined) models.add(model)
        }
      }))
    return models
  })

/** The namespaces whose values are in a tree: all that hold keys, but the store's own and those of read models. */
export const treeNamespaces = (
  store: StoreShape,
  models: ReadonlySet<string>
): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  store.namespaces().pipe(
    Stream.map(({ namespace }) => namespace),
    Stream.filter((namespace) => !isReserved(namespace) && !models.has(namespace)),
    Stream.runCollect
  )

/** The entries of a namespace, page by page. */
export const eachScanned = Effect.fnUntraced(function*<E>(
  { engine }: StoreShape,
  namespace: string,
  each: EachPage<StoredEntry, E>
) {
  let gte: string | undefined
  while (true) {
    const range = { namespace, gte, lt: undefined, limit: pageSize, reverse: false }
    const entries = yield* engine.reading(undefined, engine.backend.scan(range))
    yield* each(entries)
    const last = entries.at(-1)
    if (last === undefined || entries.length < pageSize) return
    gte = successor(last.key)
  }
})

/** What became of the keys of a namespace after a position, deletions included, page by page. */
export const eachChanged = Effect.fnUntraced(function*<E>(
  { engine }: StoreShape,
  namespace: string,
  since: Position,
  each: EachPage<StoredEntry | Tombstone, E>
) {
  const head = yield* engine.reading(undefined, engine.backend.head)
  for (let after = since; after < head;) {
    const page = yield* engine.reading(undefined, engine.backend.changed({ namespace, after, limit: pageSize }))
    yield* each(page.items)
    if (page.through <= after) return
    after = page.through
  }
})

/** The events of all streams between two positions, page by page. */
export const eachAppended = Effect.fnUntraced(function*<E>(
  { engine }: StoreShape,
  since: Position,
  to: Position,
  each: EachPage<StoredEvent, E>
) {
  for (let after = since; after < to;) {
    const range = { after, to, prefix: "", types: undefined, limit: pageSize, reverse: false }
    const page = yield* engine.reading(undefined, engine.backend.readAll(range))
    yield* each(page.items)
    if (page.through <= after) return
    after = page.through
  }
})

/** The streams of a store, page by page; with `shortened` others than those that were truncated may be left out. */
export const eachStreams = Effect.fnUntraced(function*<E>(
  { engine }: StoreShape,
  shortened: boolean,
  each: EachPage<StreamInfo, E>
) {
  let after: string | undefined
  while (true) {
    const range = { prefix: "", after, limit: pageSize, shortened }
    const infos = yield* engine.reading(undefined, engine.backend.streams(range))
    yield* each(infos)
    const last = infos.at(-1)
    if (last === undefined || infos.length < pageSize) return
    after = last.stream
    // A page of names takes a millisecond or two, and there may be hundreds.
    yield* Effect.yieldNow
  }
})

/** The events of a stream that belong into the file that begins with this seq. */
export const eventsOfFile = (
  { engine }: StoreShape,
  stream: string,
  start: number
): Effect.Effect<ReadonlyArray<StoredEvent>, StoreError> => {
  const range = { from: Seq(start), to: Seq(start + seqsPerFile - 1), limit: seqsPerFile, reverse: false }
  return engine.reading(undefined, engine.backend.readStream({ stream, ...range }))
}
