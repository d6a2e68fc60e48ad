/** The verbs that read, the same for whoever writes a store and whoever follows it. */
import type { About, AllRange, BackendError, BackendShape, Page, StoredEvent } from "@persist/core"
import { defaultLimits } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { changedKeys, getKeys, listNamespaces, scanKeys } from "./read-kv.ts"
import { listStreams, type Readable, readAll, readStream } from "./read-log.ts"

/** Runs one read, or one turn of it, as one step; fails with what its failure means. */
export type Reading = <A>(operation: string, read: (from: Readable) => A) => Effect.Effect<A, BackendError>

/** The verbs that read, but for `resolve` where a commit isn't found: who has stopped writing can't tell. */
export const readingVerbs = (reading: Reading): Omit<BackendShape, "about" | "commit" | "changes"> => ({
  resolve: (id) =>
    reading("resolve", ({ contents }) => Option.fromUndefinedOr(contents.commits.recorded(id)?.committed)),
  readStream: (range) => reading("readStream", (from) => readStream(from, range)),
  readAll: (range) => readTurns(reading, range),
  streams: (range) => reading("streams", (from) => listStreams(from, range)),
  get: (keys) => reading("get", (from) => getKeys(from, keys)),
  scan: (range) => reading("scan", (from) => scanKeys(from, range)),
  changed: (range) => reading("changed", (from) => changedKeys(from, range)),
  namespaces: (range) => reading("namespaces", (from) => listNamespaces(from, range)),
  head: reading("head", ({ head }) => head)
})

// In reverse a page that isn't full says that there is no more, so it looks as far as it must: turn by turn, and others
// have theirs in between.
const readTurns = (reading: Reading, range: AllRange): Effect.Effect<Page<StoredEvent>, BackendError> =>
  Effect.flatMap(reading("readAll", (from) => readAll(from, range)), ({ items, rest, through }) => {
    if (rest === undefined) return Effect.succeed({ items, through })
    const limit = range.limit - items.length
    return Effect.map(Effect.andThen(Effect.yieldNow, readTurns(reading, { ...range, to: rest, limit })), (more) => ({
      items: items.concat(more.items),
      through: more.items.length === limit ? more.through : through
    }))
  })

/** What a store says of itself; `shared`: whether anybody else may write to it while this handle is open. */
export const aboutStore = (incarnation: string, shared: boolean): About => ({
  name: "file",
  durability: "disk",
  shared,
  ambiguous: false,
  lacks: new Set(),
  limits: defaultLimits,
  incarnation
})
