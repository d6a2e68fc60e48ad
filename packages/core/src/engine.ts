/** What every facet of one store shares: its backend, its committer, and whether it is still open. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { About, BackendShape, KeyName, StoredEntry } from "./backend.ts"
import { inCallersSpan } from "./commit-span.ts"
import type { Commit, Committed, Conflict } from "./commit.ts"
import { type CommitterOptions, makeCommitter } from "./committer.ts"
import type { Draft, Op } from "./draft.ts"
import { type StoreError, Unavailable } from "./error.ts"
import { closedFault, counterFault, optionsFault } from "./fault.ts"
import { until } from "./follow.ts"
import { suspended } from "./posted.ts"
import type { PositionInput } from "./sequence.ts"
import { Turns } from "./turns.ts"
import { commitKeys, type CommitOptions, type Compose, composed, drafted, Write } from "./write.ts"

/** How a store commits, and how long a read waits for a position that isn't there yet. */
export interface StoreOptions extends CommitterOptions {
  /** How many milliseconds a read with `atLeast` waits before it fails with `Unavailable`. Default 5,000. */
  readonly atLeastWithin?: number
}

/** What every read may be given. */
export interface ReadOptions {
  /** Answer only once the store has reached this position, such as that of your own last write. */
  readonly atLeast?: PositionInput | undefined
}

/** The shared parts of a store. */
export interface Engine {
  readonly about: About
  readonly backend: BackendShape
  readonly commit: (
    ops: ReadonlyArray<Op>,
    options?: CommitOptions
  ) => Effect.Effect<Committed | Conflict, StoreError>
  /** A commit of what `compose` writes; `answer` makes of its outcome what the caller is told. Fails as `commit`. */
  readonly write: <A>(
    compose: Compose,
    options: CommitOptions | undefined,
    answer: (outcome: Committed | Conflict) => A
  ) => Effect.Effect<A, StoreError>
  /** The commit that operations come to, for whoever hands it to the backend past the committer. Fails as `commit`. */
  readonly draft: (ops: ReadonlyArray<Op>) => Effect.Effect<Commit, StoreError>
  /** The backend's wake-ups; they end when the store is closed, and with them whoever follows. */
  readonly changes: Stream.Stream<void, StoreError>
  /**
   * The read, refused when the store is closed, after the position it asks for; and after a turn of the event loop once
   * enough was read, of which this counts as a page when it's run.
   */
  readonly reading: <A>(
    options: ReadOptions | undefined,
    read: Effect.Effect<A, StoreError>
  ) => Effect.Effect<A, StoreError>
  /** Looks keys up as `reading` reads, but counts each key, and when this is made: for whoever makes it to run it. */
  readonly lookUp: (
    options: ReadOptions | undefined,
    keys: ReadonlyArray<KeyName>
  ) => Effect.Effect<ReadonlyArray<StoredEntry | undefined>, StoreError>
}

/** Makes a store's shared parts; closing the scope flushes what waits and refuses what comes after. */
export const makeEngine = Effect.fnUntraced(function*(backend: BackendShape, options: StoreOptions = {}) {
  const committer = yield* makeCommitter(backend, options)
  const closing = yield* Deferred.make<void>()
  let closed = false
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closed = true
      return Deferred.succeed(closing, undefined)
    })
  )
  const within = options.atLeastWithin ?? 5000
  const turns = new Turns(turnWork)
  const perKey = backend.about.durability === "memory" ? 1 : keyWork
  const admitted = <A>(readOptions: ReadOptions | undefined, read: Effect.Effect<A, StoreError>, work: number) => {
    if (closed) return Effect.fail(closedFault)
    const inTurn = turns.take(work, read)
    const atLeast = readOptions?.atLeast
    return atLeast === undefined ? inTurn : Effect.andThen(reach(backend, changes, atLeast, within), inTurn)
  }
  const changes = Stream.interruptWhen(backend.changes, Deferred.await(closing))
  const into = { about: backend.about, committer }
  const write: Engine["write"] = (compose, commitOptions, answer) => new Write(into, compose, commitOptions, answer)
  const engine: Engine = {
    about: backend.about,
    backend,
    changes,
    commit: (ops, commitOptions) => {
      const fault = optionsFault(commitOptions, commitKeys)
      return write((draft) => fault ?? composed(backend.about, ops, draft), commitOptions, identity)
    },
    write,
    draft: (ops) =>
      Effect.withFiber((fiber) => {
        const compose = (draft: Draft) => composed(backend.about, ops, draft)
        const request = drafted(backend.about, compose, undefined, fiber.getRef(Clock.Clock))
        return "_tag" in request
          ? Effect.fail(request)
          : Effect.succeed(inCallersSpan(fiber, backend.about, request).commit)
      }),
    reading: (readOptions, read) => suspended(() => admitted(readOptions, read, pageWork)),
    lookUp: (readOptions, keys) => admitted(readOptions, backend.get(keys), keys.length * perKey)
  }
  return engine
}) satisfies (backend: BackendShape, options?: StoreOptions) => Effect.Effect<Engine, never, Scope>

/** After so much work, counted in keys that are looked up in memory, the event loop has its turn: a millisecond. */
const turnWork = 2048

/** As how much a key counts elsewhere: some 4 µs where it's on a disk. */
const keyWork = 4

/** As how much any other read counts. A page of a thousand events takes a millisecond or two; most are far shorter. */
const pageWork = 64

const reach = (
  backend: BackendShape,
  changes: Engine["changes"],
  atLeast: number,
  within: number
): Effect.Effect<void, StoreError> => {
  const fault = counterFault("atLeast", atLeast)
  if (fault !== undefined) return Effect.fail(fault)
  return until({ changes }, Effect.map(backend.head, (head) => head >= atLeast), within, () =>
    new Unavailable({
      operation: "read",
      reason: `the store has not reached position ${atLeast} within ${within} ms`,
      remedy: "try again, or read without atLeast"
    }))
}

/** The outcome of a commit that expects nothing: a conflict would be the backend's defect, and dies as one. */
export const unconditional = (
  outcome: Effect.Effect<Committed | Conflict, StoreError>
): Effect.Effect<Committed, StoreError> =>
  Effect.flatMap(outcome, (one) =>
    one._tag === "Committed"
      ? Effect.succeed(one)
      : Effect.die(new Error("a commit that expected nothing met a conflict")))
