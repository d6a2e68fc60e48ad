/** Mutants that treat the commits of a batch wrongly. */
import type { Conflict, Outcome } from "@persist/core"
import { Unavailable } from "@persist/core"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { actualOf, single } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const nameOf = (outcome: Outcome): string => outcome._tag === "Committed" ? outcome.appended[0]?.stream ?? "" : ""

const refuses = (tag: "Stream" | "Key") => (backend: Parameters<typeof actualOf>[0]) => ({
  commit: Effect.fnUntraced(function*(batch: Parameters<typeof backend.commit>[0]) {
    // What each expects is compared to what was there before the batch.
    const early: Array<Conflict | undefined> = []
    for (const { expect } of batch) {
      const wrong: Array<Conflict> = []
      for (const expectation of expect.filter(({ _tag }) => _tag === tag)) {
        const actual = yield* actualOf(backend, expectation)
        const { expected } = expectation
        const isThere = expected === "exists" ? actual !== 0 : actual === (expected === "absent" ? 0 : expected)
        if (!isThere) wrong.push({ _tag: "Conflict", expectation, actual })
      }
      early.push(wrong[0])
    }
    const does = (n: number) => {
      const commit = batch[n] ?? batch[0]
      const own = commit.expect.filter(({ _tag }) => _tag !== tag)
      const conflict = early[n]
      return conflict === undefined ? single(backend, { ...commit, expect: own }) : Effect.succeed<Outcome>(conflict)
    }
    return yield* Effect.forEach(NonEmpty.map(batch, (_, n) => n), does)
  })
})

/** Broken in what a batch of commits does. */
export const groups = [
  mutant("outcomes by name", "answers a batch in the order of the streams' names", (backend) => ({
    commit: (batch) =>
      Effect.map(
        backend.commit(batch),
        (all): NonEmptyReadonlyArray<Outcome> => NonEmpty.sortWith(all, nameOf, (a, b) => a < b ? -1 : a > b ? 1 : 0)
      )
  }), [
    "a batch has one outcome for each of its commits, in their order",
    "of a batch's commits with the same expectation the first wins, and only it",
    "a conflict in the middle of a batch disturbs none of its neighbours",
    "the commits of a batch take rising positions in their order",
    "a refused commit in a batch disturbs none of its neighbours"
  ]),

  mutant(
    "one look at the streams for all",
    "judges every commit of a batch by the streams as they were before it",
    refuses("Stream"),
    [
      "each commit of a batch is judged by what the ones before it did to a stream",
      "of a batch's commits with the same expectation the first wins, and only it",
      "a conflict in the middle of a batch disturbs none of its neighbours",
      "of several expectations a conflict carries the first that doesn't hold",
      "a repeated commit gives its first result where its expectation no longer holds",
      "a commit that only checks is known by its id"
    ]
  ),

  mutant(
    "one look at the keys for all",
    "judges every commit of a batch by the keys as they were before it",
    refuses("Key"),
    [
      "each commit of a batch is judged by what the ones before it did to a key"
    ]
  ),

  mutant("stops at a conflict", "answers what comes after a conflict in a batch with the same conflict", (backend) => ({
    commit: Effect.fnUntraced(function*(batch) {
      let conflict: Outcome | undefined
      return yield* Effect.forEach(
        batch,
        (commit) =>
          conflict !== undefined
            ? Effect.succeed(conflict)
            : Effect.tap(single(backend, commit), (outcome) =>
              Effect.sync(() => {
                if (outcome._tag === "Conflict") conflict = outcome
              }))
      )
    })
  }), [
    "each commit of a batch is judged by what the ones before it did to a key",
    "a conflict in the middle of a batch disturbs none of its neighbours"
  ]),

  mutant(
    "256 at most",
    "does the first 256 commits of a batch, and answers the others as it did the last of those",
    (backend) => ({
      commit: (batch) => {
        const [first, ...rest] = batch
        return Effect.map(
          backend.commit([first, ...rest.slice(0, 255)]),
          (done) => NonEmpty.map(batch, (_, n) => done[Math.min(n, 255)] ?? done[0])
        )
      }
    }),
    [
      "a batch of hundreds of commits happens whole",
      "hundreds of streams with one event each are hundreds of streams",
      "a page of a scan is short only where its keys end",
      "a page of streams is short only where their names end",
      "a page of namespaces is short only where their names end"
    ]
  ),

  mutant(
    "flushes again",
    "takes a flush that failed for one that may be tried again, and acknowledges it",
    (backend) => ({
      commit: (batch) => Effect.retry(backend.commit(batch), { times: 1 })
    }),
    [
      "a commit that breaks on its way to the disk leaves nothing behind",
      "a batch that breaks on its way to the disk fails as a whole, and none of it happened",
      "a store goes on after a batch that broke",
      "the id of a commit that broke on its way to the disk was not used",
      "a commit that broke on its way to the disk is not there after reopening"
    ]
  ),

  mutant("half a batch on failure", "a batch that breaks has done its first commit", (backend) => ({
    commit: (batch) =>
      Effect.tapError(backend.commit(batch), () => batch.length > 1 ? single(backend, batch[0]) : Effect.void)
  }), [
    "a batch that breaks on its way to the disk fails as a whole, and none of it happened"
  ]),

  placeMutant("never again", "commits nothing any more after a flush failed", () => {
    const dead = new Unavailable({ operation: "commit", reason: "a flush failed before", remedy: "open it again" })
    let failed = false
    return (backend) => ({
      commit: (batch) =>
        failed ? Effect.fail(dead) : Effect.flatMap(Effect.result(backend.commit(batch)), (result) => {
          failed = Result.isFailure(result)
          return Effect.fromResult(result)
        })
    })
  }, [
    "a commit that breaks on its way to the disk leaves nothing behind",
    "a store goes on after a batch that broke",
    "the id of a commit that broke on its way to the disk was not used"
  ])
]
