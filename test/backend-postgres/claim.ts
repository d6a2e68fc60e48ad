/** What a store claims of a commit, and whether it's true: asked by another way than the one that failed. */
import { assert } from "@effect/vitest"
import type { BackendError, BackendShape, Commit, Outcome } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { appendOf, eventsOf, putOf } from "../backend-sqlite/place.ts"

/** What a caller may believe of a commit. */
export type Claim = "committed" | "refused" | "unknown"

/** The claim that an answer makes; any failure but an unknown outcome says that nothing happened. */
export const claimOf = (answer: Result.Result<Outcome, BackendError>): Claim =>
  Result.isSuccess(answer)
    ? answer.success._tag === "Committed" ? "committed" : "refused"
    : answer.failure._tag === "OutcomeUnknown"
    ? "unknown"
    : "refused"

/** A commit under an id: an event in a stream of its own that holds the id, and a key. */
export const commitUnder = (id: string): Commit => ({
  ...appendOf(`of ${id}`, JSON.stringify(id)),
  identity: { id, digest: `digest of ${id}` },
  write: [putOf("n", id, JSON.stringify(id))]
})

/** Sends a commit alone. */
export const send = (backend: BackendShape, commit: Commit): Effect.Effect<Result.Result<Outcome, BackendError>> =>
  Effect.result(Effect.map(backend.commit([commit]), ([outcome]) => outcome))

/** How often a commit is in the store: its events, and whether its key agrees with them. */
const occurrences = Effect.fnUntraced(function*(backend: BackendShape, id: string) {
  const events = yield* eventsOf(backend, `of ${id}`)
  const [entry] = yield* backend.get([{ namespace: "n", key: id }])
  assert.strictEqual(entry !== undefined, events.length > 0, `half of ${id} is there`)
  return events.length
})

/**
 * Checks a claim: by what a second handle resolves at once, by what is there, and by sending the commit again on the
 * first handle. Gives whether it had happened.
 */
export const verify = Effect.fnUntraced(
  function*(claim: Claim, commit: Commit, handle: BackendShape, witness: BackendShape, where: string) {
    const id = commit.identity?.id ?? ""
    const resolved = Option.isSome(yield* witness.resolve(id))
    if (claim !== "unknown") assert.strictEqual(resolved, claim === "committed", `${where}: claimed ${claim}`)
    assert.strictEqual(yield* occurrences(witness, id), resolved ? 1 : 0, `${where}: as it was resolved`)
    const [again] = yield* Effect.retry(handle.commit([commit]), { schedule: Schedule.spaced(10), times: 100 })
    assert.isTrue(
      again._tag === "Committed" && again.repeated === resolved,
      `${where}: sent again, ${JSON.stringify(again)}`
    )
    assert.strictEqual(yield* occurrences(witness, id), 1, `${where}: after it was sent again`)
    return resolved
  }
)
