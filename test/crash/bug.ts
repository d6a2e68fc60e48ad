/** Stores that break their word on purpose, so that it can be seen that the proof finds them out. */
import type { BackendError, BackendShape, Commit, Outcome, Standing } from "@persist/core"
import { judge, noSeq, origin, place } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * - `early`: acknowledges before it writes.
 * - `halves`: writes the events of a commit, then the rest of it.
 * - `forgetful`: drops the ids that commits are to be recognised by.
 */
export type Bug = "early" | "halves" | "forgetful"

/** A backend with a bug. */
export const spoilt = (backend: BackendShape, bug: Bug): BackendShape => ({ ...backend, commit: ways[bug](backend) })

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

const early: Way = (backend) => {
  let writing: Effect.Effect<unknown, BackendError> = Effect.void
  return Effect.fnUntraced(function*(batch) {
    yield* writing
    const [commit] = batch
    if (batch.length > 1) return yield* backend.commit(batch)
    const { liveKeys, standing } = yield* standingFor(backend, commit)
    const head = yield* backend.head
    const outcome = judge(commit, standing) ?? place(commit, head, standing.lastSeq, liveKeys)
    writing = Fiber.join(yield* Effect.forkDetach(Effect.andThen(Effect.yieldNow, backend.commit(batch))))
    return [outcome] as const
  })
}

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

const ways: { readonly [bug in Bug]: Way } = { early, halves, forgetful }
