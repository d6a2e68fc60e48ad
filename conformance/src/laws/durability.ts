/** Laws of durability: what was acknowledged is there after the store was closed and opened again. */
import type { BackendShape } from "@persist/core"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { equal, holds } from "../assertion.ts"
import type { Place } from "../fixture.ts"
import {
  append,
  appendEach,
  changedSince,
  clear,
  commit,
  commitOne,
  conflicted,
  dataOf,
  del,
  expectKey,
  expectStream,
  getOne,
  put,
  putEach,
  readAllOf,
  readWhole,
  tryCommit
} from "../given.ts"
import { placeLawOf } from "../law.ts"

const law = placeLawOf("durability")

// Opens the store, does something and closes it again.
const session = <A, E>(place: Place, does: (backend: BackendShape) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(place.open, does))

/** Laws of closing and opening. */
export const durability = [
  law("acknowledged events are there after reopening, with all they had", ["durable"], function*(place) {
    const before = yield* session(
      place,
      (backend) => Effect.andThen(appendEach(backend, "s", ["1", "{\"a\":\"\u00e9\"}", "3"]), readWhole(backend, "s"))
    )
    yield* equal("number of events before", before.length, 3)
    yield* equal("events", yield* session(place, (backend) => readWhole(backend, "s")), before)
  }),

  law("acknowledged values are there after reopening, with all they had", ["durable"], function*(place) {
    const before = yield* session(
      place,
      (backend) => Effect.andThen(putEach(backend, { k: "{\"a\":\"\u00e9\"}" }), getOne(backend, "k"))
    )
    yield* holds(before !== undefined, "the value was not there before")
    yield* equal("entry", yield* session(place, (backend) => getOne(backend, "k")), before)
  }),

  law("the total order is the same after reopening", ["durable", "readAll"], function*(place) {
    const before = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* appendEach(backend, "b", ["1", "2"])
        yield* putEach(backend, { k: "1" })
        yield* appendEach(backend, "a", ["3"])
        return yield* readAllOf(backend)
      })
    )
    yield* equal("number of events before", before.length, 3)
    yield* equal("events", yield* session(place, (backend) => readAllOf(backend)), before)
  }),

  law("deleted and cleared keys are still gone after reopening", ["durable", "delete", "clear"], function*(place) {
    yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* putEach(backend, { a: "1", b: "2" })
        yield* putEach(backend, { c: "3" }, "m")
        yield* commitOne(backend, { write: [del("a")] })
        yield* commitOne(backend, { write: [clear("m")] })
      })
    )
    const again = yield* place.open
    const found = [yield* getOne(again, "a"), yield* getOne(again, "c", "m"), (yield* getOne(again, "b"))?.value]
    yield* equal("values", found, [undefined, undefined, "2"])
  }),

  law("tombstones are still there after reopening", ["durable", "changed", "delete"], function*(place) {
    const before = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* putEach(backend, { a: "1", b: "2" })
        yield* commitOne(backend, { write: [del("a")] })
        return yield* changedSince(backend)
      })
    )
    yield* equal("changes before", before.map(({ _tag, key }) => `${_tag} ${key}`), ["Entry b", "Tombstone a"])
    yield* equal("changes", yield* session(place, (backend) => changedSince(backend)), before)
  }),

  law(
    "truncated events are still gone after reopening, and the last seq still counts",
    ["durable", "truncate"],
    function*(
      place
    ) {
      yield* session(
        place,
        Effect.fnUntraced(function*(backend) {
          yield* appendEach(backend, "s", ["1", "2", "3"])
          yield* appendEach(backend, "t", ["1", "2"])
          yield* commitOne(backend, { truncate: [{ stream: "s", before: Seq(3) }] })
          yield* commitOne(backend, { truncate: [{ stream: "t", before: Seq(3) }] })
        })
      )
      const again = yield* place.open
      yield* equal("data", [yield* dataOf(again, "s"), yield* dataOf(again, "t")], [["3"], []])
      const { appended } = yield* commitOne(again, { append: [append("t", "3")] })
      yield* equal("seq after reopening", appended[0]?.first, Seq(3))
    }
  ),

  law("seqs and positions go on after reopening where they were", ["durable"], function*(place) {
    yield* session(place, (backend) => appendEach(backend, "s", ["1", "2"]))
    const head = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* putEach(backend, { k: "1" })
        return yield* backend.head
      })
    )
    const again = yield* place.open
    yield* equal("head after reopening", yield* again.head, head)
    const { appended, position } = yield* commitOne(again, { append: [append("s", "3")] })
    yield* equal("seq after reopening", appended[0]?.first, Seq(3))
    yield* holds(position > head, `the next position is ${position}, not above ${head}`)
  }),

  law("a position is not given out again after reopening, though all at it was removed", [
    "durable",
    "truncate",
    "delete"
  ], function*(place) {
    const head = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* appendEach(backend, "s", ["1", "2"])
        yield* putEach(backend, { k: "1" })
        yield* commitOne(backend, { write: [del("k")] })
        yield* commitOne(backend, { truncate: [{ stream: "s", before: Seq(3) }] })
        return yield* backend.head
      })
    )
    const again = yield* place.open
    yield* equal("head after reopening", yield* again.head, head)
    const { position } = yield* commitOne(again, { append: [append("s", "3")] })
    yield* holds(position > head, `the next position is ${position}, not above ${head}`)
  }),

  law("expectations are judged after reopening by what was there before", ["durable"], function*(place) {
    const revision = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* appendEach(backend, "s", ["1", "2"])
        return (yield* putEach(backend, { k: "1" }))[0] ?? 0
      })
    )
    const again = yield* place.open
    yield* conflicted(yield* tryCommit(again, { expect: [expectStream("s", 0)], append: [append("s", "x")] }))
    yield* conflicted(yield* tryCommit(again, { expect: [expectKey("k", "absent")], write: [put("k", "x")] }))
    yield* commitOne(again, { expect: [expectStream("s", 2)], append: [append("s", "3")] })
    yield* commitOne(again, { expect: [expectKey("k", revision)], write: [put("k", "2")] })
    yield* equal("data", yield* dataOf(again, "s"), ["1", "2", "3"])
  }),

  law("an id is known after reopening", ["durable", "resolve"], function*(place) {
    const sent = commit({ identity: { id: "id", digest: "as first written" }, append: [append("s", "1")] })
    const first = yield* session(place, (backend) => commitOne(backend, sent))
    const again = yield* place.open
    yield* equal("resolved", Option.getOrUndefined(yield* again.resolve("id")), first)
    yield* equal("result of the same again", yield* tryCommit(again, sent), { ...first, repeated: true })
    yield* equal("data", yield* dataOf(again, "s"), ["1"])
  }),

  law("a store has the same incarnation after reopening", ["durable"], function*(place) {
    const before = yield* session(
      place,
      (backend) => Effect.as(appendEach(backend, "s", ["1"]), backend.about.incarnation)
    )
    yield* holds(before !== "", "it had none before")
    yield* equal("incarnation", (yield* place.open).about.incarnation, before)
  }),

  law(
    "a store may be opened again and again, and each time holds what all before wrote",
    ["durable"],
    function*(place) {
      const all = ["1", "2", "3", "4"]
      for (const data of all) yield* session(place, (backend) => appendEach(backend, "s", [data]))
      yield* equal("data", yield* session(place, (backend) => dataOf(backend, "s")), all)
    }
  ),

  law("the lists of streams and namespaces are the same after reopening", [
    "durable",
    "streams",
    "namespaces"
  ], function*(place) {
    const listed = Effect.fnUntraced(function*(backend: BackendShape) {
      const streams = yield* backend.streams({ prefix: "", after: undefined, limit: 10 })
      return { streams, namespaces: yield* backend.namespaces({ after: undefined, limit: 10 }) }
    })
    const before = yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* appendEach(backend, "s", ["1", "2"])
        yield* putEach(backend, { a: "1", b: "2" })
        return yield* listed(backend)
      })
    )
    yield* equal("lengths before", [before.streams.length, before.namespaces.length], [1, 1])
    yield* equal("lists", yield* session(place, listed), before)
  }),

  law("a commit that broke on its way to the disk is not there after reopening", ["durable", "breakable"], function*(
    place
  ) {
    yield* session(
      place,
      Effect.fnUntraced(function*(backend) {
        yield* appendEach(backend, "s", ["1"])
        yield* place.breakNextCommit ?? Effect.void
        const result = yield* Effect.result(tryCommit(backend, { append: [append("s", "2")] }))
        yield* equal("result of a commit that breaks", result._tag, "Failure")
      })
    )
    yield* equal("data", yield* session(place, (backend) => dataOf(backend, "s")), ["1"])
  })
]
