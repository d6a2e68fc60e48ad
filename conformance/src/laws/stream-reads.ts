/** Laws of reading one stream. */
import type { BackendShape, StoredEvent, StreamRange } from "@persist/core"
import { Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds, present } from "../assertion.ts"
import { append, appendEach, commitOne, dataOf, readWhole } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("reading a stream")

interface Range {
  readonly from?: number
  readonly to?: number
  readonly limit?: number
  readonly reverse?: boolean
}

const read = (backend: BackendShape, { from = 1, limit = 1000, reverse = false, to = unbounded }: Range) => {
  const range: StreamRange = { stream: "s", from: Seq(from), to: Seq(to), limit, reverse }
  return Effect.map(backend.readStream(range), (events) => events.map(({ data }) => data))
}

const five = (backend: BackendShape) => appendEach(backend, "s", ["1", "2", "3", "4", "5"])

/** Laws of ranges, limits and directions within a stream. */
export const streamReads = [
  law("a stream reads in the order of its seqs, without a hole", [], function*(backend) {
    yield* Effect.forEach(
      ["1", "2", "3", "4"],
      (data) => Effect.andThen(appendEach(backend, "s", [data]), appendEach(backend, "between", [data]))
    )
    yield* every("seq one above the one before", yield* readWhole(backend, "s"), ({ seq }, n) => seq === n + 1)
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2", "3", "4"])
  }),

  law("a stream that was never appended to reads as empty", [], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* equal("events", yield* readWhole(backend, "never"), [])
    yield* equal("data of one that was", yield* dataOf(backend, "s"), ["1"])
  }),

  law("a range of a stream includes its first and its last seq", [], function*(backend) {
    yield* five(backend)
    yield* equal("from 2 to 4", yield* read(backend, { from: 2, to: 4 }), ["2", "3", "4"])
    yield* equal("from 3 to 3", yield* read(backend, { from: 3, to: 3 }), ["3"])
    yield* equal("from 1 to 5", yield* read(backend, { from: 1, to: 5 }), ["1", "2", "3", "4", "5"])
  }),

  law("a range that ends before it starts is empty", [], function*(backend) {
    yield* five(backend)
    yield* equal("from 4 to 3", yield* read(backend, { from: 4, to: 3 }), [])
    yield* equal("from 4 to 3, last first", yield* read(backend, { from: 4, to: 3, reverse: true }), [])
    yield* equal("from 1 to 0", yield* read(backend, { from: 1, to: 0 }), [])
    yield* equal("from 1 to 1", yield* read(backend, { from: 1, to: 1 }), ["1"])
  }),

  law("a range beyond the end of a stream is empty", [], function*(backend) {
    yield* five(backend)
    yield* equal("from 5", yield* read(backend, { from: 5 }), ["5"])
    yield* equal("from 6", yield* read(backend, { from: 6 }), [])
    yield* equal("from 6 to 9, last first", yield* read(backend, { from: 6, to: 9, reverse: true }), [])
  }),

  law("a limit gives the first events of the range", [], function*(backend) {
    yield* five(backend)
    yield* equal("one from 1", yield* read(backend, { limit: 1 }), ["1"])
    yield* equal("two from 2", yield* read(backend, { from: 2, limit: 2 }), ["2", "3"])
    yield* equal("five", yield* read(backend, { limit: 5 }), ["1", "2", "3", "4", "5"])
    yield* equal("more than there are", yield* read(backend, { from: 4, limit: 9 }), ["4", "5"])
  }),

  law("a range in reverse gives its last events first", [], function*(backend) {
    yield* five(backend)
    yield* equal("whole", yield* read(backend, { reverse: true }), ["5", "4", "3", "2", "1"])
    yield* equal("from 2 to 4", yield* read(backend, { from: 2, to: 4, reverse: true }), ["4", "3", "2"])
  }),

  law("a limit in reverse gives the last events of the range", [], function*(backend) {
    yield* five(backend)
    yield* equal("two", yield* read(backend, { limit: 2, reverse: true }), ["5", "4"])
    yield* equal("two to 4", yield* read(backend, { to: 4, limit: 2, reverse: true }), ["4", "3"])
    yield* equal("two from 4", yield* read(backend, { from: 4, limit: 3, reverse: true }), ["5", "4"])
  }),

  law("pages of a stream join to the whole, whatever their size", [], function*(backend) {
    const data = Array.from({ length: 25 }, (_, n) => `${n}`)
    yield* appendEach(backend, "s", data)
    for (const limit of [1, 2, 5, 24, 25, 26]) {
      const pages: Array<StoredEvent> = []
      for (let full = true; full;) {
        const from = Seq((pages.at(-1)?.seq ?? 0) + 1)
        const page = yield* backend.readStream({ stream: "s", from, to: Seq(unbounded), limit, reverse: false })
        yield* holds(page.length <= limit, `a page of ${limit} has ${page.length} events`)
        pages.push(...page)
        full = page.length === limit && pages.length <= data.length
      }
      yield* equal(`pages of ${limit}`, pages.map((event) => event.data), data)
    }
  }),

  law("what a read gave stays as it was when more is appended", [], function*(backend) {
    yield* five(backend)
    const events = yield* readWhole(backend, "s")
    yield* appendEach(backend, "s", ["6"])
    yield* equal("number of events now", (yield* readWhole(backend, "s")).length, 6)
    yield* equal("data read before", events.map(({ data }) => data), ["1", "2", "3", "4", "5"])
  }),

  law("a writer reads its own commit at once", [], function*(backend) {
    for (const data of ["1", "2", "3"]) {
      const { appended } = yield* commitOne(backend, { append: [append("s", data)] })
      const last = yield* present("last event", (yield* readWhole(backend, "s")).at(-1))
      yield* equal("last event", [last.seq, last.data], [appended[0]?.last, data])
    }
  }),

  law("a stream of thousands of events reads whole in one page", [], function*(backend) {
    const size = Math.min(3000, backend.about.limits.commitEvents)
    const data = Array.from({ length: size }, (_, n) => `${n}`)
    const { lacks } = backend.about
    if (lacks.has("atomic")) yield* appendEach(backend, "s", data)
    else yield* commitOne(backend, { append: [append("s", "0", ...data.slice(1))] })
    yield* equal("data", yield* dataOf(backend, "s"), data)
  })
]
