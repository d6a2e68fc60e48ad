/** Laws of racing: what several writers at one store can count on. */
import * as Effect from "effect/Effect"
import { equal, holds } from "../assertion.ts"
import {
  append,
  appendEach,
  commitOne,
  conflicted,
  dataOf,
  expectKey,
  expectStream,
  getOne,
  lastSeq,
  put,
  putEach,
  readWhole,
  tryCommit
} from "../given.ts"
import { lawOf } from "../law.ts"
import { atOnce, rivals } from "../rivals.ts"

const law = lawOf("races")
const rounds = [1, 2, 3, 4, 5]

/** Laws of commits that race. */
export const races = [
  law("of commits racing with the same expectation exactly one wins", [], function*(backend, place) {
    for (const round of rounds) {
      const writers = yield* rivals(backend, place, 2 + round * 2)
      const seq = yield* lastSeq(backend, "s")
      const outcomes = yield* atOnce(
        writers,
        (writer, n) => tryCommit(writer, { expect: [expectStream("s", seq)], append: [append("s", `${n}`)] })
      )
      yield* equal(
        `winners among ${writers.length} in round ${round}`,
        outcomes.filter(({ _tag }) => _tag === "Committed").length,
        1
      )
    }
  }),

  law("the losers of a race leave no trace, and learn the seq that the winner took", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    const outcomes = yield* atOnce(
      writers,
      (writer, n) => tryCommit(writer, { expect: [expectStream("s", 0)], append: [append("s", `${n}`)] })
    )
    const winners = outcomes.flatMap(({ _tag }, n) => _tag === "Committed" ? [`${n}`] : [])
    yield* equal("data", yield* dataOf(backend, "s"), winners)
    for (const outcome of outcomes.filter(({ _tag }) => _tag !== "Committed")) {
      yield* equal("actual seq", (yield* conflicted(outcome)).actual, winners.length)
    }
    yield* holds(winners.length < outcomes.length, "nobody lost")
  }),

  law("writers to different streams never conflict", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    const outcomes = yield* atOnce(
      writers,
      (writer, n) =>
        Effect.forEach(
          rounds,
          (round) =>
            tryCommit(writer, { expect: [expectStream(`s${n}`, round - 1)], append: [append(`s${n}`, `${round}`)] })
        )
    )
    yield* equal("conflicts", outcomes.flat().filter(({ _tag }) => _tag !== "Committed"), [])
    yield* equal("events of the last writer", yield* dataOf(backend, "s5"), rounds.map(String))
  }),

  law(
    "writers that expect nothing all succeed, and the events of each stay in its order",
    [],
    function*(backend, place) {
      const writers = yield* rivals(backend, place, 6)
      yield* atOnce(writers, (writer, n) => appendEach(writer, "s", rounds.map((round) => `${n}:${round}`)))
      const data = (yield* dataOf(backend, "s")).map(String)
      yield* equal("number of events", data.length, writers.length * rounds.length)
      for (const [n] of writers.entries()) {
        yield* equal(
          `order of writer ${n}`,
          data.filter((each) => each.startsWith(`${n}:`)),
          rounds.map((r) => `${n}:${r}`)
        )
      }
    }
  ),

  law("the seqs of a stream that many write to have neither hole nor double", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    yield* atOnce(writers, (writer, n) => appendEach(writer, "s", rounds.map((round) => `${n}:${round}`)))
    const seqs = (yield* readWhole(backend, "s")).map(({ seq }) => Number(seq))
    yield* equal("seqs", seqs, Array.from({ length: writers.length * rounds.length }, (_, i) => i + 1))
  }),

  law("of writes racing at one revision of a key exactly one wins", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    const [revision = 0] = yield* putEach(backend, { k: "0" })
    const outcomes = yield* atOnce(
      writers,
      (writer, n) => tryCommit(writer, { expect: [expectKey("k", revision)], write: [put("k", `${n}`)] })
    )
    const winners = outcomes.flatMap(({ _tag }, n) => _tag === "Committed" ? [`${n}`] : [])
    yield* equal("number of winners", winners.length, 1)
    yield* equal("value", (yield* getOne(backend, "k"))?.value, winners[0])
  }),

  law("of writers racing to create a key exactly one wins", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 6)
    const outcomes = yield* atOnce(
      writers,
      (writer, n) => tryCommit(writer, { expect: [expectKey("k", "absent")], write: [put("k", `${n}`)] })
    )
    yield* equal("number of winners", outcomes.filter(({ _tag }) => _tag === "Committed").length, 1)
  }),

  law("no increment made by compare-and-set is lost", [], function*(backend, place) {
    const writers = yield* rivals(backend, place, 4)
    yield* putEach(backend, { k: "0" })
    let succeeded = 0
    yield* atOnce(
      writers,
      Effect.fnUntraced(function*(writer) {
        for (let tries = 0; tries < 10; tries++) {
          const entry = yield* getOne(writer, "k")
          const { _tag } = yield* tryCommit(writer, {
            expect: [expectKey("k", entry?.revision ?? "absent")],
            write: [put("k", `${Number(entry?.value) + 1}`)]
          })
          if (_tag === "Committed") succeeded++
          yield* Effect.yieldNow
        }
      })
    )
    yield* holds(succeeded > 0, "not one increment succeeded")
    yield* equal("count after that many successes", (yield* getOne(backend, "k"))?.value, `${succeeded}`)
  }),

  law("a handle is judged by what others committed, not by what it saw last", ["shared"], function*(backend, place) {
    const other = yield* place.open
    yield* appendEach(backend, "s", ["1"])
    yield* lastSeq(other, "s")
    yield* appendEach(backend, "s", ["2"])
    yield* conflicted(yield* tryCommit(other, { expect: [expectStream("s", 1)], append: [append("s", "lost")] }))
    yield* commitOne(other, { expect: [expectStream("s", 2)], append: [append("s", "3")] })
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2", "3"])
  })
]
