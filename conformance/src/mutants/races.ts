/** Mutants that are right as long as nobody else writes at the same time. */
import type { Expectation } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { actualOf, lastOf, oneByOne, single } from "../altered.ts"
import { placeMutant } from "../mutant.ts"

const isHeld = ({ expected }: Expectation, actual: number): boolean =>
  expected === "exists" ? actual !== 0 : actual === (expected === "absent" ? 0 : expected)

/** Broken where commits race. */
export const races = [
  placeMutant(
    "check, then act",
    "reads what is there, judges, and then writes without another look",
    () => (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const expectation of commit.expect) {
          const actual = yield* actualOf(backend, expectation)
          if (!isHeld(expectation, actual)) return { _tag: "Conflict", expectation, actual }
        }
        yield* Effect.yieldNow
        return yield* single(backend, commit.identity === undefined ? { ...commit, expect: [] } : commit)
      })),
    [
      "of commits racing with the same expectation exactly one wins",
      "the losers of a race leave no trace, and learn the seq that the winner took",
      "of writes racing at one revision of a key exactly one wins",
      "of writers racing to create a key exactly one wins",
      "no increment made by compare-and-set is lost",
      "a repeated commit gives its first result where its expectation no longer holds",
      "a commit that only checks is known by its id"
    ]
  ),

  placeMutant("one lock for all", "tells who finds the store busy that there was a conflict", () => {
    let busy = false
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const [expectation] = commit.expect
        if (busy && expectation !== undefined) return { _tag: "Conflict", expectation, actual: 0 }
        busy = true
        yield* Effect.yieldNow
        const outcome = yield* single(backend, commit)
        busy = false
        return outcome
      }))
  }, [
    "a store goes on after a batch that broke",
    "the losers of a race leave no trace, and learn the seq that the winner took",
    "writers to different streams never conflict"
  ]),

  placeMutant(
    "no expectation is one",
    "an append that expects nothing fails where somebody else was faster",
    () => (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const [append] = commit.append
        if (append === undefined || commit.expect.length > 0) return yield* single(backend, commit)
        const { stream } = append
        const expected = Seq(yield* lastOf(backend, stream))
        yield* Effect.yieldNow
        return yield* single(backend, { ...commit, expect: [{ _tag: "Stream", stream, expected }] })
      })),
    [
      "writers that expect nothing all succeed, and the events of each stay in its order",
      "the seqs of a stream that many write to have neither hole nor double",
      "once a reader was given a position, nothing at or below it appears later",
      "nothing appears later at or below a head that was read",
      "no position is given out twice, to events or to keys",
      "each stream's events appear in the total order by their seqs",
      "a stream's events have rising positions",
      "every handle reads the same total order",
      "events that were read are the same when they are read again"
    ]
  ),

  placeMutant("a stream is a document", "reads a stream, appends to what it read and writes it back", () => {
    const busy = new Set<string>()
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const [append] = commit.append
        if (append === undefined || commit.expect.length > 0 || commit.identity !== undefined) {
          return yield* single(backend, commit)
        }
        const { stream } = append
        const isFirst = !busy.has(stream)
        busy.add(stream)
        const last = yield* lastOf(backend, stream)
        yield* Effect.yieldNow
        if (isFirst) {
          busy.delete(stream)
          return yield* single(backend, commit)
        }
        // What this one wrote is written over by the other, but it was told otherwise.
        const position = Position((yield* backend.head) + 1)
        const seq = Seq(last + 1)
        return {
          _tag: "Committed",
          position,
          appended: [{ stream, first: seq, last: seq, firstPosition: position, lastPosition: position }],
          revisions: [],
          repeated: false
        }
      }))
  }, [
    "writers that expect nothing all succeed, and the events of each stay in its order",
    "the seqs of a stream that many write to have neither hole nor double",
    "once a reader was given a position, nothing at or below it appears later",
    "nothing appears later at or below a head that was read",
    "no position is given out twice, to events or to keys",
    "every handle reads the same total order"
  ]),

  placeMutant("remembered seqs", "a handle judges a stream by the last seq that it saw itself", () => (backend) => {
    const seen = new Map<string, number>()
    return {
      readStream: (range) =>
        Effect.tap(backend.readStream(range), (found) =>
          Effect.sync(() => {
            const last = found.at(-1)
            if (last) seen.set(last.stream, last.seq)
          })),
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        const expect = commit.expect.filter((expectation) =>
          expectation._tag === "Key" || seen.get(expectation.stream) !== expectation.expected
        )
        const outcome = yield* single(backend, { ...commit, expect })
        if (outcome._tag === "Committed") { for (const { last, stream } of outcome.appended) seen.set(stream, last) }
        return outcome
      }))
    }
  }, [
    "a handle is judged by what others committed, not by what it saw last"
  ])
]
