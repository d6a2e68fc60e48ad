/** Stores that break their word on purpose, so that it can be seen that the proof finds them out. */
import type { BackendError, BackendShape, Commit, Outcome, Standing, StoredEvent } from "@persist/core"
import { judge, noSeq, origin, place } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * - `early`: acknowledges before it writes.
 * - `halves`: writes the events of a commit, then the rest of it.
 * - `forgetful`: drops the ids that commits are to be recognised by.
 * - `stale`: answers what it answered the last time.
 */
export type Bug = "early" | "halves" | "forgetful" | "stale"

/** A backend with a bug. */
export const spoilt = (backend: BackendShape, bug: Bug): BackendShape =>
  bug === "stale" ? stale(backend) : { ...backend, commit: ways[bug](backend) }

const stale = (backend: BackendShape): BackendShape => {
  const last = new Map<string, ReadonlyArray<StoredEvent>>()
  return {
    ...backend,
    readStream: (range) =>
      Effect.map(backend.readStream(range), (events) => {
        const before = last.get(range.stream) ?? events
        last.set(range.stream, events)
        return before
      })
  }
}

type Way = (backend: BackendShape) => BackendShape["commit"]

/** What one commit is judged and placed by, looked up beforehand. */
const standingFor = Effect.fnUntraced(function*(backend: BackendShape, { expect, identity }: Commit) {
  const keys = expect.flatMap((one) => one._tag === "Key" ? [{ namespace: one.namespace, key: one.key }] : [])
  const found = yield* backend.get(keys)
  const revisions = new Map(keys.map(({ key, namespace }, i) => [`${namespace} ${key}`, found[i]?.revision ?? origin]))
  const streams = yield* backend.streams({ prefix: "", after: undefined, limit: 1000 })
  const lasts = new Map(streams.map(({ last, stream }) => [stream, last]))
  const namespaces = yield* backend.namespaces({ after: undefined, limit: 1000 })
  const living = new Map(namespaces.map(({ keys: many, namespace }) => [namespace, many]))
  const committed = identity === undefined ? undefined : Option.getOrUndefined(yield* backend.resolve(identity.id))
  const standing: Standing = {
    lastSeq: (stream) => lasts.get(stream) ?? noSeq,
    revision: (namespace, key) => revisions.get(`${namespace} ${key}`) ?? origin,
    recorded: () => committed === undefined ? undefined : { digest: identity?.digest ?? "", committed }
  }
  return { standing, liveKeys: (namespace: string) => living.get(namespace) ?? 0 }
})

// How many turns of the event loop it is late.
const lateness = 20

const early: Way = (backend) => {
  let writing: Effect.Effect<unknown, BackendError> = Effect.void
  const acknowledge = Effect.fnUntraced(function*(commit: Commit) {
    yield* writing
    const { liveKeys, standing } = yield* standingFor(backend, commit)
    const head = yield* backend.head
    const write = Effect.andThen(turns(lateness), backend.commit([commit]))
    writing = Fiber.join(yield* Effect.forkDetach(write))
    return judge(commit, standing) ?? place(commit, head, standing.lastSeq, liveKeys)
  })
  return (batch) => Effect.forEach(batch, acknowledge)
}

const turns = (many: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let left = many
    const turn = () => left-- === 0 ? resume(Effect.void) : setImmediate(turn)
    turn()
  })

// The events and all that is expected under the commit's id, everything else right after it without one.
const halves: Way = (backend) => (batch) =>
  Effect.flatMap(
    backend.commit(NonEmpty.map(batch, (commit) => commit.append.length === 0 ? commit : { ...commit, write: [] })),
    (outcomes) =>
      Effect.map(
        Effect.forEach(batch, (commit, i) => finish(backend, commit, outcomes[i] ?? outcomes[0])),
        (finished) => NonEmpty.isReadonlyArrayNonEmpty(finished) ? finished : outcomes
      )
  )

const finish = (backend: BackendShape, commit: Commit, outcome: Outcome): Effect.Effect<Outcome, BackendError> => {
  const rest: Commit = { ...commit, identity: undefined, expect: [], append: [], truncate: [] }
  const isWhole = commit.append.length === 0 || commit.write.length === 0
  return isWhole || outcome._tag !== "Committed" || outcome.repeated
    ? Effect.succeed(outcome)
    : Effect.map(backend.commit([rest]), ([second]): Outcome =>
      second._tag === "Committed"
        ? { ...outcome, position: second.position, revisions: second.revisions }
        : outcome)
}

const forgetful: Way = (backend) => (batch) =>
  backend.commit(NonEmpty.map(batch, (commit) => ({ ...commit, identity: undefined })))

const ways: { readonly [bug in Exclude<Bug, "stale">]: Way } = { early, halves, forgetful }
