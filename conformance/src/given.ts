/** What laws give a store: events, keys and commits in a few words, and the shortest ways to put them there. */
import type {
  Append,
  BackendShape,
  Commit,
  Committed,
  Conflict,
  Expectation,
  KeyName,
  NewEvent,
  Payload,
  Put,
  StoredEntry,
  StoredEvent,
  Tombstone,
  Write
} from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import { type Broken, broken, present, show } from "./assertion.ts"

/** When everything in the laws happens, unless a law says otherwise: no clock is read. */
export const moment = 1_700_000_000_123

/** An event without meta and id; its type is `"T"` unless said otherwise. */
export const event = (data: Payload, more: Partial<NewEvent> = {}): NewEvent => ({
  type: "T",
  at: moment,
  data,
  meta: undefined,
  id: undefined,
  ...more
})

/** An append of events given by their data. */
export const append = (stream: string, ...data: readonly [Payload, ...Array<Payload>]): Append => ({
  stream,
  events: [event(data[0]), ...data.slice(1).map((each) => event(each))]
})

/** A put without meta in the namespace `"n"`, unless said otherwise. */
export const put = (key: string, value: Payload, more: Partial<Put> = {}): Put => ({
  _tag: "Put",
  namespace: "n",
  key,
  value,
  meta: undefined,
  ...more
})

/** A delete in the namespace `"n"`, unless said otherwise. */
export const del = (key: string, namespace = "n"): Write => ({ _tag: "Delete", namespace, key })

/** A clear of the namespace `"n"`, unless said otherwise. */
export const clear = (namespace = "n"): Write => ({ _tag: "Clear", namespace })

/** What a stream's last seq must be. */
export const expectStream = (stream: string, expected: number | "exists"): Expectation => ({
  _tag: "Stream",
  stream,
  expected: expected === "exists" ? expected : Seq(expected)
})

/** What a key's revision must be. */
export const expectKey = (
  key: string,
  expected: number | "absent" | "exists",
  namespace = "n"
): Expectation => ({
  _tag: "Key",
  namespace,
  key,
  expected: typeof expected === "number" ? Position(expected) : expected
})

/** A commit of what is given, and of nothing else. */
export const commit = (parts: Partial<Commit>): Commit => ({
  identity: undefined,
  at: moment,
  expect: [],
  append: [],
  write: [],
  truncate: [],
  ...parts
})

/** Commits one commit, whatever comes of it. */
export const tryCommit = Effect.fnUntraced(function*(backend: BackendShape, parts: Partial<Commit>) {
  const outcomes = yield* backend.commit([commit(parts)])
  if (outcomes.length !== 1) return yield* broken(`one commit has one outcome, saw ${show(outcomes)}`)
  return outcomes[0]
})

/** Commits one commit that must happen. */
export const commitOne = Effect.fnUntraced(function*(backend: BackendShape, parts: Partial<Commit>) {
  return yield* happened(yield* tryCommit(backend, parts))
})

/** Commits many commits in one batch, all of which must happen: what a law needs there, at the price of one flush. */
export const commitAll = Effect.fnUntraced(function*(backend: BackendShape, all: ReadonlyArray<Partial<Commit>>) {
  const [first, ...rest] = all.map(commit)
  if (first === undefined) return []
  return yield* Effect.forEach(yield* backend.commit([first, ...rest]), happened)
})

/** The outcome as a committed one; anything else breaks the law. */
export const happened = (outcome: unknown): Effect.Effect<Committed, Broken> =>
  isTagged<Committed>(outcome, "Committed")
    ? Effect.succeed(outcome)
    : broken(`the commit should have happened, saw ${show(outcome)}`)

/** The outcome as a conflict; anything else breaks the law. */
export const conflicted = (outcome: unknown): Effect.Effect<Conflict, Broken> =>
  isTagged<Conflict>(outcome, "Conflict")
    ? Effect.succeed(outcome)
    : broken(`the commit should have conflicted, saw ${show(outcome)}`)

