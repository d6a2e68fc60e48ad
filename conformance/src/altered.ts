/** Ways to alter one step of a right store, for mutants to be made with. */
import type {
  AllRange,
  BackendError,
  BackendShape,
  Commit,
  Committed,
  Conflict,
  Expectation,
  KeyName,
  Outcome,
  Page,
  StoredEntry,
  StoredEvent,
  Tombstone
} from "@persist/core"
import { Position, Seq, unbounded } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import type { Wrong } from "./mutant.ts"

/** Alters each commit on its way in. */
export const commits = (backend: BackendShape, alter: (commit: Commit) => Commit): Wrong => ({
  commit: (batch) => backend.commit(NonEmpty.map(batch, alter))
})

/** Alters each outcome on its way out. */
export const outcomes = (backend: BackendShape, alter: (outcome: Outcome, commit: Commit) => Outcome): Wrong => ({
  commit: (batch) =>
    Effect.map(backend.commit(batch), (all) => NonEmpty.map(all, (outcome, n) => alter(outcome, batch[n] ?? batch[0])))
})

/** Alters the outcome of each commit that happened. */
export const committed = (backend: BackendShape, alter: (committed: Committed, commit: Commit) => Committed): Wrong =>
  outcomes(backend, (outcome, commit) => outcome._tag === "Committed" ? alter(outcome, commit) : outcome)

/** Alters the outcome of each commit that conflicted. */
export const conflicts = (backend: BackendShape, alter: (conflict: Conflict) => Outcome): Wrong =>
  outcomes(backend, (outcome) => outcome._tag === "Conflict" ? alter(outcome) : outcome)

/** Commits one commit on its own, and gives its outcome. */
export const single = (backend: BackendShape, commit: Commit): Effect.Effect<Outcome, BackendError> =>
  Effect.map(backend.commit([commit]), ([outcome]) => outcome)

/** Does each commit of a batch on its own, in turn. */
export const oneByOne = (does: (commit: Commit) => Effect.Effect<Outcome, BackendError>): Wrong => ({
  commit: (batch) => Effect.forEach(batch, does)
})

/** Keeps commits under other ids than the callers gave, or under none. */
export const underIds = (backend: BackendShape, idOf: (id: string, commit?: Commit) => string | undefined): Wrong => ({
  ...commits(backend, (commit) => {
    if (commit.identity === undefined) return commit
    const id = idOf(commit.identity.id, commit)
    return { ...commit, identity: id === undefined ? undefined : { ...commit.identity, id } }
  }),
  resolve: (id) => backend.resolve(idOf(id) ?? id)
})

/** Drops the expectations that `isDropped` says would hold wrongly. */
export const lax = (
  backend: BackendShape,
  isDropped: (expectation: Expectation, actual: number) => boolean
): Wrong =>
  oneByOne(Effect.fnUntraced(function*(commit) {
    const kept: Array<Expectation> = []
    for (const expectation of commit.expect) {
      if (!isDropped(expectation, yield* actualOf(backend, expectation))) kept.push(expectation)
    }
    return yield* single(backend, { ...commit, expect: kept })
  }))

/** What is there where something is expected: a last seq or a revision, 0 for nothing. */
export const actualOf = (backend: BackendShape, expectation: Expectation): Effect.Effect<number, BackendError> =>
  expectation._tag === "Stream" ? lastOf(backend, expectation.stream) : revisionOf(backend, expectation)

/** A stream's last seq. */
export const lastOf = (backend: BackendShape, stream: string): Effect.Effect<number, BackendError> =>
  Effect.map(
    backend.streams({ prefix: stream, after: undefined, limit: 1 }),
    ([info]) => info?.stream === stream ? info.last : 0
  )

/** A key's revision. */
export const revisionOf = (backend: BackendShape, key: KeyName): Effect.Effect<number, BackendError> =>
  Effect.map(backend.get([key]), ([entry]) => entry?.revision ?? 0)

/** Every event of a stream. */
export const wholeOf = (backend: BackendShape, stream: string) =>
  backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: unbounded, reverse: false })

