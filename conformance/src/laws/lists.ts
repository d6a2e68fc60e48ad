/** Laws of the lists: which streams there are, and which namespaces. */
import type { BackendShape } from "@persist/core"
import { compareUtf8, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal } from "../assertion.ts"
import {
  append,
  appendEach,
  clear,
  commitAll,
  commitOne,
  conflicted,
  del,
  expectStream,
  getOne,
  put,
  putEach,
  readWhole,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("lists")

const streamNames = (backend: BackendShape, prefix = "", after?: string, limit = 1000) =>
  Effect.map(backend.streams({ prefix, after, limit }), (found) => found.map(({ stream }) => stream))

const namespaceNames = (backend: BackendShape, after?: string, limit = 1000) =>
  Effect.map(backend.namespaces({ after, limit }), (found) => found.map(({ namespace }) => namespace))

const unordered = ["b", "\u{1f600}", "a", "\uffff", "B", "a b", "\u00e9", "aa", "9", "10"]
const ordered = unordered.toSorted(compareUtf8)

/** Laws of `streams` and `namespaces`. */
export const lists = [
  law("streams are listed with their first and last seq", ["streams"], function*(backend) {
    yield* appendEach(backend, "b", ["1", "2", "3"])
    yield* appendEach(backend, "a", ["1"])
    yield* equal("streams", yield* backend.streams({ prefix: "", after: undefined, limit: 10 }), [
      { stream: "a", first: Seq(1), last: Seq(1) },
      { stream: "b", first: Seq(1), last: Seq(3) }
    ])
  }),

  law("streams are listed in the order of their UTF-8 bytes", ["streams"], function*(backend) {
    for (const name of unordered) yield* appendEach(backend, name, ["1"])
    yield* equal("streams", yield* streamNames(backend), ordered)
  }),

  law("pages of streams go on after a name, whatever their size", ["streams"], function*(backend) {
    for (const name of unordered) yield* appendEach(backend, name, ["1"])
    for (const limit of [1, 3, 10]) {
      const found: Array<string> = []
      for (let size = limit; size === limit;) {
        const page = yield* streamNames(backend, "", found.at(-1), limit)
        size = page.length
        found.push(...page)
        if (found.length > ordered.length) break
      }
      yield* equal(`pages of ${limit}`, found, ordered)
    }
  }),

  law("a page of streams is short only where their names end", ["streams"], function*(backend) {
    const names = Array.from({ length: 1500 }, (_, n) => `${10_000 + n}`)
    yield* commitAll(backend, names.map((name) => ({ append: [append(name, "1")] })))
    yield* equal("streams", yield* streamNames(backend, "", undefined, 1501), names)
  }),

  law("a prefix lists the streams whose names start with it, sign for sign", ["streams"], function*(backend) {
    const names = ["a%b", "a_b", "aXb", "A%b", "a", "ba%"]
    for (const name of names) yield* appendEach(backend, name, ["1"])
    yield* equal("a%", yield* streamNames(backend, "a%"), ["a%b"])
    yield* equal("a_", yield* streamNames(backend, "a_"), ["a_b"])
    yield* equal("a", yield* streamNames(backend, "a"), ["a", "a%b", "aXb", "a_b"])
    yield* equal("a after a%b, two", yield* streamNames(backend, "a", "a%b", 2), ["aXb", "a_b"])
  }),

  law("neither expecting something of a stream nor failing to append to it makes it", ["streams"], function*(backend) {
    yield* conflicted(yield* tryCommit(backend, { expect: [expectStream("s", 1)], append: [append("s", "1")] }))
    yield* readWhole(backend, "t")
    yield* equal("streams", yield* streamNames(backend), [])
  }),

  law("keys make no stream", ["streams"], function*(backend) {
    yield* putEach(backend, { k: "1" })
    yield* appendEach(backend, "s", ["1"])
    yield* equal("streams", yield* streamNames(backend), ["s"])
  }),

  law("namespaces are listed with how many keys they hold", ["namespaces"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3" }, "three")
    yield* putEach(backend, { a: "1" }, "one")
    yield* putEach(backend, { a: "2" }, "one")
    yield* equal("namespaces", yield* backend.namespaces({ after: undefined, limit: 10 }), [
      { namespace: "one", keys: 1 },
      { namespace: "three", keys: 3 }
    ])
  }),

  law("namespaces are listed in the order of their UTF-8 bytes", ["namespaces"], function*(backend) {
    for (const name of unordered) yield* putEach(backend, { k: "1" }, name)
    yield* equal("namespaces", yield* namespaceNames(backend), ordered)
  }),

  law("pages of namespaces go on after a name, whatever their size", ["namespaces"], function*(backend) {
    for (const name of unordered) yield* putEach(backend, { k: "1" }, name)
    for (const limit of [1, 3, 10]) {
      const found: Array<string> = []
      for (let size = limit; size === limit;) {
        const page = yield* namespaceNames(backend, found.at(-1), limit)
        size = page.length
        found.push(...page)
        if (found.length > ordered.length) break
      }
      yield* equal(`pages of ${limit}`, found, ordered)
    }
  }),

  law("a page of namespaces is short only where their names end", ["namespaces"], function*(backend) {
    const names = Array.from({ length: 1500 }, (_, n) => `${10_000 + n}`)
    yield* commitAll(backend, names.map((name) => ({ write: [put("k", "1", { namespace: name })] })))
    yield* equal("namespaces", yield* namespaceNames(backend, undefined, 1501), names)
  }),

  law("a namespace is listed only while it holds a key", ["namespaces", "delete"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" }, "x")
    for (const emptied of ["w", "y"]) {
      yield* putEach(backend, { a: "1" }, emptied)
      yield* commitOne(backend, { write: [del("a", emptied)] })
    }
    yield* commitOne(backend, { write: [del("a", "x")] })
    yield* getOne(backend, "a", "z")
    const listed = [{ namespace: "x", keys: 1 }]
    yield* equal("namespaces", yield* backend.namespaces({ after: undefined, limit: 10 }), listed)
    yield* equal("one of them", yield* backend.namespaces({ after: undefined, limit: 1 }), listed)
  }),

  law("a cleared namespace is not listed", ["namespaces", "clear"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" }, "x")
    yield* putEach(backend, { a: "1" }, "y")
    yield* commitOne(backend, { write: [clear("x")] })
    yield* equal("namespaces", yield* namespaceNames(backend), ["y"])
  })
]
