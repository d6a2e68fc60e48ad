/** Laws of commit ids: a commit under an id happens once, and its outcome can be found again. */
import type { Commit, Committed, Identity } from "@persist/core"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { broken, equal, show } from "../assertion.ts"
import {
  append,
  appendEach,
  commit,
  commitOne,
  conflicted,
  dataOf,
  expectKey,
  expectStream,
  happened,
  put,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"
import { atOnce, rivals } from "../rivals.ts"

const law = lawOf("identity")

const named = (id: string, parts: Partial<Commit>, digest = "as first written"): Commit => {
  const identity: Identity = { id, digest }
  return commit({ identity, ...parts })
}

const repeated = (committed: Committed): Committed => ({ ...committed, repeated: true })

const refusedAsInvalid = (outcome: unknown) => {
  const text = show(outcome)
  return text.startsWith("{\"_tag\":\"Refused\"") && text.includes("\"_tag\":\"Invalid\"")
    ? Effect.void
    : broken(`the commit should have been refused as Invalid, saw ${text}`)
}

/** Laws of commits that carry an id. */
export const identity = [
  law("the same id with the same content gives the first result again, marked as repeated", ["resolve"], function*(
    backend
  ) {
    const sent = named("id", { append: [append("s", "1")] })
    const first = yield* commitOne(backend, sent)
    yield* equal("mark of the first result", first.repeated, false)
    yield* appendEach(backend, "s", ["2"])
    yield* equal("result of the same again", yield* tryCommit(backend, sent), repeated(first))
  }),

  law("the same id with the same content does nothing the second time", ["resolve"], function*(backend) {
    const appends = named("append", { append: [append("s", "1")] })
    const puts = named("put", { write: [put("k", "1")] })
    yield* commitOne(backend, appends)
    yield* commitOne(backend, puts)
    const head = yield* backend.head
    yield* commitOne(backend, appends)
    yield* commitOne(backend, puts)
    yield* equal("data", yield* dataOf(backend, "s"), ["1"])
    yield* equal("head", yield* backend.head, head)
  }),

  law(
    "a repeated commit gives its first result where its expectation no longer holds",
    ["resolve"],
    function*(backend) {
      const sent = named("id", { expect: [expectStream("s", 0)], append: [append("s", "1")] })
      const first = yield* commitOne(backend, sent)
      yield* equal("result of the same again", yield* tryCommit(backend, sent), repeated(first))
    }
  ),

  law("the same id with other content is refused, and does nothing", ["resolve"], function*(backend) {
    yield* commitOne(backend, named("id", { append: [append("s", "1")] }))
    const head = yield* backend.head
    yield* refusedAsInvalid(yield* tryCommit(backend, named("id", { append: [append("s", "2")] }, "something else")))
    yield* equal("data", [yield* dataOf(backend, "s"), yield* backend.head], [["1"], head])
  }),

  law("an id is one for the whole store: another stream doesn't free it", ["resolve"], function*(backend) {
    yield* commitOne(backend, named("id", { append: [append("s", "1")] }))
    yield* refusedAsInvalid(yield* tryCommit(backend, named("id", { append: [append("t", "1")] }, "another stream")))
    yield* equal("data of the other stream", yield* dataOf(backend, "t"), [])
  }),

  law("the same commit twice in one batch happens once", ["resolve"], function*(backend) {
    const sent = named("id", { append: [append("s", "1")] })
    const [first, second] = yield* backend.commit([sent, sent])
    yield* equal("second outcome", yield* happened(second), repeated(yield* happened(first)))
    yield* equal("data", yield* dataOf(backend, "s"), ["1"])
  }),

  law("a refused commit in a batch disturbs none of its neighbours", ["resolve"], function*(backend) {
    yield* commitOne(backend, named("id", { append: [append("s", "1")] }))
    const [before, refused, after] = yield* backend.commit([
      commit({ append: [append("s", "2")] }),
      named("id", { append: [append("s", "lost")] }, "something else"),
      commit({ append: [append("s", "3")] })
    ])
    yield* happened(before)
    yield* refusedAsInvalid(refused)
    yield* happened(after)
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2", "3"])
  }),

  law("two ids with the same content happen twice", ["resolve"], function*(backend) {
    yield* commitOne(backend, named("a", { append: [append("s", "1")] }))
    yield* commitOne(backend, named("b", { append: [append("s", "1")] }))
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "1"])
  }),

  law("a commit without an id happens each time it is sent", [], function*(backend) {
    const sent = commit({ append: [append("s", "1")] })
    const outcomes = [...yield* backend.commit([sent, sent]), ...yield* backend.commit([sent])]
    const committed = yield* Effect.forEach(outcomes, happened)
    yield* equal("repeated", committed.map((each) => each.repeated), [false, false, false])
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "1", "1"])
  }),

  law("ids that differ in case, in a space or in composition are different ids", ["resolve"], function*(backend) {
    const ids = ["id", "ID", "id ", "\u00e9", "e\u0301", "id\u0000", "%", "i_"]
    for (const id of ids) yield* commitOne(backend, named(id, { append: [append("s", "1")] }, id))
    yield* equal("number of events", (yield* dataOf(backend, "s")).length, ids.length)
  }),

  law("resolve gives the result of a commit as it was first given", ["resolve"], function*(backend) {
    yield* appendEach(backend, "s", ["0"])
    const sent = named("id", { append: [append("s", "1")] })
    const first = yield* commitOne(backend, sent)
    yield* appendEach(backend, "s", ["2"])
    yield* commitOne(backend, sent)
    yield* equal("resolved", Option.getOrUndefined(yield* backend.resolve("id")), first)
  }),

  law("resolve gives the seqs, positions and revisions of every part of a commit", ["resolve", "atomic"], function*(
    backend
  ) {
    const sent = named("id", {
      append: [append("s", "1", "2"), append("t", "3")],
      write: [put("j", "1"), put("k", "1")]
    })
    const first = yield* commitOne(backend, sent)
    yield* equal("resolved", Option.getOrUndefined(yield* backend.resolve("id")), first)
  }),

  law("resolve finds nothing for an id that was never used", ["resolve"], function*(backend) {
    yield* commitOne(backend, named("id", { append: [append("s", "1")] }))
    const found = [yield* backend.resolve("id"), yield* backend.resolve("another")]
    yield* equal("resolved", found.map(({ _tag }) => _tag), ["Some", "None"])
  }),

  law("the id of a conflicted commit was not used", ["resolve"], function*(backend) {
    yield* conflicted(
      yield* tryCommit(backend, named("id", { expect: [expectStream("s", 1)], append: [append("s", "1")] }))
    )
    yield* equal("resolved", (yield* backend.resolve("id"))._tag, "None")
    yield* happened(yield* tryCommit(backend, named("id", { append: [append("s", "2")] }, "something else")))
    yield* equal("data", yield* dataOf(backend, "s"), ["2"])
  }),

  law("a commit that only checks is known by its id", ["resolve", "atomic"], function*(backend) {
    const sent = named("id", { expect: [expectKey("k", "absent"), expectStream("s", 0)] })
    const first = yield* commitOne(backend, sent)
    yield* appendEach(backend, "s", ["1"])
    yield* equal("result of the same again", yield* tryCommit(backend, sent), repeated(first))
  }),

  law("the id of a commit that broke on its way to the disk was not used", ["resolve", "breakable"], function*(
    backend,
    place
  ) {
    const sent = named("id", { append: [append("s", "1")] })
    yield* place.breakNextCommit ?? Effect.void
    yield* equal("result of a commit that breaks", (yield* Effect.result(tryCommit(backend, sent)))._tag, "Failure")
    yield* equal("resolved", (yield* backend.resolve("id"))._tag, "None")
    yield* equal("mark of the result when sent again", (yield* commitOne(backend, sent)).repeated, false)
    yield* equal("data", yield* dataOf(backend, "s"), ["1"])
  }),

  law("of commits racing with the same id one happens, and all get its result", ["resolve"], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    const sent = named("id", { append: [append("s", "1")] })
    const committed = yield* atOnce(writers, (writer) => commitOne(writer, sent))
    yield* equal("data", yield* dataOf(backend, "s"), ["1"])
    yield* equal("first results", committed.filter((each) => !each.repeated).length, 1)
    yield* equal("seqs told", [...new Set(committed.map(({ appended }) => appended[0]?.first))], [Seq(1)])
  }),

  law("an id is known to every handle", ["resolve", "shared"], function*(backend, place) {
    const other = yield* place.open
    const sent = named("id", { append: [append("s", "1")] })
    const first = yield* commitOne(backend, sent)
    yield* equal("resolved by another handle", Option.getOrUndefined(yield* other.resolve("id")), first)
    yield* equal("result of the same from another handle", yield* tryCommit(other, sent), repeated(first))
  }),

  law("an id is known after its events were truncated", ["resolve", "truncate"], function*(backend) {
    const sent = named("id", { append: [append("s", "1")] })
    const first = yield* commitOne(backend, sent)
    yield* commitOne(backend, { truncate: [{ stream: "s", before: Seq(2) }] })
    yield* equal("resolved", Option.getOrUndefined(yield* backend.resolve("id")), first)
    yield* equal("result of the same again", yield* tryCommit(backend, sent), repeated(first))
  })
]