/** Every key of a namespace. */
export const keysOf = (backend: BackendShape, namespace: string) =>
  backend.scan({ namespace, gte: undefined, lt: undefined, limit: unbounded, reverse: false })

/** Alters each event on its way out. */
export const events = (backend: BackendShape, alter: (event: StoredEvent) => StoredEvent): Wrong => ({
  readStream: (range) => Effect.map(backend.readStream(range), (found) => found.map(alter)),
  ...allEvents(backend, alter)
})

/** Alters each event on its way out of the total order. */
export const allEvents = (backend: BackendShape, alter: (event: StoredEvent) => StoredEvent): Wrong => ({
  readAll: (range) => Effect.map(backend.readAll(range), ({ items, through }) => ({ items: items.map(alter), through }))
})

/** Alters each entry that `get` gives. */
export const got = (
  backend: BackendShape,
  alter: (entry: StoredEntry | undefined, key: KeyName) => StoredEntry | undefined
): Wrong => ({
  get: (keys) =>
    Effect.map(
      backend.get(keys),
      (found) => found.map((entry, n) => alter(entry, keys[n] ?? { namespace: "", key: "" }))
    )
})

/** Alters each entry on its way out, by whichever verb. */
export const entries = (backend: BackendShape, alter: (entry: StoredEntry) => StoredEntry): Wrong => ({
  ...got(backend, (entry) => entry && alter(entry)),
  scan: (range) => Effect.map(backend.scan(range), (found) => found.map(alter)),
  ...changesOf(backend, (items) => items.map((item) => item._tag === "Entry" ? alter(item) : item))
})

/** Alters the items of a page of changes. */
export const changesOf = (
  backend: BackendShape,
  alter: (items: ReadonlyArray<StoredEntry | Tombstone>) => ReadonlyArray<StoredEntry | Tombstone>
): Wrong => ({
  changed: (range) => Effect.map(backend.changed(range), ({ items, through }) => ({ items: alter(items), through }))
})

/** Reads the total order with a filter of its own instead of prefix and types. */
export const search = Effect.fnUntraced(
  function*(backend: BackendShape, range: AllRange, matches: (event: StoredEvent) => boolean) {
    const { items, through } = yield* backend.readAll({ ...range, prefix: "", types: undefined, limit: unbounded })
    const found = items.filter(matches)
    const page: Page<StoredEvent> = found.length < range.limit
      ? { items: found, through }
      : { items: found.slice(0, range.limit), through: found[range.limit - 1]?.position ?? Position(0) }
    return page
  }
)

/** Renames what a store is given; what it reads back of a stream is called as it was asked for. */
export const renamed = (
  backend: BackendShape,
  names: { readonly stream?: Rename; readonly namespace?: Rename; readonly key?: Rename; readonly type?: Rename }
): Wrong => {
  const { key = same, namespace = same, stream = same, type = same } = names
  const place = <A extends { readonly namespace: string }>(named: A): A => ({
    ...named,
    namespace: namespace(named.namespace),
    ...("key" in named && typeof named.key === "string" ? { key: key(named.key) } : {})
  })
  return {
    ...commits(backend, (commit) => ({
      ...commit,
      expect: commit.expect.map((each) => each._tag === "Key" ? place(each) : { ...each, stream: stream(each.stream) }),
      append: commit.append.map((each) => ({
        stream: stream(each.stream),
        events: NonEmpty.map(each.events, (event) => ({ ...event, type: type(event.type) }))
      })),
      write: commit.write.map(place),
      truncate: commit.truncate.map((each) => ({ ...each, stream: stream(each.stream) }))
    })),
    readStream: (range) =>
      Effect.map(
        backend.readStream({ ...range, stream: stream(range.stream) }),
        (found) => found.map((event) => ({ ...event, stream: range.stream }))
      ),
    get: (keys) =>
      Effect.map(backend.get(keys.map(place)), (found) => found.map((entry, n) => entry && { ...entry, ...keys[n] }))
  }
}

type Rename = (name: string) => string

const same: Rename = (name) => name
