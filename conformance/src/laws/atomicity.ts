/** Laws of atomicity: a commit happens entirely or not at all, for every reader, at once. */
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds } from "../assertion.ts"
import {
  append,
  appendEach,
  commit,
  commitOne,
  conflicted,
  dataOf,
  event,
  expectStream,
  getOne,
  lastSeq,
  put,
  putEach,
  readAllOf,
  readWhole,
  times,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("atomicity")

/** Laws of what one commit does. */
export const atomicity = [
  law("an append gives its events the next seqs of their stream, from 1", [], function*(backend) {
    const committed = yield* appendEach(backend, "s", ["1", "2", "3"])
    yield* appendEach(backend, "another", ["1"])
    const told = committed.map(({ appended }) => appended.map(({ first, last }) => [first, last]))
    yield* equal("seqs told for three appends", told, [[[Seq(1), Seq(1)]], [[Seq(2), Seq(2)]], [[Seq(3), Seq(3)]]])
    yield* equal("seqs read", (yield* readWhole(backend, "s")).map(({ seq }) => seq), [Seq(1), Seq(2), Seq(3)])
    yield* equal("seqs of another stream", (yield* readWhole(backend, "another")).map(({ seq }) => seq), [Seq(1)])
  }),

  law("events of one append keep the order they were given in", ["atomic"], function*(backend) {
    yield* commitOne(backend, { append: [append("s", "3", "1", "2")] })
    yield* equal("data in the order of the stream", yield* dataOf(backend, "s"), ["3", "1", "2"])
  }),

  law(
    "the outcome of a commit tells the seqs and positions that its events were given",
    ["atomic"],
    function*(backend) {
      yield* appendEach(backend, "b", ["0"])
      const { appended } = yield* commitOne(backend, { append: [append("a", "1", "2"), append("b", "3", "4", "5")] })
      yield* equal("streams told", appended.map(({ stream }) => stream), ["a", "b"])
      for (const { first, firstPosition, last, lastPosition, stream } of appended) {
        const events = (yield* readWhole(backend, stream)).filter(({ seq }) => seq >= first)
        yield* equal(
          `first and last event of ${stream}`,
          [events[0], events.at(-1)].map((e) => [e?.seq, e?.position]),
          [
            [first, firstPosition],
            [last, lastPosition]
          ]
        )
      }
    }
  ),

  law("the outcome of a commit carries its own last position, not the head", [], function*(backend) {
    const [first, second] = yield* backend.commit([
      commit({ append: [append("s", "1")] }),
      commit({ append: [append("s", "2")] })
    ])
    const positions = (yield* readWhole(backend, "s")).map(({ position }) => position)
    yield* equal(
      "positions told",
      [first, second].map((each) => each?._tag === "Committed" && each.position),
      positions
    )
  }),

  law("a commit to several streams reaches all of them", ["atomic"], function*(backend) {
    yield* commitOne(backend, { append: [append("a", "1"), append("b", "2"), append("c", "3")] })
    const data = yield* Effect.forEach(["a", "b", "c"], (stream) => dataOf(backend, stream))
    yield* equal("data of three streams", data, [["1"], ["2"], ["3"]])
  }),

  law("a commit of events and keys happens for both", ["atomic"], function*(backend) {
    const { position, revisions } = yield* commitOne(backend, { append: [append("s", "1")], write: [put("k", "2")] })
    const entry = yield* getOne(backend, "k")
    yield* equal("events", yield* dataOf(backend, "s"), ["1"])
    yield* equal("value", entry?.value, "2")
    yield* equal("revision", [entry?.revision, position], [...revisions, ...revisions])
  }),

  law("of a commit that conflicts nothing happens to any stream or key", ["atomic"], function*(backend) {
    yield* appendEach(backend, "old", ["1"])
    yield* putEach(backend, { old: "1" })
    const head = yield* backend.head
    yield* conflicted(
      yield* tryCommit(backend, {
        expect: [expectStream("old", 1), expectStream("new", 1)],
        append: [append("old", "2"), append("new", "2")],
        write: [put("old", "2"), put("new", "2")]
      })
    )
    yield* equal("streams", [yield* dataOf(backend, "old"), yield* dataOf(backend, "new")], [["1"], []])
    yield* equal("keys", [(yield* getOne(backend, "old"))?.value, yield* getOne(backend, "new")], ["1", undefined])
    yield* equal("head", yield* backend.head, head)
  }),

  law("of a commit that conflicts nothing is truncated", ["atomic", "truncate"], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2"])
    yield* conflicted(
      yield* tryCommit(backend, { expect: [expectStream("s", 1)], truncate: [{ stream: "s", before: Seq(2) }] })
    )
    yield* equal("events left", yield* dataOf(backend, "s"), ["1", "2"])
  }),

  law("a commit's events are contiguous in the total order", ["atomic", "readAll"], function*(backend) {
    yield* Effect.forEach(
      ["x", "y"],
      (mark) => commitOne(backend, { append: [append("a", mark, mark), append("b", mark)], write: [put(mark, mark)] })
    )
    const marks = (yield* readAllOf(backend)).map(({ data }) => data)
    yield* equal("marks in the total order", marks, ["x", "x", "x", "y", "y", "y"])
  }),

  law("a commit's streams take their places in the order it names them", ["atomic", "readAll"], function*(backend) {
    yield* commitOne(backend, { append: [append("b", "1", "2"), append("c", "3"), append("a", "4")] })
    yield* equal("data in the total order", (yield* readAllOf(backend)).map(({ data }) => data), ["1", "2", "3", "4"])
  }),

  law("a commit of as many changes as the limit allows happens whole", ["atomic"], function*(backend) {
    const count = backend.about.limits.commitEvents
    const half = Math.floor(count / 2)
    const { appended, revisions } = yield* commitOne(backend, {
      append: [{ stream: "s", events: times(count - half, (n) => event(`${n}`)) }],
      write: Array.from({ length: half }, (_, n) => put(`${n}`, `${n}`))
    })
    yield* equal("counts told", [appended[0]?.last, revisions.length], [Seq(count - half), half])
    yield* every("events", yield* readWhole(backend, "s"), ({ data }, n) => data === `${n}`)
    yield* equal("last seq", yield* lastSeq(backend, "s"), count - half)
    const keys = Array.from({ length: half }, (_, n) => ({ namespace: "n", key: `${n}` }))
    yield* every("keys", yield* backend.get(keys), (entry, n) => entry?.value === `${n}`)
  }),

  law("a commit that only checks changes nothing and answers with the head", ["atomic"], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* putEach(backend, { k: "1" })
    const head = yield* backend.head
    const committed = yield* commitOne(backend, { expect: [expectStream("s", 1), expectStream("t", 0)] })
    yield* equal("its outcome", [committed.position, committed.appended, committed.revisions], [head, [], []])
    yield* equal("head after it", yield* backend.head, head)
  }),

  law("a reader never meets part of a commit", ["atomic", "readAll"], function*(backend) {
    const commits = 20
    const write = Effect.forEach(
      Array.from({ length: commits }, (_, n) => `${n}`),
      (n) => Effect.andThen(commitOne(backend, { append: [append("a", n), append("b", n)] }), Effect.yieldNow)
    )
    const read = Effect.gen(function*() {
      let seen = 0
      while (seen < 2 * commits) {
        seen = (yield* readAllOf(backend)).length
        yield* holds(seen % 2 === 0, `a reader met ${seen} events of commits of two`)
        yield* Effect.yieldNow
      }
    })
    yield* Effect.all([read, write, read], { concurrency: "unbounded" })
  }),

  law("keys that are read together are of one moment", ["atomic"], function*(backend) {
    const commits = 20
    const keys = ["a", "b", "c"].map((key) => ({ namespace: "n", key }))
    const write = Effect.forEach(
      Array.from({ length: commits }, (_, n) => `${n + 1}`),
      (n) => Effect.andThen(commitOne(backend, { write: keys.map(({ key }) => put(key, n)) }), Effect.yieldNow)
    )
    const read = Effect.gen(function*() {
      let seen = "0"
      while (seen !== `${commits}`) {
        const values = (yield* backend.get(keys)).map((entry) => entry?.value ?? "0")
        yield* holds(new Set(values).size === 1, `a reader met the values ${values.join()} of one commit's keys`)
        seen = String(values[0])
        yield* Effect.yieldNow
      }
    })
    yield* Effect.all([read, write, read], { concurrency: "unbounded" })
  }),

  law("who sees a commit's key sees its events", ["atomic"], function*(backend) {
    const commits = 20
    const write = Effect.forEach(
      Array.from({ length: commits }, (_, n) => `${n + 1}`),
      (n) => Effect.andThen(commitOne(backend, { append: [append("s", n)], write: [put("count", n)] }), Effect.yieldNow)
    )
    const read = Effect.gen(function*() {
      let told = 0
      while (told < commits) {
        told = Number((yield* getOne(backend, "count"))?.value ?? 0)
        const seen = yield* lastSeq(backend, "s")
        yield* holds(seen >= told, `a reader met the key that counts ${told} events, and then ${seen} of them`)
        yield* Effect.yieldNow
      }
    })
    yield* Effect.all([read, write, read], { concurrency: "unbounded" })
  }),

  law("a commit that breaks on its way to the disk leaves nothing behind", ["atomic", "breakable"], function*(
    backend,
    place
  ) {
    yield* appendEach(backend, "s", ["1"])
    const head = yield* backend.head
    yield* place.breakNextCommit ?? Effect.void
    const result = yield* Effect.result(tryCommit(backend, { append: [append("s", "2")], write: [put("k", "2")] }))
    yield* equal("result of a commit that breaks", result._tag, "Failure")
    yield* equal("what is left of it", [yield* dataOf(backend, "s"), yield* getOne(backend, "k")], [["1"], undefined])
    const { appended, position } = yield* commitOne(backend, { append: [append("s", "3")] })
    yield* equal("seq of the commit after it", appended[0]?.first, Seq(2))
    yield* holds(position > head, `the commit after it has position ${position}, not above ${head}`)
  })
]
