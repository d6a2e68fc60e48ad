/** Mutants that truncate too much, too little, or forget where a stream ended. */
import type { BackendShape, Commit, StoredEvent } from "@persist/core"
import { Position, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { commits, committed, lastOf, oneByOne, single, wholeOf } from "../altered.ts"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"

// A mutant that truncates elsewhere than it was asked to.
const truncates = (
  name: string,
  bug: string,
  otherwise: (before: number) => number,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) =>
    commits(backend, (commit) => ({
      ...commit,
      truncate: commit.truncate.map(({ before, stream }) => ({ stream, before: Seq(otherwise(before)) }))
    })), breaks)

const firstOf = (backend: BackendShape, stream: string) =>
  Effect.map(wholeOf(backend, stream), ([event]) => event?.seq ?? 0)
const onlyTruncates = ({ append, truncate, write }: Commit) => truncate.length > append.length + write.length

/** Broken in truncation. */
export const truncation = [
  truncates("one too many", "removes the event at the seq as well", (before) => before + 1, [
    "truncating removes the events below a seq and no others",
    "truncating one stream leaves all others as they were",
    "truncating what is truncated already changes nothing",
    "truncated events are gone from the total order",
    "the list of streams tells the first seq that is left, or one above the last",
    "a list of the streams that were truncated lacks none of them",
    "a range that begins in what was truncated gives what is left of it",
    "a range that lies in what was truncated is empty",
    "a commit may append to a stream and truncate it below what it appends",
    "one commit may truncate several streams",
    "truncated events are still gone after reopening, and the last seq still counts"
  ]),

  truncates("one too few", "keeps the event below the seq", (before) => Math.max(1, before - 1), [
    "truncating removes the events below a seq and no others",
    "truncating one stream leaves all others as they were",
    "after everything was truncated the next append goes on where the stream ended",
    "truncating what is truncated already changes nothing",
    "truncated events are gone from the total order",
    "the list of streams tells the first seq that is left, or one above the last",
    "a list of the streams that were truncated lacks none of them",
    "a truncated stream is expected by its last seq, as ever",
    "a range that begins in what was truncated gives what is left of it",
    "a range that lies in what was truncated is empty",
    "a commit may append to a stream and truncate it below what it appends",
    "one commit may truncate several streams",
    "truncated events are still gone after reopening, and the last seq still counts",
    "changes tells of a commit that only truncates"
  ]),

  mutant(
    "truncates by prefix",
    "truncates every stream whose name starts the same",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        if (outcome._tag !== "Committed" || !onlyTruncates(commit)) return outcome
        for (const { before, stream: prefix } of commit.truncate) {
          for (const { stream } of yield* backend.streams({ prefix, after: undefined, limit: 100 })) {
            yield* single(backend, { ...commit, expect: [], truncate: [{ stream, before }] })
          }
        }
        return outcome
      })),
    [
      "truncating one stream leaves all others as they were",
      "truncating takes a position"
    ]
  ),

  placeMutant("starts over when empty", "counts a stream's seqs anew once all of it was truncated", () => {
    const starts = new Map<string, number>()
    const startOf = (stream: string) => starts.get(stream) ?? 0
    const shown = (event: StoredEvent): StoredEvent => ({ ...event, seq: Seq(event.seq - startOf(event.stream)) })
    return (backend) => ({
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        for (const { stream } of commit.truncate) {
          const left = yield* wholeOf(backend, stream)
          if (left.length === 0) starts.set(stream, yield* lastOf(backend, stream))
        }
        return outcome._tag !== "Committed" ? outcome : {
          ...outcome,
          appended: outcome.appended.map((told) => ({
            ...told,
            first: Seq(told.first - startOf(told.stream)),
            last: Seq(told.last - startOf(told.stream))
          }))
        }
      })),
      readStream: (range) =>
        Effect.map(
          backend.readStream({
            ...range,
            from: Seq(range.from + startOf(range.stream)),
            to: Seq(range.to === unbounded ? range.to : range.to + startOf(range.stream))
          }),
          (found) => found.map(shown)
        )
    })
  }, [
    "an id is known after its events were truncated",
    "after everything was truncated the next append goes on where the stream ended",
    "truncating above a stream's end removes what is there, and nothing that comes",
    "truncated events are still gone after reopening, and the last seq still counts"
  ]),

  placeMutant("truncates the future", "removes events below the seq whenever they come", () => {
    const bounds = new Map<string, number>()
    return (backend) => ({
      ...committed(backend, (outcome, { truncate }) => {
        for (const { before, stream } of truncate) bounds.set(stream, before)
        return outcome
      }),
      readStream: (range) =>
        Effect.map(
          backend.readStream(range),
          (found) => found.filter(({ seq, stream }) => seq >= (bounds.get(stream) ?? 0))
        )
    })
  }, [
    "truncating above a stream's end removes what is there, and nothing that comes"
  ]),

  mutant(
    "truncates again and again",
    "removes one more event where there is nothing to truncate",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const [op] = commit.truncate
        if (op === undefined || commit.truncate.length > 1) return yield* single(backend, commit)
        const first = yield* firstOf(backend, op.stream)
        const before = Seq(first > 0 && op.before <= first ? first + 1 : op.before)
        return yield* single(backend, { ...commit, truncate: [{ ...op, before }] })
      })),
    [
      "truncating what is truncated already changes nothing"
    ]
  ),

  placeMutant("streams made by truncating", "takes a stream that was truncated for one that was appended to", () => {
    const truncated = new Set<string>()
    return (backend) =>
      commits(backend, (commit) => {
        for (const { stream } of commit.truncate) truncated.add(stream)
        const expect = commit.expect.filter((each) =>
          each._tag === "Key" || each.expected !== "exists" || !truncated.has(each.stream)
        )
        return { ...commit, expect }
      })
  }, [
    "truncating a stream that was never appended to makes none"
  ]),

  mutant(
    "truncating is free",
    "gives a truncation no position of its own",
    (backend) =>
      committed(backend, (outcome, commit) =>
        onlyTruncates(commit)
          ? { ...outcome, position: Position(outcome.position - commit.truncate.length) }
          : outcome),
    [
      "truncating takes a position",
      "one commit may truncate several streams"
    ]
  ),

  placeMutant("truncated, yet in order", "leaves truncated events in the total order", () => {
    const removed: Array<StoredEvent> = []
    return (backend) => ({
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        for (const { before, stream } of commit.truncate) {
          removed.push(...(yield* wholeOf(backend, stream)).filter(({ seq }) => seq < before))
        }
        return yield* single(backend, commit)
      })),
      readAll: (range) =>
        Effect.map(backend.readAll(range), ({ items, through }) => ({
          items: [
            ...items,
            ...removed.filter(({ position }) => position > range.after && position <= through)
          ].sort((a, b) => a.position - b.position),
          through
        }))
    })
  }, [
    "the total order in reverse starts with its last event",
    "a limit in reverse gives the last events that a filter lets through",
    "truncated events are gone from the total order"
  ]),

  mutant(
    "judged by what is left",
    "judges a stream by the events that are left of it",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const expectation of commit.expect) {
          if (expectation._tag === "Key") continue
          const actual = (yield* wholeOf(backend, expectation.stream)).at(-1)?.seq ?? 0
          if (actual === 0 && (yield* lastOf(backend, expectation.stream)) > 0 && expectation.expected !== 0) {
            return { _tag: "Conflict", expectation, actual }
          }
        }
        return yield* single(backend, commit)
      })),
    [
      "a truncated stream is expected by its last seq, as ever"
    ]
  ),

  placeMutant("positions of what is left", "gives the positions of truncated events out again", () => {
    let free = 0
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const { before, stream } of commit.truncate) {
          free += (yield* wholeOf(backend, stream)).filter(({ seq }) => seq < before).length + 1
        }
        const outcome = yield* single(backend, commit)
        return outcome._tag !== "Committed" || outcome.appended.length === 0 || commit.truncate.length > 0
          ? outcome
          : { ...outcome, position: Position(outcome.position - free) }
      }))
  }, [
    "an id is known after its events were truncated",
    "the positions of truncated events are not given out again",
    "a position is not given out again after reopening, though all at it was removed"
  ]),

  mutant("nothing from what is gone", "gives nothing where the range begins in what was truncated", (backend) => ({
    readStream: (range) =>
      Effect.flatMap(
        firstOf(backend, range.stream),
        (first) => range.from > 1 && range.from < first ? Effect.succeed([]) : backend.readStream(range)
      )
  }), [
    "a range that begins in what was truncated gives what is left of it"
  ]),

  mutant(
    "the nearest to what is gone",
    "gives the first event that is left where the range lies below it",
    (backend) => ({
      readStream: (range) =>
        Effect.flatMap(
          firstOf(backend, range.stream),
          (first) =>
            backend.readStream(range.to < first && range.from <= range.to ? { ...range, to: Seq(first) } : range)
        )
    }),
    [
      "a range that lies in what was truncated is empty"
    ]
  ),

  mutant(
    "truncates, then appends",
    "truncates a stream before it appends to it",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const { append, truncate } = commit
        if (append.length === 0 || truncate.length === 0) return yield* single(backend, commit)
        const bounded = yield* Effect.forEach(
          truncate,
          ({ before, stream }) =>
            Effect.map(lastOf(backend, stream), (last) => ({ stream, before: Seq(Math.min(before, last + 1)) }))
        )
        return yield* single(backend, { ...commit, truncate: bounded })
      })),
    [
      "a commit may append to a stream and truncate it below what it appends"
    ]
  ),

  mutant(
    "one truncation",
    "does only the first truncation of a commit",
    (backend) => commits(backend, (commit) => ({ ...commit, truncate: commit.truncate.slice(0, 1) })),
    [
      "one commit may truncate several streams"
    ]
  )
]
