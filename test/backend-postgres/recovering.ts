/** A client that gives up on nothing: it asks what became of a commit, and sends it again under its id. */
import type { Wrapper } from "@persist/conformance"
import { eachVerb } from "@persist/conformance"
import type { BackendError, BackendShape, Commit, Outcome } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"

/** What a client met on its way. */
export interface Met {
  /** Commits of which nobody knew at first whether they had happened. */
  unknown: number
  /** Those of them that had. */
  happened: number
  /** Those of them that had not, each time they were sent. */
  lost: number
  /** Calls of which nothing happened. */
  unavailable: number
}

/** Nothing met yet. */
export const nothingMet = (): Met => ({ unknown: 0, happened: 0, lost: 0, unavailable: 0 })

const again = Schedule.spaced(10)

/** Does a call until the store is there again. */
const insist = <A>(verb: Effect.Effect<A, BackendError>, met: Met): Effect.Effect<A, BackendError> =>
  Effect.retry(verb, {
    schedule: again,
    while: ({ _tag }) => {
      if (_tag === "Unavailable") met.unavailable++
      return _tag === "Unavailable"
    }
  })

/**
 * Carries every commit through to an answer, whatever fails in between; `name` makes the ids its own. Of the commits
 * that never happened, as the store says, it sends every other one again and gives up the rest as lost races. So it is
 * right only where the store's claims are: what happens all the same is there though nobody counts it, or twice.
 */
export const recovering = (name: string, met: Met): Wrapper => {
  // Shared by all handles that are wrapped: no two commits may have the same id.
  let count = 0
  return {
    name: "recovering",
    wrap: (backend) =>
      Effect.succeed({
        ...eachVerb(backend, (verb) => insist(verb, met)),
        commit: ([commit, ...rest]) => {
          if (rest.length > 0) return Effect.die(new Error("recovers single commits"))
          const id = `${name} ${++count}`
          const named: Commit = { ...commit, identity: { id, digest: id } }
          return Effect.map(carry(backend, named, met), (outcome) => [outcome])
        }
      })
  }
}

const carry = (backend: BackendShape, commit: Commit, met: Met): Effect.Effect<Outcome, BackendError> =>
  insist(backend.commit([commit]), met).pipe(
    Effect.map(([outcome]) => outcome),
    Effect.catchTag(
      "OutcomeUnknown",
      () =>
        Effect.flatMap(insist(backend.resolve(commit.identity?.id ?? ""), met), (found) => {
          met.unknown++
          if (Option.isSome(found)) {
            met.happened++
            return Effect.succeed<Outcome>(found.value)
          }
          const [expectation] = commit.expect
          return met.lost++ % 2 === 0 && expectation !== undefined
            ? Effect.succeed<Outcome>({ _tag: "Conflict", expectation, actual: -1 })
            : carry(backend, commit, met)
        })
    )
  )
