/** What waits for a flush: how many go in one, in which order, how much may wait, and what leaves without one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { appendOne, gatedStore, now } from "./gate.ts"

/** A queue with room for one large commit, while another is being flushed. */
const crowded = Effect.gen(function*() {
  const { gate, store } = yield* gatedStore({ waitingBytes: 100 })
  const log = store.log()
  const large = (stream: string) => log.append(stream, { type: "L", data: "x".repeat(200) }, { expected: "any" })
  const inHand = yield* Effect.forkChild(large("a"), now)
  yield* gate.arrived
  return { gate, inHand, large, log }
})

describe("commits that wait", () => {
  it.effect("no flush takes more commits than a batch may hold, and none before those that came first", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore({ batchCommits: 3 })
      const fibers = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7], () => Effect.forkChild(appendOne(log, "a"), now))
      yield* Effect.forEach([1, 2, 3], () => gate.open())
      const appended = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(gate.batches.map((batch) => batch.length), [3, 3, 1])
      assert.deepStrictEqual(appended.map(({ last }) => Number(last)), [1, 2, 3, 4, 5, 6, 7])
    }))

  it.effect("a queue that's full refuses with Unavailable and keeps what already waits", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore({ waitingCommits: 2 })
      const inHand = yield* Effect.forkChild(appendOne(log, "a"), now)
      yield* gate.arrived
      const waiting = yield* Effect.forEach([1, 2], () => Effect.forkChild(appendOne(log, "a"), now))
      const error = yield* Effect.flip(appendOne(log, "a"))
      assert.strictEqual(error._tag, "Unavailable")
      assert.include(error.message, "2 commits")
      yield* gate.open()
      yield* gate.open()
      yield* Effect.forEach([inHand, ...waiting], (fiber) => Fiber.join(fiber))
      assert.strictEqual(yield* log.lastSeq("a"), 3)
    }))

  it.effect("the queue is bounded by bytes too, but one large commit always fits alone", () =>
    Effect.gen(function*() {
      const { gate, inHand, large, log } = yield* crowded
      const waiting = yield* Effect.forkChild(large("b"), now)
      assert.strictEqual((yield* Effect.flip(large("c")))._tag, "Unavailable")
      yield* gate.open()
      yield* gate.open()
      yield* Fiber.join(inHand)
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* log.lastSeq("c"), 0)
    }))

  it.effect("interrupting a caller that waits takes its commit out, and nobody else's", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore()
      const inHand = yield* Effect.forkChild(appendOne(log, "a"), now)
      yield* gate.arrived
      const [left, mine, right] = yield* Effect.all([
        Effect.forkChild(appendOne(log, "left"), now),
        Effect.forkChild(appendOne(log, "mine"), now),
        Effect.forkChild(appendOne(log, "right"), now)
      ])
      yield* Fiber.interrupt(mine)
      yield* gate.open()
      yield* gate.open()
      yield* Effect.forEach([inHand, left, right], (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(
        [yield* log.lastSeq("left"), yield* log.lastSeq("mine"), yield* log.lastSeq("right")].map(Number),
        [1, 0, 1]
      )
    }))

  it.effect("a commit that is taken out of the queue makes room for another", () =>
    Effect.gen(function*() {
      const { gate, inHand, large, log } = yield* crowded
      yield* Fiber.interrupt(yield* Effect.forkChild(large("b"), now))
      const waiting = yield* Effect.forkChild(large("c"), now)
      yield* gate.open()
      yield* gate.open()
      yield* Effect.forEach([inHand, waiting], (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual([yield* log.lastSeq("b"), yield* log.lastSeq("c")].map(Number), [0, 1])
    }))
})
