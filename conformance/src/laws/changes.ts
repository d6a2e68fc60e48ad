/** Laws of the wake-up: who listens to `changes` and reads after each of its elements misses nothing. */
import type { BackendShape, StoredEvent } from "@persist/core"
import { origin, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { equal, holds } from "../assertion.ts"
import { append, appendEach, commitOne, put, readAllOf, readWhole } from "../given.ts"
import { lawOf } from "../law.ts"
import { atOnce, rivals } from "../rivals.ts"

const law = lawOf("changes")

// Opens `changes` and takes its first element; what comes back takes the next one.
const listen = Effect.fnUntraced(function*(backend: BackendShape) {
  const pull = yield* Stream.toPull(backend.changes)
  yield* pull
  return pull
})

// Takes elements until what is asked for is there. An element may come early, for an earlier commit, but not never.
const until = Effect.fnUntraced(function*<E>(
  pull: Effect.Effect<unknown, E>,
  isThere: Effect.Effect<boolean, unknown>
) {
  do yield* pull
  while (!(yield* isThere))
})

/** Laws of `changes`. None waits for nothing to happen: each waits for what must. */
export const changes = [
  law("changes tells once when it is opened, though nothing was ever committed", [], function*(backend) {
    yield* Effect.asVoid(listen(backend))
  }),

  law("changes tells a listener who waits of the next commit", [], function*(backend) {
    const pull = yield* listen(backend)
    const waiting = yield* Effect.forkChild(
      until(pull, Effect.map(readWhole(backend, "s"), (events) => events.length === 1)),
      { startImmediately: true }
    )
    yield* appendEach(backend, "s", ["1"])
    yield* Fiber.join(waiting)
  }),

  law("changes tells of a commit that came between two elements", [], function*(backend) {
    const pull = yield* listen(backend)
    for (const seq of [1, 2, 3]) {
      yield* appendEach(backend, "s", [`${seq}`])
      yield* until(pull, Effect.map(readWhole(backend, "s"), (events) => events.at(-1)?.seq === seq))
    }
  }),

  law("changes tells a slow listener of the last of many commits", [], function*(backend) {
    const pull = yield* listen(backend)
    yield* appendEach(backend, "s", Array.from({ length: 40 }, (_, n) => `${n}`))
    yield* until(pull, Effect.map(readWhole(backend, "s"), (events) => events.length === 40))
    yield* appendEach(backend, "s", ["last"])
    yield* until(pull, Effect.map(readWhole(backend, "s"), (events) => events.length === 41))
  }),

  law("changes tells of a commit that only writes keys", [], function*(backend) {
    const pull = yield* listen(backend)
    const { position } = yield* commitOne(backend, { write: [put("k", "1")] })
    yield* until(pull, Effect.map(backend.head, (head) => head >= position))
  }),

  law("changes tells of a commit that only truncates", ["truncate"], function*(backend) {
    yield* appendEach(backend, "s", ["1"])
    const pull = yield* listen(backend)
    yield* commitOne(backend, { truncate: [{ stream: "s", before: Seq(2) }] })
    yield* until(pull, Effect.map(readWhole(backend, "s"), (events) => events.length === 0))
  }),

  law("changes tells every listener", [], function*(backend) {
    const pulls = yield* Effect.forEach([1, 2, 3], () => listen(backend))
    yield* appendEach(backend, "s", ["1"])
    const seen = yield* atOnce(pulls, (pull) => Effect.andThen(pull, readWhole(backend, "s")))
    yield* equal("events seen by each", seen.map((events) => events.length), [1, 1, 1])
  }),

  law("a listener who goes leaves the others listening", [], function*(backend) {
    const stays = yield* listen(backend)
    yield* Effect.scoped(Effect.asVoid(listen(backend)))
    yield* appendEach(backend, "s", ["1"])
    yield* stays
    yield* Effect.scoped(Effect.asVoid(listen(backend)))
    yield* appendEach(backend, "s", ["2"])
    yield* until(stays, Effect.map(readWhole(backend, "s"), (events) => events.length === 2))
  }),

  law("changes tells of what another handle committed", ["shared"], function*(backend, place) {
    const other = yield* place.open
    const pull = yield* listen(backend)
    for (const seq of [1, 2]) {
      yield* appendEach(other, "s", [`${seq}`])
      yield* until(pull, Effect.map(readWhole(backend, "s"), (events) => events.at(-1)?.seq === seq))
    }
  }),

  law(
    "who reads after each element of changes misses nothing of what many write",
    ["readAll"],
    function*(backend, place) {
      const writers = yield* rivals(backend, place, 3)
      const data = Array.from({ length: 15 }, (_, n) => `${n}`)
      const follow = Effect.scoped(Effect.gen(function*() {
        const pull = yield* Stream.toPull(backend.changes)
        const seen: Array<StoredEvent> = []
        while (seen.length < writers.length * data.length) {
          yield* pull
          seen.push(...yield* readAllOf(backend, { after: seen.at(-1)?.position ?? origin }))
        }
        return seen
      }))
      const write = atOnce(
        writers,
        (writer, n) =>
          Effect.forEach(
            data,
            (each) => Effect.andThen(commitOne(writer, { append: [append(`s${n}`, each)] }), Effect.yieldNow)
          )
      )
      const [followed] = yield* Effect.all([
        atOnce([1, 2], () => follow),
        write
      ], { concurrency: "unbounded" })
      const all = yield* readAllOf(backend)
      for (const seen of followed) yield* equal("events that were followed", seen, all)
      yield* holds(followed.length === 2, "nobody followed")
    }
  )
]
