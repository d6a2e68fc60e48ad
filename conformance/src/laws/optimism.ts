/** Laws of optimistic concurrency: what an expectation holds for, and what is told where it doesn't. */
import type { BackendShape, Expectation } from "@persist/core"
import { Position } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, holds, present } from "../assertion.ts"
import {
  append,
  appendEach,
  commitOne,
  conflicted,
  dataOf,
  del,
  expectKey,
  expectStream,
  getOne,
  happened,
  put,
  putEach,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("optimism")

// Tries an expectation with a harmless change of the same stream or key, and tells whether it held.
const heldOn = Effect.fnUntraced(function*(backend: BackendShape, expectation: Expectation) {
  const change = expectation._tag === "Stream"
    ? { append: [append(expectation.stream, "tried")] }
    : { write: [put(expectation.key, "tried", { namespace: expectation.namespace })] }
  return (yield* tryCommit(backend, { expect: [expectation], ...change }))._tag === "Committed"
})

/** Laws of expectations on streams and keys. */
export const optimism = [
  law("expecting seq 0 holds for a stream that was never appended to, and for no other", [], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* equal("on a stream with events", yield* heldOn(backend, expectStream("s", 0)), false)
    yield* equal("on a new stream", yield* heldOn(backend, expectStream("new", 0)), true)
    yield* equal("once more", yield* heldOn(backend, expectStream("new", 0)), false)
  }),

  law("expecting a seq holds for the stream's last one, and not for the one below", [], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2", "3"])
    yield* equal("on seq 2 of 3", yield* heldOn(backend, expectStream("s", 2)), false)
    yield* equal("on seq 3 of 3", yield* heldOn(backend, expectStream("s", 3)), true)
  }),

  law("expecting a seq above the stream's last one doesn't hold", [], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2", "3"])
    yield* equal("on seq 4 of 3", yield* heldOn(backend, expectStream("s", 4)), false)
    yield* equal("on seq 1 of a new stream", yield* heldOn(backend, expectStream("new", 1)), false)
  }),

  law("expecting a stream to exist holds for any that was appended to, and for no other", [], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2"])
    yield* equal("on a stream with events", yield* heldOn(backend, expectStream("s", "exists")), true)
    yield* equal("on a new stream", yield* heldOn(backend, expectStream("new", "exists")), false)
  }),

  law("a commit that expects nothing happens whatever is there", [], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2"])
    yield* commitOne(backend, { append: [append("s", "3")] })
    yield* commitOne(backend, { append: [append("new", "1")] })
    yield* putEach(backend, { k: "1" })
    yield* commitOne(backend, { write: [put("k", "2")] })
    yield* equal("data", [yield* dataOf(backend, "s"), yield* dataOf(backend, "new")], [["1", "2", "3"], ["1"]])
  }),

  law(
    "expecting a key to be absent holds for one that was never written, and not for one that has a value",
    [],
    function*(
      backend
    ) {
      yield* putEach(backend, { k: "1" })
      yield* equal("on a key with a value", yield* heldOn(backend, expectKey("k", "absent")), false)
      yield* equal("on a new key", yield* heldOn(backend, expectKey("new", "absent")), true)
      yield* equal("once more", yield* heldOn(backend, expectKey("new", "absent")), false)
    }
  ),

  law("a deleted key is absent to whoever expects it", ["delete"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "1" })
    yield* commitOne(backend, { write: [del("a")] })
    yield* commitOne(backend, { write: [del("b")] })
    yield* equal("exists", yield* heldOn(backend, expectKey("a", "exists")), false)
    yield* equal("absent", yield* heldOn(backend, expectKey("b", "absent")), true)
  }),

  law("expecting a key to exist holds for one that has a value, and for no other", [], function*(backend) {
    yield* putEach(backend, { k: "null" })
    yield* equal("on a key with a value", yield* heldOn(backend, expectKey("k", "exists")), true)
    yield* equal("on a new key", yield* heldOn(backend, expectKey("new", "exists")), false)
  }),

  law("expecting a revision holds for the key's last write, and for none before it", [], function*(backend) {
    const [first] = yield* putEach(backend, { k: "1" })
    const [second] = yield* putEach(backend, { k: "2" })
    yield* equal("on the write before", yield* heldOn(backend, expectKey("k", yield* present("first", first))), false)
    yield* equal("on the last write", yield* heldOn(backend, expectKey("k", yield* present("last", second))), true)
  }),

  law(
    "expecting a revision doesn't hold for a number above it, nor for a key that isn't there",
    [],
    function*(backend) {
      const [revision = 0] = yield* putEach(backend, { k: "1" })
      yield* equal("on a later revision", yield* heldOn(backend, expectKey("k", revision + 1)), false)
      yield* equal("on a new key", yield* heldOn(backend, expectKey("new", revision)), false)
    }
  ),

  law("a key deleted and written again has not the revision it had before", ["delete"], function*(backend) {
    const [revision = 0] = yield* putEach(backend, { k: "1" })
    yield* commitOne(backend, { write: [del("k")] })
    yield* equal("while it is deleted", yield* heldOn(backend, expectKey("k", revision)), false)
    yield* putEach(backend, { k: "1" })
    yield* equal("after it was written again", yield* heldOn(backend, expectKey("k", revision)), false)
  }),

  law("a conflict on a stream carries the expectation and the seq that is there", [], function*(backend) {
    yield* appendEach(backend, "s", ["1", "2"])
    for (const expectation of [expectStream("s", 0), expectStream("s", 1), expectStream("s", 9)]) {
      const conflict = yield* conflicted(
        yield* tryCommit(backend, { expect: [expectation], append: [append("s", "3")] })
      )
      yield* equal("expectation", conflict.expectation, expectation)
      yield* equal("actual", conflict.actual, 2)
    }
    const expectation = expectStream("new", "exists")
    const conflict = yield* conflicted(
      yield* tryCommit(backend, { expect: [expectation], append: [append("new", "1")] })
    )
    yield* equal("conflict on a new stream", [conflict.expectation, conflict.actual], [expectation, 0])
  }),

  law("a conflict on a key carries the expectation and the revision that is there", [], function*(backend) {
    const [revision = 0] = yield* putEach(backend, { k: "1" })
    for (const expectation of [expectKey("k", "absent"), expectKey("k", revision + 1)]) {
      const conflict = yield* conflicted(yield* tryCommit(backend, { expect: [expectation], write: [put("k", "2")] }))
      yield* equal("conflict", [conflict.expectation, conflict.actual], [expectation, revision])
    }
    const expectation = expectKey("new", "exists")
    const conflict = yield* conflicted(yield* tryCommit(backend, { expect: [expectation], write: [put("new", "1")] }))
    yield* equal("conflict on a new key", [conflict.expectation, conflict.actual], [expectation, 0])
  }),

  law("of several expectations a conflict carries the first that doesn't hold", ["atomic"], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    const { expectation } = yield* conflicted(
      yield* tryCommit(backend, {
        expect: [expectStream("s", 1), expectKey("k", "exists"), expectStream("s2", 1), expectStream("t", "exists")],
        append: [append("s", "2")]
      })
    )
    yield* equal("expectation", expectation, expectKey("k", "exists"))
  }),

  law("a commit happens only if all that it expects holds", ["atomic"], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* putEach(backend, { k: "1" })
    const right = [expectStream("s", 1), expectKey("k", "exists"), expectStream("t", 0)]
    for (const wrong of [expectStream("u", 1), expectKey("j", "exists")]) {
      for (let at = 0; at <= right.length; at++) {
        yield* conflicted(
          yield* tryCommit(backend, { expect: right.toSpliced(at, 0, wrong), append: [append("s", "x")] })
        )
      }
    }
    yield* happened(yield* tryCommit(backend, { expect: right, append: [append("s", "2")] }))
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2"])
  }),

  law("a commit may expect something of streams and keys that it doesn't change", ["atomic"], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* conflicted(yield* tryCommit(backend, { expect: [expectStream("s", 0)], write: [put("k", "x")] }))
    yield* commitOne(backend, { expect: [expectStream("s", 1)], write: [put("k", "1")] })
    yield* conflicted(yield* tryCommit(backend, { expect: [expectKey("k", "absent")], append: [append("t", "x")] }))
    yield* commitOne(backend, { expect: [expectKey("k", "exists")], append: [append("t", "1")] })
    yield* equal("data", [yield* dataOf(backend, "t"), (yield* getOne(backend, "k"))?.value], [["1"], "1"])
  }),

  law("a commit is not judged by its own changes", ["atomic"], function*(backend) {
    yield* commitOne(backend, {
      expect: [expectStream("s", 0), expectStream("t", 0), expectKey("j", "absent"), expectKey("k", "absent")],
      append: [append("s", "1", "2", "3"), append("t", "1")],
      write: [put("j", "1"), put("k", "1")]
    })
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2", "3"])
  }),

  law("after a conflict the head is where it was", [], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* putEach(backend, { k: "1" })
    const head = yield* backend.head
    yield* conflicted(yield* tryCommit(backend, { expect: [expectStream("s", 0)], append: [append("s", "2")] }))
    yield* conflicted(yield* tryCommit(backend, { expect: [expectKey("k", "absent")], write: [put("k", "2")] }))
    yield* equal("head", yield* backend.head, head)
  }),

  law("after a conflict streams and keys are as they were", [], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    yield* putEach(backend, { k: "1" })
    yield* conflicted(yield* tryCommit(backend, { expect: [expectStream("s", 0)], append: [append("s", "2")] }))
    yield* conflicted(yield* tryCommit(backend, { expect: [expectKey("k", "absent")], write: [put("k", "2")] }))
    yield* conflicted(yield* tryCommit(backend, { expect: [expectStream("t", 1)], append: [append("t", "2")] }))
    yield* equal("data", [yield* dataOf(backend, "s"), yield* dataOf(backend, "t")], [["1"], []])
    yield* equal("value", (yield* getOne(backend, "k"))?.value, "1")
  }),

  law("expecting something of a stream says nothing of one whose name only starts the same", [], function*(backend) {
    yield* appendEach(backend, "order-1", ["1"])
    yield* appendEach(backend, "order-12", ["1", "2"])
    yield* equal("on order-1", yield* heldOn(backend, expectStream("order-1", 1)), true)
    yield* equal("on order-12", yield* heldOn(backend, expectStream("order-12", 2)), true)
    yield* equal("on order", yield* heldOn(backend, expectStream("order", 0)), true)
    const counts = yield* Effect.forEach(["order-1", "order-12", "order"], (stream) => dataOf(backend, stream))
    yield* equal("numbers of events", counts.map(({ length }) => length), [2, 3, 1])
  }),

  law("expecting something of a key says nothing of the same key in another namespace", [], function*(backend) {
    yield* putEach(backend, { k: "1" }, "here")
    yield* equal("absent elsewhere", yield* heldOn(backend, expectKey("k", "absent", "there")), true)
    yield* equal("exists elsewhere", yield* heldOn(backend, expectKey("k", "exists", "nowhere")), false)
    yield* holds((yield* getOne(backend, "k", "here"))?.revision !== Position(0), "a key that is there has revision 0")
  })
]
