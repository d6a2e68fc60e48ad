/** What partitions have noted, however much it is: each that begins looks at its own, and at what is near together. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore } from "@persist/core"
import { type Processor, subscription } from "@persist/runner"
import { policyOf } from "@persist/runner/failure"
import { notes } from "@persist/runner/names"
import { partitionOf } from "@persist/runner/partition"
import { Worker } from "@persist/runner/worker"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import { Counted, newStore } from "./orders.ts"
import { running } from "./picky.ts"
import { until } from "./until.ts"

const partitions = 4

/** Nobody can tell its keys; `gate` is open while the log may be read, and `reads` says from where it was. */
const keyless = () => {
  const gate = Latch.makeUnsafe(true)
  const reads: Array<number> = []
  const plain = subscription({
    name: "keyless",
    events: Counted,
    partitions,
    failure: { retries: 0, finally: "park" },
    key: () => {
      throw new Error("no key")
    },
    handle: () => Effect.void
  })
  const processor: Processor = {
    ...plain,
    assign: (store, partition) =>
      Effect.map(plain.assign(store, partition), (one) => {
        const read: typeof one.source.read = (after, to) =>
          Effect.andThen(Effect.sync(() => reads.push(after)), gate.whenOpen(one.source.read(after, to)))
        return { ...one, source: { ...one.source, read } }
      })
  }
  return { gate, processor, reads }
}

const events = (count: number) => Array.from({ length: count }, (_, n) => ({ type: "Counted", data: { n } }) as const)

describe("what a partition has noted", () => {
  it.live("is looked at by itself alone, in few reads", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const plain = yield* makeStore(backend)
      let entries = 0
      const store = yield* makeStore({
        ...backend,
        scan: (range) =>
          Effect.tap(backend.scan(range), ({ length }) =>
            Effect.sync(() => {
              if (range.namespace.startsWith("$noted")) entries += length
            }))
      })
      const count = 40
      yield* plain.log(Counted).append("order-0", events(count), { expected: 0 })
      const { processor, reads } = keyless()
      const noted = until(notes(plain).count(), (found) => found === count * (partitions - 1))
      yield* running(store, processor, noted)
      entries = 0
      reads.length = 0
      const more = Effect.andThen(
        plain.log(Counted).append("order-1", events(1), { expected: 0 }),
        until(notes(plain).count(), (found) => found === (count + 1) * (partitions - 1))
      )
      yield* running(store, processor, more)
      assert.strictEqual(entries, count * (partitions - 1))
      assert.isBelow(reads.length, 10 * partitions)
    }))

  it.live("is looked at page by page, and an end comes in between", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { gate, processor, reads } = keyless()
      const other = { index: (partitionOf(partitions, "order-0").index + 1) % partitions, of: partitions }
      const worker = Effect.gen(function*() {
        const checkpoint = yield* processor.register(store, other)
        const assignment = yield* processor.assign(store, other)
        return new Worker({ store, processor: "keyless", policy: policyOf(), checkpoint, assignment })
      })
      yield* store.log(Counted).append("order-0", events(2500), { expected: 0 })
      const passing = yield* Effect.forkChild((yield* worker).run)
      yield* until(notes(store).count(), (found) => found === 2500)
      yield* Fiber.interrupt(passing)
      gate.closeUnsafe()
      reads.length = 0
      const looking = yield* Effect.forkChild((yield* worker).run)
      yield* until(Effect.sync(() => reads.length === 1))
      const ended = yield* Effect.forkChild(Fiber.interrupt(looking), { startImmediately: true })
      gate.openUnsafe()
      yield* Fiber.await(ended)
      assert.deepStrictEqual(reads, [0])
    }))
})
