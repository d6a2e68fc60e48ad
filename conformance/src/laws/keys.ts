/** Laws of the kv: what a key holds, and how its revision moves. */
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds, present } from "../assertion.ts"
import {
  appendEach,
  clear,
  commitOne,
  conflicted,
  del,
  expectKey,
  getOne,
  keyName,
  moment,
  put,
  putEach,
  readAllOf,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("keys")

const valuesOf = (backend: BackendShape, keys: ReadonlyArray<string>, namespace = "n") =>
  Effect.map(backend.get(keys.map((key) => ({ namespace, key }))), (found) => found.map((entry) => entry?.value))

/** Laws of putting, getting, deleting and clearing. */
export const keys = [
  law("a key that was never written has no entry", [], function*(backend) {
    yield* putEach(backend, { k: "1" })
    yield* equal("entry of another key", yield* getOne(backend, "another"), undefined)
    yield* equal("entry in another namespace", yield* getOne(backend, "k", "another"), undefined)
  }),

  law("a key's entry is what was put, when, and at which position", [], function*(backend) {
    yield* putEach(backend, { before: "1" })
    const at = moment + 5
    const { revisions } = yield* commitOne(backend, { at, write: [put("k", "{\"a\":1}")] })
    yield* equal("entry", yield* getOne(backend, "k"), {
      _tag: "Entry",
      namespace: "n",
      key: "k",
      value: "{\"a\":1}",
      meta: undefined,
      revision: yield* present("revision", revisions[0]),
      at
    })
  }),

  law("a later put takes the place of the value before", [], function*(backend) {
    yield* putEach(backend, { k: "1", other: "o" })
    yield* putEach(backend, { k: "2" })
    yield* equal("values", yield* valuesOf(backend, ["k", "other"]), ["2", "o"])
  }),

  law("many keys are answered in the order they were asked for, missing ones in their place", [], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3" })
    const asked = ["c", "none", "a", "c", "b", "nor this"]
    yield* equal("values", yield* valuesOf(backend, asked), ["3", undefined, "1", "3", "2", undefined])
  }),

  law("keys of several namespaces are answered together", [], function*(backend) {
    yield* putEach(backend, { k: "1" }, "one")
    yield* putEach(backend, { k: "2" }, "two")
    const found = yield* backend.get([keyName("k", "two"), keyName("k", "three"), keyName("k", "one")])
    yield* equal("values", found.map((entry) => entry?.value), ["2", undefined, "1"])
  }),

  law("thousands of keys are answered at once", [], function*(backend) {
    yield* putEach(backend, { 0: "0", 4000: "4000" })
    const found = yield* backend.get(Array.from({ length: 5000 }, (_, n) => keyName(`${n}`)))
    yield* equal("number of answers", found.length, 5000)
    yield* equal("keys that were found", found.flatMap((entry) => entry ? [entry.key] : []), ["0", "4000"])
  }),

  law("the keys of one commit have revisions that rise in the order of its writes", ["atomic"], function*(backend) {
    const { position, revisions } = yield* commitOne(backend, { write: [put("c", "1"), put("a", "2"), put("b", "3")] })
    const found = yield* backend.get(["c", "a", "b"].map((key) => keyName(key)))
    yield* equal("revisions told and kept", found.map((entry) => entry?.revision), [...revisions])
    yield* every("revision above the one before", revisions, (revision, n) => revision > (revisions[n - 1] ?? 0))
    yield* equal("last revision", revisions.at(-1), position)
  }),

  law("a key's revision rises with each of its writes, over its deletion too", ["delete"], function*(backend) {
    const revisions = [...yield* putEach(backend, { k: "1" }), ...yield* putEach(backend, { k: "2" })]
    revisions.push(...(yield* commitOne(backend, { write: [del("k")] })).revisions)
    revisions.push(...yield* putEach(backend, { k: "1" }))
    yield* every("revision above the one before", revisions, (revision, n) => revision > (revisions[n - 1] ?? 0))
    yield* equal("revision kept", (yield* getOne(backend, "k"))?.revision, revisions.at(-1))
  }),

  law("a key's revision stays as it is when others are written", [], function*(backend) {
    const [revision] = yield* putEach(backend, { k: "1" })
    yield* putEach(backend, { other: "1" })
    yield* putEach(backend, { k: "1" }, "another")
    yield* appendEach(backend, "k", ["1"])
    yield* equal("revision", (yield* getOne(backend, "k"))?.revision, revision)
  }),

  law("a deleted key has no entry", ["delete"], function*(backend) {
    yield* putEach(backend, { k: "1", other: "2" })
    yield* commitOne(backend, { write: [del("k")] })
    yield* equal("values", yield* valuesOf(backend, ["k", "other"]), [undefined, "2"])
  }),

  law("deleting a key deletes it in its own namespace only", ["delete"], function*(backend) {
    yield* putEach(backend, { k: "1" }, "one")
    yield* putEach(backend, { k: "2" }, "two")
    yield* commitOne(backend, { write: [del("k", "one")] })
    yield* equal("values", [...yield* valuesOf(backend, ["k"], "one"), ...yield* valuesOf(backend, ["k"], "two")], [
      undefined,
      "2"
    ])
  }),

  law("deleting a key that isn't there changes nothing, yet takes a position", ["delete"], function*(backend) {
    yield* putEach(backend, { other: "1" })
    const head = yield* backend.head
    const { position, revisions } = yield* commitOne(backend, { write: [del("k")] })
    yield* holds(position > head, `its position is ${position}, not above the head of ${head}`)
    yield* equal("revision told", revisions, [position])
    yield* equal("head", yield* backend.head, position)
    yield* equal("values", yield* valuesOf(backend, ["k", "other"]), [undefined, "1"])
  }),

  law("null is a value, and no absence", [], function*(backend) {
    yield* putEach(backend, { k: "null" })
    yield* equal("value", (yield* getOne(backend, "k"))?.value, "null")
    yield* conflicted(yield* tryCommit(backend, { expect: [expectKey("k", "absent")], write: [put("k", "1")] }))
  }),

  law("an entry's time is that of its last write", [], function*(backend) {
    yield* commitOne(backend, { at: moment + 9, write: [put("k", "1")] })
    yield* commitOne(backend, { at: moment + 2, write: [put("k", "2")] })
    yield* commitOne(backend, { at: moment + 7, write: [put("other", "2")] })
    yield* equal("time", (yield* getOne(backend, "k"))?.at, moment + 2)
  }),

  law("a value's metadata is kept beside it and goes with it", ["meta"], function*(backend) {
    yield* commitOne(backend, { write: [put("k", "1", { meta: "{\"by\":\"me\"}" })] })
    yield* equal("metadata", (yield* getOne(backend, "k"))?.meta, "{\"by\":\"me\"}")
    yield* commitOne(backend, { write: [put("k", "2")] })
    yield* equal("metadata of a later value without any", (yield* getOne(backend, "k"))?.meta, undefined)
  }),

  law("clearing a namespace removes its keys and no others", ["clear"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    yield* putEach(backend, { a: "3" }, "n2")
    yield* putEach(backend, { a: "4" }, "N")
    yield* commitOne(backend, { write: [clear()] })
    yield* equal("its keys", yield* valuesOf(backend, ["a", "b"]), [undefined, undefined])
    yield* equal("others", [...yield* valuesOf(backend, ["a"], "n2"), ...yield* valuesOf(backend, ["a"], "N")], [
      "3",
      "4"
    ])
  }),

  law("clearing takes one position for each key that it removes", ["clear"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3" })
    const head = yield* backend.head
    const { position, revisions } = yield* commitOne(backend, { write: [clear()] })
    yield* holds(position >= head + 3, `three keys went from head ${head} to position ${position}`)
    yield* equal("revision and head", [...revisions, yield* backend.head], [position, position])
    const again = yield* commitOne(backend, { write: [clear()] })
    yield* equal("position of clearing what is empty", again.position, position)
  }),

  law("a cleared key is absent to whoever expects it", ["clear"], function*(backend) {
    const [revision = 0] = yield* putEach(backend, { k: "1" })
    yield* commitOne(backend, { write: [clear()] })
    yield* conflicted(yield* tryCommit(backend, { expect: [expectKey("k", revision)], write: [put("k", "2")] }))
    yield* commitOne(backend, { expect: [expectKey("k", "absent")], write: [put("k", "3")] })
    yield* equal("value", (yield* getOne(backend, "k"))?.value, "3")
  }),

  law("the log and the kv may use the same names", ["readAll"], function*(backend) {
    yield* appendEach(backend, "n", ["event"])
    yield* putEach(backend, { n: "value" })
    yield* equal("events", (yield* readAllOf(backend)).map(({ data }) => data), ["event"])
    yield* equal("value", (yield* getOne(backend, "n"))?.value, "value")
  })
]
