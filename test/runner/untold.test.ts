/** Events whose key can't be told for a while: whoever's they turn out to be has each of them once. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreShape } from "@persist/core"
import { dropParked, type Processor, reset, resume, retryParked, subscription } from "@persist/runner"
import { notes, parked } from "@persist/runner/names"
import { partitionOf } from "@persist/runner/partition"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { Counted, fill, newStore } from "./orders.ts"
import { listed, parking, running } from "./picky.ts"
import { until } from "./until.ts"

const partitions = 4
const home = partitionOf(partitions, "elsewhere").index
const failsIn = partitionOf(partitions, "order-0").index

/** A processor that keeps all events in order by one key, which can't be told while it's broken. */
const keyless = (failure: { readonly retries: number; readonly finally?: "park" | "stop" }) => {
  const seen: Array<string> = []
  const key = { isBroken: true }
  /** Open while events may be done with. */
  const gate = Latch.makeUnsafe(true)
  const plain = subscription({
    name: "picky",
    events: Counted,
    partitions,
    failure,
    key: ({ stream }) => {
      if (key.isBroken && stream === "order-0") throw new Error("no key")
      return "elsewhere"
    },
    handle: () => gate.await
  })
  const processor: Processor = {
    ...plain,
    assign: (store, partition) =>
      Effect.map(plain.assign(store, partition), (one) => {
        const handle: typeof one.work.handle = (events, ...given) => {
          seen.push(...events.map(({ seq, stream }) => `${stream}/${seq} in ${partition.index}`))
          return one.work.handle(events, ...given)
        }
        return { ...one, work: { ...one.work, handle } }
      })
  }
  return { gate, key, processor, seen }
}

/** How many partitions have noted an event, or parked it. */
const noted = (store: StoreShape) =>
  Effect.map(Effect.zip(parked(store).count(), notes(store).count()), ([one, others]) => one + others)

/** Appends one more event, and waits until it's handled: by then everything before it has been, as often as it is. */
const oneMore = Effect.fnUntraced(function*(store: StoreShape, seen: ReadonlyArray<string>, n: number) {
  yield* fill(store, 1, 1, n)
  yield* until(Effect.sync(() => seen.includes(`order-0/${n} in ${home}`)))
})

describe("an event whose key couldn't be told", () => {
  it.live("isn't handled again by the partition that met it only when it could", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { gate, key, processor, seen } = keyless(parking)
      gate.closeUnsafe()
      const mended = Effect.gen(function*() {
        yield* store.log(Counted).append("order-1", { type: "Counted", data: { n: 1 } }, { expected: 0 })
        yield* until(Effect.sync(() => seen.length === 1))
        yield* fill(store, 1, 1)
        // Parked in one, noted by two; the one whose it is has yet to come to it.
        yield* until(noted(store), (count) => count === partitions - 1)
        const [first] = yield* listed(store)
        assert.strictEqual(first?.reader, `picky#${failsIn}`)
        key.isBroken = false
        gate.openUnsafe()
        yield* until(Effect.sync(() => seen.length === 2))
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(noted(store), (count) => count === 0)
        yield* oneMore(store, seen, 2)
      })
      yield* running(store, processor, mended)
      assert.deepStrictEqual(seen, [`order-1/1 in ${home}`, `order-0/1 in ${home}`, `order-0/2 in ${home}`])
    }))

  it.live("isn't lost on the partition that had passed it, where the one in which it failed stops", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { key, processor, seen } = keyless({ retries: 0 })
      yield* fill(store, 1, 1)
      const mended = Effect.gen(function*() {
        yield* until(noted(store), (count) => count === partitions - 1)
        assert.deepStrictEqual(yield* listed(store), [])
        key.isBroken = false
        yield* resume(store, "picky")
        yield* until(noted(store), (count) => count === 0)
        yield* oneMore(store, seen, 2)
      })
      yield* running(store, processor, mended)
      assert.deepStrictEqual(seen, [`order-0/1 in ${home}`, `order-0/2 in ${home}`])
    }))

  it.live("and that was dropped is nobody's", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { key, processor, seen } = keyless(parking)
      yield* fill(store, 1, 1)
      yield* running(store, processor, until(noted(store), (count) => count === partitions))
      const [first] = yield* listed(store)
      yield* dropParked(store, "picky", first?.position ?? 0)
      key.isBroken = false
      yield* running(store, processor, oneMore(store, seen, 2))
      assert.deepStrictEqual(seen, [`order-0/2 in ${home}`])
      yield* reset(store, "picky")
      yield* running(store, processor, oneMore(store, seen, 3))
      assert.deepStrictEqual(seen, [`order-0/2 in ${home}`, `order-0/2 in ${home}`, `order-0/3 in ${home}`])
    }))

  it.live("is met again after a reset, once", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { key, processor, seen } = keyless(parking)
      yield* fill(store, 1, 1)
      yield* running(store, processor, until(noted(store), (count) => count === partitions))
      key.isBroken = false
      yield* reset(store, "picky")
      yield* running(store, processor, oneMore(store, seen, 2))
      assert.deepStrictEqual(seen, [`order-0/1 in ${home}`, `order-0/2 in ${home}`])
      assert.strictEqual(yield* noted(store), 0)
    }))

  it.live("stays noted while it still can't be told", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { key, processor, seen } = keyless(parking)
      yield* fill(store, 1, 1)
      yield* running(store, processor, until(noted(store), (count) => count === partitions))
      yield* running(
        store,
        processor,
        Effect.gen(function*() {
          yield* fill(store, 1, 1, 2)
          yield* until(noted(store), (count) => count === 2 * partitions)
        })
      )
      key.isBroken = false
      yield* running(store, processor, until(Effect.sync(() => seen.length === 2)))
      assert.deepStrictEqual(seen, [`order-0/1 in ${home}`, `order-0/2 in ${home}`])
    }))
})
