/** What became of a commit, as its caller is told: out of what became of the batch that it went with. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Commit, Committed, Conflict, Outcome } from "./commit.ts"
import { type BackendError, OutcomeUnknown, type StoreError } from "./error.ts"

/** What became of a commit. */
export type Settled = Exit.Exit<Committed | Conflict, StoreError>

/** What a caller is told of its commit: a refusal is a failure. */
export const settled = (outcome: Outcome): Settled =>
  outcome._tag === "Refused" ? Exit.fail(outcome.error) : Exit.succeed(outcome)

/** The same by the commit's place in its batch; a batch that failed fails each with its own id. */
export const settledIn = (
  exit: Exit.Exit<ReadonlyArray<Outcome>, BackendError>,
  place: number,
  commit: Commit
): Settled => {
  if (exit._tag === "Failure") return Exit.failCause(Cause.map(exit.cause, (error) => own(error, commit)))
  const outcome = exit.value[place]
  return outcome === undefined ? Exit.die(new Error("too few outcomes")) : settled(outcome)
}

// Each caller is told its own commit's id, whatever the batch's error named.
const own = (error: BackendError, { identity }: Commit): BackendError =>
  error._tag === "OutcomeUnknown"
    ? new OutcomeUnknown({ id: identity?.id, reason: error.reason, cause: error.cause })
    : error