const isTagged = <A extends { readonly _tag: string }>(u: unknown, tag: A["_tag"]): u is A =>
  typeof u === "object" && u !== null && "_tag" in u && u._tag === tag

/** Appends events one commit each, as a store of any means can. */
export const appendEach = Effect.fnUntraced(
  function*(backend: BackendShape, stream: string, data: ReadonlyArray<Payload>) {
    const committed: Array<Committed> = []
    for (const each of data) committed.push(yield* commitOne(backend, { append: [append(stream, each)] }))
    return committed
  }
)

/** Puts keys one commit each; the values are given by key. */
export const putEach = Effect.fnUntraced(
  function*(backend: BackendShape, values: Readonly<Record<string, Payload>>, namespace = "n") {
    const revisions: Array<Position> = []
    for (const [key, value] of Object.entries(values)) {
      const committed = yield* commitOne(backend, { write: [put(key, value, { namespace })] })
      revisions.push(yield* present("the revision of a put", committed.revisions[0]))
    }
    return revisions
  }
)

/** Every event of a stream. */
export const readWhole = (backend: BackendShape, stream: string) =>
  backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 100_000, reverse: false })

/** The data of every event of a stream. */
export const dataOf = (backend: BackendShape, stream: string) =>
  Effect.map(readWhole(backend, stream), (events) => events.map(({ data }) => data))

/** The stream's last seq as its readable events tell it; 0 where there are none. */
export const lastSeq = (backend: BackendShape, stream: string) =>
  Effect.map(readWhole(backend, stream), (events) => events.at(-1)?.seq ?? 0)

/** What one key holds. */
export const getOne = Effect.fnUntraced(function*(backend: BackendShape, key: string, namespace = "n") {
  const found = yield* backend.get([{ namespace, key }])
  if (found.length !== 1) return yield* broken(`one key has one answer, saw ${show(found)}`)
  return found[0]
})

/** Names a key of the namespace `"n"`, unless said otherwise. */
export const keyName = (key: string, namespace = "n"): KeyName => ({ namespace, key })

/** Which part of the total order to read; everything from the start, unless said otherwise. */
export interface AllOf {
  readonly after?: number
  readonly to?: number
  readonly prefix?: string
  readonly types?: ReadonlyArray<string>
  readonly limit?: number
}

/** Reads the total order forwards, page after page, until a page says that it looked at everything. */
export const readAllOf = Effect.fnUntraced(function*(backend: BackendShape, of: AllOf = {}) {
  const found: Array<StoredEvent> = []
  const end = Math.min(of.to ?? unbounded, yield* backend.head)
  let after = Position(of.after ?? origin)
  while (after < end) {
    const { items, through } = yield* backend.readAll({
      after,
      to: Position(of.to ?? unbounded),
      prefix: of.prefix ?? "",
      types: of.types,
      limit: of.limit ?? 1000,
      reverse: false
    })
    if (through <= after) return yield* broken(`a page after ${after} looked no further than ${through}`)
    found.push(...items)
    after = through
  }
  return found
})

/** Every change of a namespace above a position, page after page. */
export const changedSince = Effect.fnUntraced(
  function*(backend: BackendShape, since: number = origin, limit = 1000, namespace = "n") {
    const found: Array<StoredEntry | Tombstone> = []
    const end = yield* backend.head
    let after = Position(since)
    while (after < end) {
      const { items, through } = yield* backend.changed({ namespace, after, limit })
      if (through <= after) return yield* broken(`a page after ${after} looked no further than ${through}`)
      found.push(...items)
      after = through
    }
    return found
  }
)

/** A non-empty array from a count, for batches and appends. */
export const times = <A>(count: number, make: (n: number) => A): NonEmptyReadonlyArray<A> => [
  make(0),
  ...Array.from({ length: count - 1 }, (_, n) => make(n + 1))
]
