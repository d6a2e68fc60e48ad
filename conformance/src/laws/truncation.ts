/** Laws of truncating a stream: what goes, and what never goes back. */
import type { BackendShape, StreamInfo } from "@persist/core"
import { Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds } from "../assertion.ts"
import {
  append,
  appendEach,
  commitOne,
  conflicted,
  dataOf,
  expectStream,
  readAllOf,
  readWhole,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("truncation")

const truncate = (backend: BackendShape, stream: string, before: number) =>
  commitOne(backend, { truncate: [{ stream, before: Seq(before) }] })

const five = (backend: BackendShape) => appendEach(backend, "s", ["1", "2", "3", "4", "5"])

const read = (backend: BackendShape, from: number, to: number, limit = 100, reverse = false) =>
  Effect.map(
    backend.readStream({ stream: "s", from: Seq(from), to: Seq(to), limit, reverse }),
    (events) => events.map(({ data }) => data)
  )

/** Laws of truncation. */
export const truncation = [
  law("truncating removes the events below a seq and no others", ["truncate"], function*(backend) {
    yield* five(backend)
    yield* truncate(backend, "s", 3)
    yield* equal("data left", yield* dataOf(backend, "s"), ["3", "4", "5"])
    yield* equal("seqs left", (yield* readWhole(backend, "s")).map(({ seq }) => seq), [Seq(3), Seq(4), Seq(5)])
  }),

  law("truncating one stream leaves all others as they were", ["truncate"], function*(backend) {
    const others = ["s2", "S", "s ", "another"]
    yield* five(backend)
    for (const other of others) yield* appendEach(backend, other, ["1", "2"])
    yield* truncate(backend, "s", 5)
    for (const other of others) yield* equal(`data of ${other}`, yield* dataOf(backend, other), ["1", "2"])
    yield* equal("data left", yield* dataOf(backend, "s"), ["5"])
  }),

  law(
    "after everything was truncated the next append goes on where the stream ended",
    ["truncate"],
    function*(backend) {
      yield* five(backend)
      yield* truncate(backend, "s", 6)
      yield* equal("data left", yield* dataOf(backend, "s"), [])
      const [committed] = yield* appendEach(backend, "s", ["6"])
      yield* equal("seq told", committed?.appended[0]?.first, Seq(6))
      yield* equal("data", yield* dataOf(backend, "s"), ["6"])
    }
  ),

  law(
    "truncating above a stream's end removes what is there, and nothing that comes",
    ["truncate"],
    function*(backend) {
      yield* five(backend)
      yield* truncate(backend, "s", 100)
      const [committed] = yield* appendEach(backend, "s", ["6"])
      yield* equal("seq told", committed?.appended[0]?.first, Seq(6))
      yield* equal("data", yield* dataOf(backend, "s"), ["6"])
    }
  ),

  law("truncating what is truncated already changes nothing", ["truncate"], function*(backend) {
    yield* five(backend)
    yield* truncate(backend, "s", 4)
    yield* truncate(backend, "s", 4)
    yield* truncate(backend, "s", 2)
    yield* equal("data left", yield* dataOf(backend, "s"), ["4", "5"])
  }),

  law("truncating a stream that was never appended to makes none", ["truncate"], function*(backend) {
    yield* truncate(backend, "never", 3)
    const wrong = { expect: [expectStream("never", "exists")], append: [append("never", "x")] }
    yield* conflicted(yield* tryCommit(backend, wrong))
    const { appended } = yield* commitOne(backend, {
      expect: [expectStream("never", 0)],
      append: [append("never", "1")]
    })
    yield* equal("seq of its first event", appended[0]?.first, Seq(1))
  }),

  law("truncating takes a position", ["truncate"], function*(backend) {
    yield* five(backend)
    const head = yield* backend.head
    const { position } = yield* truncate(backend, "s", 3)
    yield* holds(position > head, `its position is ${position}, not above the head of ${head}`)
    yield* equal("head", yield* backend.head, position)
  }),

  law("truncated events are gone from the total order", ["truncate", "readAll"], function*(backend) {
    yield* five(backend)
    yield* appendEach(backend, "t", ["a", "b"])
    yield* truncate(backend, "s", 5)
    yield* equal("data", (yield* readAllOf(backend)).map(({ data }) => data), ["5", "a", "b"])
    yield* equal("data in pages", (yield* readAllOf(backend, { limit: 1 })).map(({ data }) => data), ["5", "a", "b"])
  }),

  law("the list of streams tells the first seq that is left, or one above the last", ["truncate", "streams"], function*(
    backend
  ) {
    yield* five(backend)
    yield* appendEach(backend, "t", ["1", "2"])
    yield* truncate(backend, "s", 4)
    yield* truncate(backend, "t", 9)
    yield* equal("streams", yield* backend.streams({ prefix: "", after: undefined, limit: 10 }), [
      { stream: "s", first: Seq(4), last: Seq(5) },
      { stream: "t", first: Seq(3), last: Seq(2) }
    ])
  }),

  law("a list of the streams that were truncated lacks none of them", ["truncate", "streams"], function*(backend) {
    for (const stream of ["a", "b", "ca", "cb", "cc", "d"]) yield* appendEach(backend, stream, ["1", "2"])
    for (const [stream, before] of [["b", 2], ["ca", 9], ["cc", 2]] as const) yield* truncate(backend, stream, before)
    const shortened = Effect.fnUntraced(function*(prefix: string, limit: number) {
      const found: Array<StreamInfo> = []
      for (let pages = 0, ended = false; pages < 10 && !ended; pages++) {
        const page = yield* backend.streams({ prefix, after: found.at(-1)?.stream, limit, shortened: true })
        found.push(...page)
        ended = page.length < limit
      }
      // Others may be among them.
      return found.filter(({ first }) => first > 1)
    })
    const b = { stream: "b", first: Seq(2), last: Seq(2) }
    const ca = { stream: "ca", first: Seq(3), last: Seq(2) }
    const cc = { stream: "cc", first: Seq(2), last: Seq(2) }
    yield* equal("all of them", yield* shortened("", 10), [b, ca, cc])
    yield* equal("one by one", yield* shortened("", 1), [b, ca, cc])
    yield* equal("of a prefix, in twos", yield* shortened("c", 2), [ca, cc])
  }),

  law("a truncated stream is expected by its last seq, as ever", ["truncate"], function*(backend) {
    yield* five(backend)
    yield* truncate(backend, "s", 6)
    const { actual } = yield* conflicted(
      yield* tryCommit(backend, { expect: [expectStream("s", 0)], append: [append("s", "x")] })
    )
    yield* equal("actual seq", actual, 5)
    yield* commitOne(backend, { expect: [expectStream("s", 5)], append: [append("s", "6")] })
    yield* equal("data", yield* dataOf(backend, "s"), ["6"])
  }),

  law("the positions of truncated events are not given out again", ["truncate"], function*(backend) {
    const before = (yield* five(backend)).map(({ position }) => position)
    yield* truncate(backend, "s", 6)
    const after = (yield* appendEach(backend, "s", ["6", "7"])).map(({ position }) => position)
    yield* every("positions after", after, (position) => before.every((old) => position > old))
  }),

  law("a range that begins in what was truncated gives what is left of it", ["truncate"], function*(backend) {
    yield* five(backend)
    yield* truncate(backend, "s", 3)
    yield* equal("from 1", yield* read(backend, 1, unbounded), ["3", "4", "5"])
    yield* equal("from 2 to 4", yield* read(backend, 2, 4), ["3", "4"])
    yield* equal("from 1 to 3", yield* read(backend, 1, 3), ["3"])
    yield* equal("from 4", yield* read(backend, 4, unbounded), ["4", "5"])
    yield* equal("from 1, two", yield* read(backend, 1, unbounded, 2), ["3", "4"])
    yield* equal("from 1 to 4, last first", yield* read(backend, 1, 4, 100, true), ["4", "3"])
  }),

  law("a range that lies in what was truncated is empty", ["truncate"], function*(backend) {
    yield* five(backend)
    yield* truncate(backend, "s", 4)
    yield* equal("from 1 to 3", yield* read(backend, 1, 3), [])
    yield* equal("from 1 to 2, last first", yield* read(backend, 1, 2, 100, true), [])
    yield* equal("from 2 to 2, one", yield* read(backend, 2, 2, 1), [])
    yield* equal("from 4 to 4", yield* read(backend, 4, 4), ["4"])
  }),

  law(
    "a commit may append to a stream and truncate it below what it appends",
    ["truncate", "atomic"],
    function*(backend) {
      yield* five(backend)
      const { appended } = yield* commitOne(backend, {
        append: [append("s", "6", "7")],
        truncate: [{ stream: "s", before: Seq(7) }]
      })
      yield* equal("seqs told", [appended[0]?.first, appended[0]?.last], [Seq(6), Seq(7)])
      yield* equal("data", yield* dataOf(backend, "s"), ["7"])
    }
  ),

  law("one commit may truncate several streams", ["truncate", "atomic"], function*(backend) {
    yield* five(backend)
    yield* appendEach(backend, "t", ["1", "2", "3"])
    const before = yield* backend.head
    const { position } = yield* commitOne(backend, {
      truncate: [{ stream: "s", before: Seq(5) }, { stream: "t", before: Seq(2) }]
    })
    yield* equal("data", [yield* dataOf(backend, "s"), yield* dataOf(backend, "t")], [["5"], ["2", "3"]])
    yield* holds(position > before, "it took no position")
  })
]
