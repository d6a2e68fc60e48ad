/** Laws of batches: commits that share one flush, each judged in turn. */
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds, present } from "../assertion.ts"
import {
  append,
  appendEach,
  commit,
  commitOne,
  conflicted,
  dataOf,
  expectKey,
  expectStream,
  getOne,
  happened,
  put,
  times
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("groups")

/** Laws of what a batch of commits does. */
export const groups = [
  law("a batch has one outcome for each of its commits, in their order", [], function*(backend) {
    const names = ["c", "a", "b"] as const
    const outcomes = yield* backend.commit([
      commit({ append: [append(names[0], "1")] }),
      commit({ append: [append(names[1], "1")] }),
      commit({ append: [append(names[2], "1")] })
    ])
    const told = outcomes.map((outcome) => outcome._tag === "Committed" && outcome.appended[0]?.stream)
    yield* equal("streams told", told, [...names])
  }),

  law("each commit of a batch is judged by what the ones before it did to a stream", [], function*(backend) {
    const outcomes = yield* backend.commit(
      times(5, (n) => commit({ expect: [expectStream("s", n)], append: [append("s", `${n}`)] }))
    )
    yield* Effect.forEach(outcomes, happened)
    yield* equal("data", yield* dataOf(backend, "s"), ["0", "1", "2", "3", "4"])
  }),

  law("each commit of a batch is judged by what the ones before it did to a key", [], function*(backend) {
    const [first, second, third] = yield* backend.commit([
      commit({ expect: [expectKey("k", "absent")], write: [put("k", "1")] }),
      commit({ expect: [expectKey("k", "absent")], write: [put("k", "2")] }),
      commit({ expect: [expectKey("k", "exists")], write: [put("k", "3")] })
    ])
    yield* happened(first)
    yield* conflicted(second)
    yield* happened(third)
    yield* equal("value", (yield* getOne(backend, "k"))?.value, "3")
  }),

  law("of a batch's commits with the same expectation the first wins, and only it", [], function*(backend) {
    const outcomes = yield* backend.commit(
      times(4, (n) => commit({ expect: [expectStream("s", 0)], append: [append("s", `${n}`)] }))
    )
    yield* equal("outcomes", outcomes.map(({ _tag }) => _tag), ["Committed", "Conflict", "Conflict", "Conflict"])
    yield* equal("data", yield* dataOf(backend, "s"), ["0"])
  }),

  law("a conflict in the middle of a batch disturbs none of its neighbours", [], function*(backend) {
    const [first, second, third] = yield* backend.commit([
      commit({ append: [append("s", "1")] }),
      commit({ expect: [expectStream("s", 0)], append: [append("s", "lost")] }),
      commit({ append: [append("s", "2")] })
    ])
    yield* happened(first)
    yield* conflicted(second)
    yield* equal("seq after the conflict", (yield* happened(third)).appended[0]?.first, Seq(2))
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2"])
  }),

  law("the commits of a batch take rising positions in their order", [], function*(backend) {
    const outcomes = yield* backend.commit(
      times(6, (n) => commit(n % 2 === 0 ? { append: [append("s", "1")] } : { write: [put("k", "1")] }))
    )
    const committed = yield* Effect.forEach(outcomes, happened)
    yield* every(
      "position above the one before",
      committed,
      ({ position }, n) => position > (committed[n - 1]?.position ?? 0)
    )
    yield* equal("head", yield* backend.head, (yield* present("last outcome", committed.at(-1))).position)
  }),

  law("a batch of hundreds of commits happens whole", [], function*(backend) {
    const outcomes = yield* backend.commit(times(500, (n) => commit({ append: [append(`s${n % 7}`, `${n}`)] })))
    yield* equal("number of outcomes", outcomes.length, 500)
    yield* Effect.forEach(outcomes, happened)
    const data = (yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6], (n) => dataOf(backend, `s${n}`))).flat()
    yield* equal("numbers read back", data.map(Number).sort((a, b) => a - b), Array.from({ length: 500 }, (_, n) => n))
  }),

  law("a batch that breaks on its way to the disk fails as a whole, and none of it happened", ["breakable"], function*(
    backend,
    place
  ) {
    yield* appendEach(backend, "s", ["1"])
    yield* place.breakNextCommit ?? Effect.void
    const result = yield* Effect.result(
      backend.commit(times(3, (n) => commit({ append: [append(n === 1 ? "s" : `t${n}`, "2")] })))
    )
    yield* holds(result._tag === "Failure", "a batch that breaks was acknowledged")
    const left = yield* Effect.forEach(["s", "t0", "t2"], (stream) => dataOf(backend, stream))
    yield* equal("what is left of it", left, [["1"], [], []])
  }),

  law("a store goes on after a batch that broke", ["breakable"], function*(backend, place) {
    yield* place.breakNextCommit ?? Effect.void
    yield* Effect.result(backend.commit([commit({ append: [append("s", "1")] })]))
    const { appended } = yield* commitOne(backend, { expect: [expectStream("s", 0)], append: [append("s", "2")] })
    yield* equal("seq after it", appended[0]?.last, Seq(1))
    yield* equal("data", yield* dataOf(backend, "s"), ["2"])
  })
]
