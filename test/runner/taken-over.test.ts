/** An event that failed since its key couldn't be told, and is taken over by the partition whose it turns out to be. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreShape } from "@persist/core"
import { dropParked, type Processor, resume, subscription } from "@persist/runner"
import { partitionOf } from "@persist/runner/partition"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { Counted, newStore } from "./orders.ts"
import { asideOf, listed, parking, running } from "./picky.ts"
import { until } from "./until.ts"

const inPartition = (index: number, of: string) =>
  Array.from({ length: 9 }, (_, i) => `${of}-${i}`).find((name) => partitionOf(2, name).index === index) ?? ""

/** Where it fails, a stream of the same partition, and where it belongs. */
const [failing, beside, elsewhere] = [inPartition(0, "order"), inPartition(0, "other"), inPartition(1, "other")]

/** A stream's first event belongs elsewhere, which can't be told while it's broken; the others to their streams. */
const mending = () => {
  const seen: Array<string> = []
  const key = { isBroken: true }
  /** Open while the second partition may look at what there is. */
  const gate = Latch.makeUnsafe(true)
  const plain = subscription({
    name: "picky",
    events: Counted,
    partitions: 2,
    failure: parking,
    key: ({ seq, stream }) => {
      if (stream !== failing || seq > 1) return stream
      if (key.isBroken) throw new Error("no key")
      return elsewhere
    },
    handle: ({ seq, stream }) => Effect.sync(() => seen.push(`${stream}/${seq}`))
  })
  const processor: Processor = {
    ...plain,
    assign: (store, partition) =>
      Effect.map(plain.assign(store, partition), (one) => {
        if (partition.index === 0) return one
        return { ...one, source: { ...one.source, read: (...range) => gate.whenOpen(one.source.read(...range)) } }
      })
  }
  return { gate, key, processor, seen }
}

const append = (store: StoreShape, stream: string, n: number) =>
  store.log(Counted).append(stream, { type: "Counted", data: { n } }, { expected: n - 1 })

const saw = (seen: ReadonlyArray<string>, event: string) => until(Effect.sync(() => seen.includes(event)))

/** Its key can be told, and where it failed everybody has begun again and found nothing to do, but not where it is. */
const mended = Effect.gen(function*() {
  const store = yield* newStore
  const { gate, key, processor, seen } = mending()
  yield* append(store, failing, 1)
  yield* append(store, failing, 2)
  yield* append(store, elsewhere, 1)
  yield* append(store, elsewhere, 2)
  // Whoever belongs elsewhere has passed both.
  const passed = Effect.andThen(saw(seen, `${elsewhere}/2`), until(asideOf(store), ({ length }) => length === 2))
  yield* running(store, processor, passed)
  assert.deepStrictEqual(yield* asideOf(store), [`${failing}/1 parked 1`, `${failing}/2 behind 0`])
  gate.closeUnsafe()
  key.isBroken = false
  yield* resume(store, "picky")
  seen.length = 0
  const settled = Effect.andThen(append(store, beside, 1), saw(seen, `${beside}/1`))
  return { gate, processor, seen, settled, store }
})

describe("an event that is taken over by the partition whose it turns out to be", () => {
  it.live("lets what waited behind it go on where it failed", () =>
    Effect.gen(function*() {
      const { gate, processor, seen, settled, store } = yield* mended
      const goneOn = Effect.gen(function*() {
        yield* settled
        gate.openUnsafe()
        yield* saw(seen, `${failing}/1`)
        yield* append(store, failing, 3)
        yield* saw(seen, `${failing}/3`)
      })
      yield* running(store, processor, goneOn)
      const wanted = [`${beside}/1`, `${failing}/1`, `${failing}/2`, `${failing}/3`]
      assert.deepStrictEqual(seen.toSorted(), wanted.toSorted())
      assert.isBelow(seen.indexOf(`${failing}/2`), seen.indexOf(`${failing}/3`))
      assert.deepStrictEqual(yield* asideOf(store), [])
    }))

  it.live("isn't where it was dropped meanwhile", () =>
    Effect.gen(function*() {
      const { gate, processor, seen, settled, store } = yield* mended
      const dropped = Effect.gen(function*() {
        yield* settled
        const [first] = yield* listed(store)
        yield* dropParked(store, "picky", first?.position ?? 0)
        gate.openUnsafe()
        yield* append(store, elsewhere, 3)
        yield* saw(seen, `${elsewhere}/3`)
        assert.notInclude(seen, `${failing}/1`)
        yield* saw(seen, `${failing}/2`)
      })
      yield* running(store, processor, dropped)
      assert.notInclude(seen, `${failing}/1`)
      assert.deepStrictEqual(yield* asideOf(store), [`${failing}/1 dropped 1`])
    }))
})
