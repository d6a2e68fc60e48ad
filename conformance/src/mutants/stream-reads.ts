/** Mutants that read one stream wrongly. */
import type { BackendShape, StoredEvent, StreamRange } from "@persist/core"
import { Corrupt, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { lastOf } from "../altered.ts"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"

const missing = new Corrupt({ where: "readStream", reason: "there is no such stream", remedy: "create it" })

// A mutant that asks for another range than it was asked for.
const asks = (
  name: string,
  bug: string,
  otherwise: (range: StreamRange) => Partial<StreamRange>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(
    name,
    bug,
    (backend) => ({ readStream: (range) => backend.readStream({ ...range, ...otherwise(range) }) }),
    breaks
  )

const answers = (
  name: string,
  bug: string,
  alter: (found: ReadonlyArray<StoredEvent>, range: StreamRange, backend: BackendShape) => ReadonlyArray<StoredEvent>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({
    readStream: (range) => Effect.map(backend.readStream(range), (found) => alter(found, range, backend))
  }), breaks)

/** Broken in ranges, limits and directions. */
export const streamReads = [
  answers(
    "positions for seqs",
    "gives the place in the store as the place in the stream",
    (found) => found.map((event) => ({ ...event, seq: Seq(event.position) })),
    [
      "an append gives its events the next seqs of their stream, from 1",
      "the outcome of a commit tells the seqs and positions that its events were given",
      "a stream reads in the order of its seqs, without a hole",
      "an event in the total order is the event that its stream has",
      "a stream may have any name: separators, patterns, paths, control characters",
      "streams whose names look alike are different streams",
      "a stream's name may be as long as the limit, and is kept to the last byte"
    ]
  ),

  answers(
    "seqs as text",
    "gives the events of a stream in the order of their seqs as text",
    (found) => found.toSorted((a, b) => String(a.seq) < String(b.seq) ? -1 : 1),
    [
      "a commit of as many changes as the limit allows happens whole",
      "who sees a commit's key sees its events",
      "writers that expect nothing all succeed, and the events of each stay in its order",
      "the seqs of a stream that many write to have neither hole nor double",
      "a range in reverse gives its last events first",
      "a limit in reverse gives the last events of the range",
      "pages of a stream join to the whole, whatever their size",
      "a stream of thousands of events reads whole in one page",
      "a range that begins in what was truncated gives what is left of it",
      "an event may have any type, and types that look alike are different",
      "text is read as it was written, character for character",
      "text stays text and bytes stay bytes, though their content be the same",
      "each event of a commit keeps its own type, time and content"
    ]
  ),

  mutant("no such stream", "fails where a stream was never appended to", (backend) => ({
    readStream: (range) =>
      Effect.flatMap(
        lastOf(backend, range.stream),
        (last) => last === 0 ? Effect.fail(missing) : backend.readStream(range)
      )
  }), [
    "a new store has neither events nor keys",
    "two stores share neither events nor keys",
    "of a commit that conflicts nothing happens to any stream or key",
    "who sees a commit's key sees its events",
    "a batch that breaks on its way to the disk fails as a whole, and none of it happened",
    "after a conflict streams and keys are as they were",
    "of commits racing with the same expectation exactly one wins",
    "an id is one for the whole store: another stream doesn't free it",
    "a stream that was never appended to reads as empty",
    "neither expecting something of a stream nor failing to append to it makes it"
  ]),

  asks("the end is excluded", "leaves out the last seq of the range", ({ to }) => ({
    to: Seq(to === unbounded ? to : to - 1)
  }), [
    "a range of a stream includes its first and its last seq",
    "a range that ends before it starts is empty",
    "a range in reverse gives its last events first",
    "a limit in reverse gives the last events of the range",
    "an event in the total order is the event that its stream has",
    "a range that begins in what was truncated gives what is left of it",
    "a range that lies in what was truncated is empty"
  ]),

  asks("the start is excluded", "leaves out the first seq of the range, unless it is the stream's", ({ from }) => ({
    from: Seq(from === 1 ? from : from + 1)
  }), [
    "a range of a stream includes its first and its last seq",
    "a range beyond the end of a stream is empty",
    "a limit gives the first events of the range",
    "a range in reverse gives its last events first",
    "a limit in reverse gives the last events of the range",
    "pages of a stream join to the whole, whatever their size",
    "an event in the total order is the event that its stream has",
    "a range that begins in what was truncated gives what is left of it",
    "a range that lies in what was truncated is empty"
  ]),

  asks("turns ranges around", "takes a range that ends before it starts for one in reverse", ({ from, to }) => ({
    from: Seq(Math.min(from, to)),
    to: Seq(Math.max(from, to))
  }), [
    "a range that ends before it starts is empty"
  ]),

  mutant("starts at the last event", "reads from the last event where the range begins beyond it", (backend) => ({
    readStream: (range) =>
      Effect.flatMap(
        lastOf(backend, range.stream),
        (last) => backend.readStream(range.from > last ? { ...range, from: Seq(last) } : range)
      )
  }), [
    "a range beyond the end of a stream is empty",
    "pages of a stream join to the whole, whatever their size"
  ]),

  asks("one more than the limit", "gives one event more than the limit", ({ limit }) => ({ limit: limit + 1 }), [
    "a limit gives the first events of the range",
    "a limit in reverse gives the last events of the range",
    "pages of a stream join to the whole, whatever their size",
    "a range that begins in what was truncated gives what is left of it"
  ]),

  asks("no limit", "takes no notice of the limit", () => ({ limit: unbounded }), [
    "a limit gives the first events of the range",
    "a limit in reverse gives the last events of the range",
    "pages of a stream join to the whole, whatever their size",
    "a range that begins in what was truncated gives what is left of it"
  ]),

  asks("never in reverse", "takes no notice of the direction", () => ({ reverse: false }), [
    "a range in reverse gives its last events first",
    "a limit in reverse gives the last events of the range",
    "a range that begins in what was truncated gives what is left of it"
  ]),

  mutant("limits, then reverses", "takes the first events of the range and then turns them around", (backend) => ({
    readStream: (range) =>
      Effect.map(
        backend.readStream({ ...range, reverse: false }),
        (found) => range.reverse ? found.toReversed() : found
      )
  }), [
    "a limit in reverse gives the last events of the range"
  ]),

  asks("pages of ten", "gives no more than ten events in a page", ({ limit }) => ({ limit: Math.min(limit, 10) }), [
    "a commit of as many changes as the limit allows happens whole",
    "who sees a commit's key sees its events",
    "a batch of hundreds of commits happens whole",
    "writers that expect nothing all succeed, and the events of each stay in its order",
    "the seqs of a stream that many write to have neither hole nor double",
    "pages of a stream join to the whole, whatever their size",
    "a stream of thousands of events reads whole in one page",
    "an event may have any type, and types that look alike are different",
    "text is read as it was written, character for character",
    "each event of a commit keeps its own type, time and content",
    "changes tells a slow listener of the last of many commits"
  ]),

  asks("pages of a thousand", "gives no more than a thousand events in a page", ({ limit }) => ({
    limit: Math.min(limit, 1000)
  }), [
    "a stream of thousands of events reads whole in one page"
  ]),

  placeMutant("live pages", "gives the list that it goes on appending to", () => {
    const pages = new Map<string, Array<StoredEvent>>()
    return (backend) => ({
      readStream: (range) =>
        Effect.map(backend.readStream(range), (found) => {
          const page = pages.get(JSON.stringify(range)) ?? []
          pages.set(JSON.stringify(range), page)
          page.splice(0, page.length, ...found)
          return page
        })
    })
  }, [
    "what a read gave stays as it was when more is appended"
  ]),

  placeMutant("one read behind", "answers the first read after a commit as it would have before", () => {
    const known = new Map<string, ReadonlyArray<StoredEvent>>()
    const isStale = new Set<string>()
    return (backend) => ({
      commit: (batch) =>
        Effect.tap(backend.commit(batch), () =>
          Effect.sync(() => {
            for (const range of known.keys()) isStale.add(range)
          })),
      readStream: (range) => {
        const key = JSON.stringify(range)
        const before = known.get(key)
        if (isStale.delete(key) && before !== undefined) return Effect.succeed(before)
        return Effect.tap(backend.readStream(range), (found) => Effect.sync(() => known.set(key, found)))
      }
    })
  }, [
    "a new store has neither events nor keys",
    "two stores share neither events nor keys",
    "an event that one handle was told is committed is read by every other",
    "who sees a commit's key sees its events",
    "of commits racing with the same expectation exactly one wins",
    "a handle is judged by what others committed, not by what it saw last",
    "what a read gave stays as it was when more is appended",
    "a writer reads its own commit at once",
    "after everything was truncated the next append goes on where the stream ended",
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of what another handle committed"
  ])
]
