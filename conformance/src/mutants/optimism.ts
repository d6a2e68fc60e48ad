/** Mutants that judge expectations wrongly, or tell wrongly of the conflict. */
import type { Commit, Expectation } from "@persist/core"
import * as Effect from "effect/Effect"
import { actualOf, commits, conflicts, lastOf, lax, oneByOne, single } from "../altered.ts"
import { mutant } from "../mutant.ts"

const isChanged = (commit: Commit, expectation: Expectation): boolean =>
  expectation._tag === "Stream"
    ? commit.append.some(({ stream }) => stream === expectation.stream)
    : commit.write.some((op) => op._tag !== "Clear" && op.key === expectation.key)

const nobody = { _tag: "Delete", namespace: "$", key: "nobody" } as const
const nothing: Commit = { identity: undefined, at: 0, expect: [], append: [], write: [], truncate: [] }

/** Broken in expectations and conflicts. */
export const optimism = [
  mutant(
    "0 means any",
    "takes an expected seq of 0 for none, as `if (expected)` does",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        expect: commit.expect.filter(({ _tag, expected }) => _tag === "Key" || expected !== 0)
      })),
    [
      "of a batch's commits with the same expectation the first wins, and only it",
      "a conflict in the middle of a batch disturbs none of its neighbours",
      "expecting seq 0 holds for a stream that was never appended to, and for no other",
      "a conflict on a stream carries the expectation and the seq that is there",
      "a commit may expect something of streams and keys that it doesn't change",
      "after a conflict the head is where it was",
      "after a conflict streams and keys are as they were",
      "of commits racing with the same expectation exactly one wins",
      "the losers of a race leave no trace, and learn the seq that the winner took",
      "a truncated stream is expected by its last seq, as ever",
      "expectations are judged after reopening by what was there before"
    ]
  ),

  mutant(
    "one behind is fine",
    "takes the seq before the last one for the last",
    (backend) =>
      lax(
        backend,
        ({ _tag, expected }, actual) =>
          _tag === "Stream" && typeof expected === "number" && expected > 0 && expected === actual - 1
      ),
    [
      "of a commit that conflicts nothing is truncated",
      "expecting a seq holds for the stream's last one, and not for the one below",
      "a conflict on a stream carries the expectation and the seq that is there",
      "of commits racing with the same expectation exactly one wins",
      "a handle is judged by what others committed, not by what it saw last"
    ]
  ),

  mutant(
    "at most",
    "takes an expected seq for a bound that the stream's may not exceed",
    (backend) =>
      lax(
        backend,
        ({ _tag, expected }, actual) => _tag === "Stream" && typeof expected === "number" && actual < expected
      ),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "expecting a seq above the stream's last one doesn't hold",
      "a conflict on a stream carries the expectation and the seq that is there",
      "a commit happens only if all that it expects holds",
      "after a conflict streams and keys are as they were",
      "the id of a conflicted commit was not used",
      "neither expecting something of a stream nor failing to append to it makes it"
    ]
  ),

  mutant(
    "any stream exists",
    "doesn't ask whether a stream exists",
    (backend) => lax(backend, ({ _tag, expected }) => _tag === "Stream" && expected === "exists"),
    [
      "expecting a stream to exist holds for any that was appended to, and for no other",
      "a conflict on a stream carries the expectation and the seq that is there",
      "truncating a stream that was never appended to makes none"
    ]
  ),

  mutant(
    "conflicts without a seq",
    "tells no conflict on a stream what is there",
    (backend) =>
      conflicts(backend, (conflict) => conflict.expectation._tag === "Stream" ? { ...conflict, actual: 0 } : conflict),
    [
      "a conflict on a stream carries the expectation and the seq that is there",
      "the losers of a race leave no trace, and learn the seq that the winner took",
      "a truncated stream is expected by its last seq, as ever"
    ]
  ),

  mutant(
    "the last that doesn't hold",
    "judges the expectations of a commit from the last to the first",
    (backend) => commits(backend, (commit) => ({ ...commit, expect: commit.expect.toReversed() })),
    [
      "of several expectations a conflict carries the first that doesn't hold"
    ]
  ),

  mutant(
    "one expectation",
    "judges only the first expectation of a commit",
    (backend) => commits(backend, (commit) => ({ ...commit, expect: commit.expect.slice(0, 1) })),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "of several expectations a conflict carries the first that doesn't hold",
      "a commit happens only if all that it expects holds"
    ]
  ),

  mutant(
    "only what is changed",
    "judges only expectations on what the commit changes",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        expect: commit.expect.filter((expectation) => isChanged(commit, expectation))
      })),
    [
      "of a commit that conflicts nothing is truncated",
      "of several expectations a conflict carries the first that doesn't hold",
      "a commit happens only if all that it expects holds",
      "a commit may expect something of streams and keys that it doesn't change"
    ]
  ),

  mutant(
    "judged by itself",
    "judges a commit again after its first event",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const { events, stream } of commit.append) {
          const expectation = commit.expect.find((each) => each._tag === "Stream" && each.stream === stream)
          if (expectation === undefined || events.length === 1) continue
          return { _tag: "Conflict", expectation, actual: (yield* lastOf(backend, stream)) + 1 }
        }
        return yield* single(backend, commit)
      })),
    [
      "a commit is not judged by its own changes"
    ]
  ),

  mutant(
    "conflicts cost a position",
    "gives a position to a commit before it judges it",
    (backend) =>
      oneByOne((commit) =>
        Effect.tap(
          single(backend, commit),
          ({ _tag }) => _tag === "Conflict" ? single(backend, { ...nothing, write: [nobody] }) : Effect.void
        )
      ),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "after a conflict the head is where it was"
    ]
  ),

  mutant(
    "appends first, checks then",
    "appends the events of a commit before it knows of the conflict",
    (backend) =>
      oneByOne((commit) =>
        Effect.tap(
          single(backend, commit),
          ({ _tag }) => _tag === "Conflict" ? single(backend, { ...nothing, append: commit.append }) : Effect.void
        )
      ),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "of a batch's commits with the same expectation the first wins, and only it",
      "a conflict in the middle of a batch disturbs none of its neighbours",
      "expecting a seq holds for the stream's last one, and not for the one below",
      "a conflict on a stream carries the expectation and the seq that is there",
      "a commit happens only if all that it expects holds",
      "a commit may expect something of streams and keys that it doesn't change",
      "after a conflict the head is where it was",
      "after a conflict streams and keys are as they were",
      "the losers of a race leave no trace, and learn the seq that the winner took",
      "a handle is judged by what others committed, not by what it saw last",
      "the id of a conflicted commit was not used",
      "neither expecting something of a stream nor failing to append to it makes it",
      "truncating a stream that was never appended to makes none",
      "a truncated stream is expected by its last seq, as ever",
      "expectations are judged after reopening by what was there before"
    ]
  ),

  mutant(
    "streams by prefix",
    "judges a stream by all whose names start the same",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const expectation of commit.expect) {
          if (expectation._tag === "Key") continue
          const all = yield* backend.streams({ prefix: expectation.stream, after: undefined, limit: 1000 })
          const actual = Math.max(0, ...all.map(({ last }) => last))
          const own = yield* actualOf(backend, expectation)
          if (actual !== own) return { _tag: "Conflict", expectation, actual }
        }
        return yield* single(backend, commit)
      })),
    [
      "expecting something of a stream says nothing of one whose name only starts the same"
    ]
  )
]
