/** Mutants that do a commit in part, in another order, or tell what they did wrongly. */
import type { Commit, Committed, Outcome } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { commits, committed, oneByOne, single } from "../altered.ts"
import { mutant } from "../mutant.ts"

const nobody = { _tag: "Delete", namespace: "$", key: "nobody" } as const

// Parts of one commit done one after the other: the first is judged, the rest follow.
const joined = (parts: ReadonlyArray<Outcome>): Outcome => {
  const all = parts.flatMap((outcome): Array<Committed> => outcome._tag === "Committed" ? [outcome] : [])
  const [first] = parts
  return all.length < parts.length && first !== undefined ? first : {
    _tag: "Committed",
    position: all.at(-1)?.position ?? Position(0),
    appended: all.flatMap(({ appended }) => appended),
    revisions: all.flatMap(({ revisions }) => revisions),
    repeated: false
  }
}

const bare = (commit: Commit): Commit => ({ ...commit, expect: [], append: [], write: [], truncate: [] })

/** Broken in what one commit does. */
export const atomicity = [
  mutant(
    "seqs from zero",
    "counts the events of a stream from 0 when it tells of them",
    (backend) =>
      committed(backend, (outcome) => ({
        ...outcome,
        appended: outcome.appended.map((told) => ({ ...told, first: Seq(told.first - 1), last: Seq(told.last - 1) }))
      })),
    [
      "an append gives its events the next seqs of their stream, from 1",
      "the outcome of a commit tells the seqs and positions that its events were given",
      "a commit of as many changes as the limit allows happens whole",
      "a commit that breaks on its way to the disk leaves nothing behind",
      "a conflict in the middle of a batch disturbs none of its neighbours",
      "a store goes on after a batch that broke",
      "resolve gives the result of a commit as it was first given",
      "resolve gives the seqs, positions and revisions of every part of a commit",
      "of commits racing with the same id one happens, and all get its result",
      "an id is known to every handle",
      "an id is known after its events were truncated",
      "a writer reads its own commit at once",
      "after everything was truncated the next append goes on where the stream ended",
      "truncating above a stream's end removes what is there, and nothing that comes",
      "truncating a stream that was never appended to makes none",
      "a commit may append to a stream and truncate it below what it appends",
      "a commit as large as the limit happens whole",
      "truncated events are still gone after reopening, and the last seq still counts",
      "seqs and positions go on after reopening where they were",
      "an id is known after reopening"
    ]
  ),

  mutant(
    "sorted events",
    "puts the events of one append in the order of their content",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        append: commit.append.map(({ events, stream }) => ({
          stream,
          events: NonEmpty.sortWith(events, ({ data }) => String(data), (a, b) => a < b ? -1 : a > b ? 1 : 0)
        }))
      })),
    [
      "events of one append keep the order they were given in",
      "a commit of as many changes as the limit allows happens whole",
      "a stream of thousands of events reads whole in one page",
      "each event of a commit keeps its own type, time and content"
    ]
  ),

  mutant(
    "first for last",
    "tells the first seq of an append as its last",
    (backend) =>
      committed(backend, (outcome) => ({
        ...outcome,
        appended: outcome.appended.map((told) => ({ ...told, last: told.first, lastPosition: told.firstPosition }))
      })),
    [
      "the outcome of a commit tells the seqs and positions that its events were given",
      "a commit of as many changes as the limit allows happens whole",
      "resolve gives the seqs, positions and revisions of every part of a commit",
      "a commit may append to a stream and truncate it below what it appends",
      "a commit as large as the limit happens whole"
    ]
  ),

  mutant("head for position", "tells each commit of a batch the position that the batch came to", (backend) => ({
    commit: (batch) =>
      Effect.flatMap(
        backend.commit(batch),
        (all) =>
          Effect.map(backend.head, (position) =>
            NonEmpty.map(all, (outcome) =>
              outcome._tag === "Committed" && !outcome.repeated ? { ...outcome, position } : outcome))
      )
  }), [
    "the outcome of a commit carries its own last position, not the head",
    "the commits of a batch take rising positions in their order"
  ]),

  mutant(
    "first stream only",
    "keeps what a commit appends to its first stream, and forgets the others",
    (backend) => commits(backend, (commit) => ({ ...commit, append: commit.append.slice(0, 1) })),
    [
      "the outcome of a commit tells the seqs and positions that its events were given",
      "a commit to several streams reaches all of them",
      "a commit's events are contiguous in the total order",
      "a commit's streams take their places in the order it names them",
      "a reader never meets part of a commit",
      "what a caller does to its list of events after the commit doesn't reach the store"
    ]
  ),

  mutant(
    "events or keys",
    "forgets the keys of a commit that has events",
    (backend) => commits(backend, (commit) => ({ ...commit, write: commit.append.length > 0 ? [] : commit.write })),
    [
      "a commit of events and keys happens for both",
      "a commit of as many changes as the limit allows happens whole",
      "who sees a commit's key sees its events"
    ]
  ),

  mutant(
    "writes first, checks then",
    "writes the keys of a commit before it knows of the conflict",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        const { write } = commit
        if (outcome._tag === "Conflict" && write.length > 0) yield* single(backend, { ...bare(commit), write })
        return outcome
      })),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "expecting a revision holds for the key's last write, and for none before it",
      "a conflict on a key carries the expectation and the revision that is there",
      "after a conflict the head is where it was",
      "after a conflict streams and keys are as they were",
      "of writes racing at one revision of a key exactly one wins",
      "a cleared key is absent to whoever expects it",
      "expectations are judged after reopening by what was there before"
    ]
  ),

  mutant(
    "truncates first, checks then",
    "truncates before it knows of the conflict",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        const { truncate } = commit
        if (outcome._tag === "Conflict" && truncate.length > 0) yield* single(backend, { ...bare(commit), truncate })
        return outcome
      })),
    [
      "of a commit that conflicts nothing is truncated"
    ]
  ),

  mutant("sorted streams", "appends to the streams of a commit in the order of their names", (backend) => ({
    commit: (batch) =>
      Effect.map(
        backend.commit(NonEmpty.map(batch, (commit) => ({
          ...commit,
          append: [...commit.append].sort((a, b) => a.stream < b.stream ? -1 : 1)
        }))),
        (all) =>
          NonEmpty.map(all, (outcome, n) =>
            outcome._tag === "Committed"
              ? {
                ...outcome,
                appended: (batch[n] ?? batch[0]).append.flatMap(({ stream }) =>
                  outcome.appended.filter((told) => told.stream === stream)
                )
              }
              : outcome)
      )
  }), [
    "a commit's streams take their places in the order it names them"
  ]),

  mutant(
    "nine hundred parameters",
    "writes no more than 900 events of one append",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        append: commit.append.map(({ events: [first, ...rest], stream }) => ({
          stream,
          events: [first, ...rest.slice(0, 899)]
        }))
      })),
    [
      "a stream of thousands of events reads whole in one page"
    ]
  ),

  mutant(
    "checks by writing",
    "spends a position on a commit that only checks",
    (backend) =>
      commits(backend, (commit) =>
        commit.append.length + commit.write.length + commit.truncate.length > 0
          ? commit
          : { ...commit, write: [nobody] }),
    [
      "a commit that only checks changes nothing and answers with the head"
    ]
  ),

  mutant(
    "a transaction for each stream",
    "appends to each stream of a commit on its own, one after the other",
    (backend) =>
      oneByOne((commit) => {
        if (commit.append.length < 2 || commit.identity !== undefined) return single(backend, commit)
        const [first, ...rest] = commit.append.map((append) => ({ ...bare(commit), append: [append] }))
        const parts = [{ ...first ?? bare(commit), expect: commit.expect, write: commit.write }, ...rest]
        return Effect.map(
          Effect.forEach(parts, (part) => Effect.tap(single(backend, part), () => Effect.yieldNow)),
          joined
        )
      }),
    [
      "of a commit that conflicts nothing happens to any stream or key",
      "a reader never meets part of a commit"
    ]
  ),

  mutant(
    "a transaction for keys",
    "writes the keys of a commit, and then appends its events",
    (backend) =>
      oneByOne((commit) => {
        if (commit.append.length === 0 || commit.write.length === 0 || commit.identity !== undefined) {
          return single(backend, commit)
        }
        const parts = [{ ...commit, append: [], truncate: [] }, { ...commit, expect: [], write: [] }]
        return Effect.map(
          Effect.forEach(parts, (part) => Effect.tap(single(backend, part), () => Effect.yieldNow)),
          joined
        )
      }),
    [
      "a commit of events and keys happens for both",
      "of a commit that conflicts nothing happens to any stream or key",
      "who sees a commit's key sees its events"
    ]
  ),

  mutant(
    "half a commit on failure",
    "a commit that breaks has written its keys",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const result = yield* Effect.result(single(backend, commit))
        if (Result.isSuccess(result)) return result.success
        if (commit.write.length > 0) yield* single(backend, { ...bare(commit), write: commit.write })
        return yield* Effect.fail(result.failure)
      })),
    [
      "a commit that breaks on its way to the disk leaves nothing behind"
    ]
  ),

  mutant(
    "one key after the other",
    "reads several keys one after the other, and lets others in between",
    (backend) => ({
      get: (keys) =>
        Effect.map(
          Effect.forEach(keys, (key) => Effect.andThen(Effect.yieldNow, backend.get([key]))),
          (found) => found.flat()
        )
    }),
    ["keys that are read together are of one moment"]
  )
]
