/** Wrappers that change what the protocol leaves open: a right store stays right through each of them. */
import type { BackendError, BackendShape, Commit, Committed, Expectation, Outcome, StoredEvent } from "@persist/core"
import { Position } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { same } from "./assertion.ts"
import type { Wrapper } from "./fixture.ts"

/** Changes every verb that answers with an effect in the same way. */
export const eachVerb = (
  backend: BackendShape,
  change: <A>(verb: Effect.Effect<A, BackendError>) => Effect.Effect<A, BackendError>
): BackendShape => ({
  ...backend,
  commit: (batch) => change(backend.commit(batch)),
  resolve: (id) => change(backend.resolve(id)),
  readStream: (range) => change(backend.readStream(range)),
  readAll: (range) => change(backend.readAll(range)),
  streams: (range) => change(backend.streams(range)),
  get: (keys) => change(backend.get(keys)),
  scan: (range) => change(backend.scan(range)),
  changed: (range) => change(backend.changed(range)),
  namespaces: (range) => change(backend.namespaces(range)),
  head: change(backend.head)
})

/** Lets every other fiber run before and after each verb, so that whatever can come between does. */
export const yielding: Wrapper = {
  name: "yielding",
  wrap: (backend) =>
    Effect.succeed(
      eachVerb(backend, (verb) =>
        Effect.flatMap(Effect.andThen(Effect.yieldNow, verb), (answer) => Effect.as(Effect.yieldNow, answer)))
    )
}

/** Holds every answer back for a while: what it says was so, and may not be any more when it comes. */
export const slow: Wrapper = {
  name: "slow",
  wrap: (backend) =>
    Effect.succeed(
      eachVerb(
        backend,
        (verb) => Effect.tap(verb, () => Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], () => Effect.yieldNow))
      )
    )
}

/** Looks no further in one page of the total order, or of changes, than `most` items; `through` says so. */
export const tinyPages = (most: number): Wrapper => ({
  name: `pages of ${most}`,
  wrap: (backend) =>
    Effect.succeed({
      ...backend,
      // In reverse a page that isn't full is the last, so there only forward pages can be small.
      readAll: (range) => backend.readAll(range.reverse ? range : { ...range, limit: Math.min(range.limit, most) }),
      changed: (range) => backend.changed({ ...range, limit: Math.min(range.limit, most) })
    })
})

const start = 4096
const step = 7

/** Gives out positions that start far up and leave gaps: nobody may count with positions, nor know the first. */
export const gapped: Wrapper = { name: "gapped", wrap: (backend) => Effect.succeed(withGaps(backend)) }

const outer = (inner: number): Position => Position(inner === 0 ? 0 : start + inner * step)
// The last inner position at or below an outer one.
const inner = (position: number): Position => Position(Math.max(0, Math.floor((position - start) / step)))

const withGaps = (backend: BackendShape): BackendShape => ({
  ...backend,
  commit: (batch) =>
    Effect.map(
      backend.commit(NonEmpty.map(batch, innerCommit)),
      (outcomes) => NonEmpty.map(outcomes, (outcome, n) => outerOutcome(outcome, batch[n] ?? batch[0]))
    ),
  resolve: (id) => Effect.map(backend.resolve(id), Option.map(outerCommitted)),
  readStream: (range) => Effect.map(backend.readStream(range), (events) => events.map(outerEvent)),
  readAll: (range) =>
    // The head first: a page may then say that it looked less far than it did, never further.
    Effect.flatMap(backend.head, (head) =>
      Effect.map(
        backend.readAll({ ...range, after: inner(range.after), to: inner(range.to) }),
        ({ items, through }) => ({
          items: items.map(outerEvent),
          through: through >= inner(range.to) && head > through ? range.to : outer(through)
        })
      )),
  get: (keys) => Effect.map(backend.get(keys), (found) => found.map((entry) => entry && outerEntry(entry))),
  scan: (range) => Effect.map(backend.scan(range), (found) => found.map(outerEntry)),
  changed: (range) =>
    Effect.map(backend.changed({ ...range, after: inner(range.after) }), ({ items, through }) => ({
      items: items.map(outerEntry),
      through: outer(through)
    })),
  head: Effect.map(backend.head, outer)
})

const outerEvent = (event: StoredEvent): StoredEvent => ({ ...event, position: outer(event.position) })

const outerEntry = <A extends { readonly revision: Position }>(entry: A): A => ({
  ...entry,
  revision: outer(entry.revision)
})

const outerCommitted = (committed: Committed): Committed => ({
  ...committed,
  position: outer(committed.position),
  appended: committed.appended.map((each) => ({
    ...each,
    firstPosition: outer(each.firstPosition),
    lastPosition: outer(each.lastPosition)
  })),
  revisions: committed.revisions.map(outer)
})

const innerCommit = (commit: Commit): Commit => ({ ...commit, expect: commit.expect.map(innerExpectation) })

const innerExpectation = (expectation: Expectation): Expectation =>
  expectation._tag === "Stream" || typeof expectation.expected === "string" ? expectation : {
    ...expectation,
    // A number in a gap is no key's revision; neither is one below the first.
    expected: outer(inner(expectation.expected)) === expectation.expected ? inner(expectation.expected) : Position(-1)
  }

const outerOutcome = (outcome: Outcome, commit: Commit): Outcome => {
  if (outcome._tag === "Committed") return outerCommitted(outcome)
  if (outcome._tag === "Refused") return outcome
  const at = commit.expect.findIndex((expectation) => same(innerExpectation(expectation), outcome.expectation))
  return {
    ...outcome,
    expectation: commit.expect[at] ?? outcome.expectation,
    actual: outcome.expectation._tag === "Key" ? outer(outcome.actual) : outcome.actual
  }
}
