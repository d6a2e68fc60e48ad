/** When flushes go: alone at once, together where several come, and never for long without a turn of the event loop. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type BackendShape, makeStore } from "@persist/core"
import { atOnce } from "@persist/core/posted"
import * as Effect from "effect/Effect"

const event = { type: "T", data: 1 }

/** A store whose every flush blocks the thread for so many milliseconds, and how many commits went in each. */
const blocking = (millis: number) =>
  Effect.gen(function*() {
    const memory = yield* makeMemory()
    const batches: Array<number> = []
    const commit: BackendShape["commit"] = (batch) =>
      atOnce(() => {
        batches.push(batch.length)
        const until = performance.now() + millis
        while (performance.now() < until);
        return Effect.runSync(memory.commit(batch))
      }, (cause) => {
        throw cause
      })
    const about = { ...memory.about, durability: "disk" } as const
    return { batches, log: (yield* makeStore({ ...memory, about, commit })).log() }
  })

/** Counts the turns of the event loop until it's stopped. */
const countTurns = () => {
  let turns = 0
  let next = setImmediate(function count() {
    turns++
    next = setImmediate(count)
  })
  return () => {
    clearImmediate(next)
    return turns
  }
}

const aTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("flushes that block the thread", () => {
  it.live("of one who goes on at once take no turn of the event loop for each", () =>
    Effect.gen(function*() {
      const { log } = yield* blocking(0)
      const append = log.append("s", event, { expected: "any" })
      const turnsOf = (count: number) =>
        Effect.map(
          Effect.acquireUseRelease(
            Effect.sync(countTurns),
            (stop) => Effect.andThen(Effect.replicateEffect(append, count, { discard: true }), Effect.sync(stop)),
            (stop) => Effect.sync(stop)
          ),
          (turns) => turns / count
        )
      // Once the compiler has seen it a flush takes some microseconds, and a turn comes but every millisecond.
      yield* turnsOf(500)
      assert.isBelow(yield* turnsOf(2000), 0.5)
    }))

  it.live("leave the event loop a turn after each millisecond", () =>
    Effect.gen(function*() {
      const { log } = yield* blocking(1)
      const stop = countTurns()
      yield* Effect.replicateEffect(log.append("s", event, { expected: "any" }), 50, { discard: true })
      assert.isAtLeast(stop(), 45)
    }))

  it.live("take all who append one after another along, whoever began alone", () =>
    Effect.gen(function*() {
      const { batches, log } = yield* blocking(0.2)
      const client = (name: string, count: number) =>
        Effect.replicateEffect(log.append(name, event, { expected: "any" }), count, { discard: true })
      yield* Effect.all([
        client("first", 200),
        Effect.andThen(aTurn, client("second", 100)),
        Effect.andThen(aTurn, client("third", 100))
      ], { concurrency: "unbounded" })
      assert.strictEqual(batches.reduce((sum, size) => sum + size, 0), 400)
      // Each that went alone or in twos would make more.
      assert.isBelow(batches.length, 260)
    }))
})
