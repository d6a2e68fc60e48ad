/** Mutants that commit in part, tell callers wrongly, or lose them while they wait. */
import type { Committed, Op, StoreShape } from "@persist/core"
import { isReserved, OnFlush, Position, Seq } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { commits, committed, oneByOne, single } from "../altered.ts"
import { core } from "../core.ts"
import { beneathMutant, coreMutant, storeMutant } from "../store-mutant.ts"
import { queryLawsBut } from "./query-laws.ts"

// Does each operation as a commit of its own, and tells of them as if it were one.
const opByOp = (store: StoreShape): StoreShape["commit"] =>
  Effect.fnUntraced(function*(ops: ReadonlyArray<Op>, options) {
    if (ops.length < 2) return yield* store.commit(ops, options)
    const done: Array<Committed> = []
    for (const op of ops) {
      const outcome = yield* store.commit([op], options)
      if (outcome._tag === "Conflict") return outcome
      done.push(outcome)
    }
    return {
      _tag: "Committed" as const,
      position: done.at(-1)?.position ?? Position(0),
      appended: done.flatMap(({ appended }) => appended),
      revisions: done.flatMap(({ revisions }) => revisions),
      repeated: false
    }
  })

/** Broken in committing, and in waiting for it. */
export const storeCommits = [
  beneathMutant(
    "one key a commit",
    "leaves out all but the first key of each namespace in a commit",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        write: commit.write.filter(({ namespace }, n) =>
          isReserved(namespace) || commit.write.findIndex((other) => other.namespace === namespace) === n
        )
      })),
    [
      "a commit of several operations does all of them, and tells where each went",
      "more keys than a page holds are scanned whole, and backwards",
      "a scan meets every key that stays once, though others come and go",
      "more changes than a page holds are told whole",
      "several keys are put in one commit, and all or none of them",
      "several keys are deleted in one commit",
      "a read model shows the fold of its events, key by key, and tells what it took",
      "a read model is the same in whatever pages its events come",
      "a read model that crashes at any commit takes every event into account once",
      "several who keep one read model at once take every event into account once",
      "a read model follows, and shows an event to whoever waits for it",
      "a read model that is run in two places goes on in one, and the other is fenced",
      "a read model that is rebuilt is what it was, and holds nothing else",
      "a new version of a read model is built beside the old one",
      "a read model moves on over what is none of its events",
      "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
      "a read model is not begun over truncated streams unless it is told to",
      "a read model that throws keeps everything before that event, and goes on there when it is mended",
      "a read model takes no namespace that holds another's keys",
      "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
      "a strong read shows no two moments, whatever is kept and appended between its reads",
      "a strong query finds what a query finds once the model is there, page by page",
      "a strong read of another history, of other events or of truncated streams is refused",
      ...queryLawsBut("an index that a read model was not built with is refused, until a rebuild makes it")
    ]
  ),

  storeMutant("op by op", "makes each operation of a commit happen by itself", (store) => ({
    commit: opByOp(store)
  }), [
    "a commit that conflicts leaves no trace in any stream or key",
    "appends to one stream in a row are one append of the commit",
    "who listens for the flush hears of every commit that happens",
    "whoever is interrupted leaves a whole commit or nothing",
    "more changes than a page holds are told whole",
    "a checkpoint and what it belongs to move in one commit, or neither",
    "a read model that crashes at any commit takes every event into account once",
    "several who keep one read model at once take every event into account once",
    "a read model follows, and shows an event to whoever waits for it",
    "a read model that is run in two places goes on in one, and the other is fenced",
    "one wrong operation among right ones forbids the whole commit",
    "an operation of another store is refused by its place, and changes neither store"
  ]),

  beneathMutant(
    "never mind",
    "lets commits that only expect happen whatever is there",
    (backend) =>
      commits(
        backend,
        (commit) =>
          commit.append.length + commit.write.length + commit.truncate.length === 0 ? { ...commit, expect: [] } : commit
      ),
    [
      "a commit may only expect, and then it changes nothing"
    ]
  ),

  beneathMutant(
    "event by event",
    "tells of every event of an append as if it had been appended alone",
    (backend) =>
      committed(backend, (one) => ({
        ...one,
        appended: one.appended.flatMap((part) =>
          Array.from({ length: part.last - part.first + 1 }, (_, n) => {
            const [seq, position] = [Seq(part.first + n), Position(part.firstPosition + n)]
            return { stream: part.stream, first: seq, last: seq, firstPosition: position, lastPosition: position }
          })
        )
      })),
    [
      "a commit of several operations does all of them, and tells where each went",
      "appends to one stream in a row are one append of the commit",
      "what is decided on a stream's state is appended to it"
    ]
  ),

  beneathMutant("crossed replies", "gives the outcomes of a flush in the reverse order", (backend) => ({
    commit: (batch) => Effect.map(backend.commit(batch), NonEmpty.reverse)
  }), [
    "commits made at once are each told their own outcome",
    "a store that closes flushes what it was given, and refuses what comes after",
    "all streams together are read whole, in parts and backwards",
    "a filter leaves out of all streams what it says, and a limit counts what it lets through",
    "all streams read on from any position give the rest",
    "more changes than a page holds are told whole",
    "a checkpoint moves forwards only",
    "of several who hold one checkpoint the first to move it fences the others",
    "the slowest reader of a stream is the one of those that read it who has come least far",
    "a subscriber from a position gets what comes after it",
    "a subscriber from a reader's checkpoint gets what comes after it, and leaves it there",
    "what was appended before a subscription first ran is handled like what comes later",
    "whoever interrupts a subscription waits for the event in hand, which is then saved",
    "a read model follows, and shows an event to whoever waits for it"
  ]),

  beneathMutant("shared fate", "tells everybody after a conflict in one flush of that conflict", (backend) => ({
    commit: (batch) =>
      Effect.map(backend.commit(batch), (outcomes) => {
        const conflict = outcomes.find(({ _tag }) => _tag === "Conflict")
        return conflict === undefined ? outcomes : NonEmpty.map(outcomes, () => conflict)
      })
  }), [
    "of commits made at once one's conflict is no other's",
    "commands at once on one stream are each decided on the state that they change",
    "of several who hold one checkpoint the first to move it fences the others",
    "a read model that is run in two places goes on in one, and the other is fenced"
  ]),

  storeMutant("a head behind", "tells of the head as it was before the last position", (store) => ({
    head: Effect.map(store.head, (head) => Position(Math.max(0, head - 1)))
  }), [
    "the head is where the last commit is",
    "whoever demands a position waits until the store has come to it",
    "several keys are put in one commit, and all or none of them",
    "a projection as of a position that the store hasn't come to waits for it",
    "a subscriber from the end gets what comes from then on, and nothing before",
    "a subscriber from a position gets what comes after it",
    "pages tell how far they looked, over whatever the filter leaves out",
    "a read model is the same in whatever pages its events come",
    "a read model that crashes at any commit takes every event into account once",
    "a read model follows, and shows an event to whoever waits for it",
    "a read model that is run in two places goes on in one, and the other is fenced",
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    "a read model is not begun over truncated streams unless it is told to",
    "the entries of an index are those of its states, after every change and a rebuild",
    "a query that can't be asked is refused, and names what is wrong with it",
    "a query shows no state as it was, nor where it was, once that has changed",
    "a strong query finds what a query finds once the model is there, page by page",
    "a strong read shows everything up to the head, however far the model is kept, and writes nothing"
  ]),

  storeMutant("always now", "takes the clock's time for commits that say theirs", (store) => ({
    commit: (ops, options) => store.commit(ops, { id: options?.id })
  }), [
    "everything in a commit happened when it says, and else when the clock says",
    "one wrong operation among right ones forbids the whole commit",
    "every option of a commit makes a difference"
  ]),

  coreMutant("gives up at once", "sends no commit a second time", {
    makeStore: (backend, options) => core.makeStore(backend, { ...options, retries: 0 })
  }, [
    "a commit that left nothing behind is sent again",
    "a commit that can't be brought through fails as Unavailable, and nothing of it happens",
    "a commit whose reply was lost happens once",
    "every option of a store makes a difference"
  ]),

  beneathMutant("all is well", "tells of a commit that failed as if it had happened", (backend) => ({
    commit: (batch) =>
      Effect.catchTag(
        backend.commit(batch),
        "Unavailable",
        () =>
          Effect.map(backend.head, (position) =>
            NonEmpty.map(batch, ({ append }) => ({
              _tag: "Committed" as const,
              position,
              appended: append.map(({ stream }) => ({
                stream,
                first: Seq(1),
                last: Seq(1),
                firstPosition: position,
                lastPosition: position
              })),
              revisions: [],
              repeated: false
            })))
      )
  }), [
    "a commit that left nothing behind is sent again",
    "a commit that can't be brought through fails as Unavailable, and nothing of it happens",
    "every option of a store makes a difference"
  ]),

  coreMutant("never closes", "goes on working when it was closed", {
    makeStore: (backend, options) =>
      Effect.flatMap(Scope.make(), (scope) => Scope.provide(core.makeStore(backend, options), scope))
  }, [
    "a store that closes flushes what it was given, and refuses what comes after"
  ]),

  storeMutant("flushes in silence", "tells nobody that a commit leaves the queue", (store) => ({
    commit: (ops, options) => Effect.provideService(store.commit(ops, options), OnFlush, undefined)
  }), [
    "who listens for the flush hears of every commit that happens"
  ]),

  beneathMutant("judges the past", "judges every commit of a flush by what was there before the flush", (backend) => {
    let before: ReadonlyMap<string, number> = new Map()
    return {
      commit: (batch) =>
        Effect.suspend(() => {
          const seen = new Map(before)
          return Effect.tap(
            backend.commit(NonEmpty.map(batch, (commit) => ({
              ...commit,
              expect: commit.expect.filter((one) =>
                one._tag === "Key" || batch.length === 1 || seen.get(one.stream) !== one.expected
              )
            }))),
            (outcomes) =>
              Effect.sync(() => {
                const known = new Map(before)
                for (const outcome of outcomes) {
                  if (outcome._tag !== "Committed") continue
                  for (const { last, stream } of outcome.appended) known.set(stream, last)
                }
                before = known
              })
          )
        })
    }
  }, [
    "commands at once on one stream are each decided on the state that they change"
  ]),

  beneathMutant(
    "conflicts by half",
    "does the appends of a commit whose keys are not as expected",
    (backend) =>
      oneByOne((commit) =>
        Effect.flatMap(
          single(backend, commit),
          (outcome) =>
            outcome._tag === "Conflict" && outcome.expectation._tag === "Key" && commit.append.length > 0
              ? Effect.as(single(backend, { ...commit, expect: [], write: [], identity: undefined }), outcome)
              : Effect.succeed(outcome)
        )
      ),
    [
      "every option of a store makes a difference"
    ]
  )
]
