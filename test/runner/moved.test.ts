/** Parked events whose key is another partition's by the time they are tried again, as after a mended key function. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import { dropParked, listParked, retryParked, subscription } from "@persist/runner"
import { partitionOf } from "@persist/runner/partition"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { asideOf, parking, running } from "./picky.ts"
import { until } from "./until.ts"

/** A key of either partition. */
const [here = "", there = ""] = [0, 1].map((index) =>
  ["a", "b", "c", "d", "e", "f"].find((key) => partitionOf(2, key).index === index)
)

/** Keeps order-0 in order by a key that changes, and fails at its events while it's broken. */
const moving = () => {
  const seen: Array<string> = []
  const state = { key: here, isBroken: true }
  const processor = subscription({
    name: "picky",
    events: Counted,
    partitions: 2,
    failure: parking,
    key: ({ stream }) => stream === "order-0" ? state.key : there,
    handle: ({ seq, stream }) =>
      Effect.suspend(() => {
        if (state.isBroken && stream === "order-0") return Effect.fail("no")
        return Effect.sync(() => seen.push(`${stream}/${seq}`))
      })
  })
  return { processor, seen, state }
}

const first = (store: StoreShape) =>
  Effect.map(Stream.runHead(listParked(store, "picky")), Option.match({ onNone: () => 0, onSome: (e) => e.position }))

const saw = (seen: ReadonlyArray<string>, event: string) => until(Effect.sync(() => seen.includes(event)))

/** Two events of order-0 are put aside in the first partition, and the second has come further. */
const aside = Effect.fnUntraced(function*() {
  const store = yield* newStore
  const { processor, seen, state } = moving()
  yield* fill(store, 2, 2)
  const parked = until(asideOf(store), ({ length }) => length === 2)
  yield* running(store, processor, Effect.andThen(saw(seen, "order-1/2"), parked))
  state.key = there
  state.isBroken = false
  return { processor, seen, store }
})

describe("a parked event whose key is another partition's by now", () => {
  it.live("is handled by that one when it's tried again, and so is what waits behind it, once", () =>
    Effect.gen(function*() {
      const { processor, seen, store } = yield* aside()
      const again = Effect.gen(function*() {
        yield* retryParked(store, "picky", yield* first(store))
        yield* until(asideOf(store), ({ length }) => length === 0)
        yield* fill(store, 1, 1, 3)
        yield* saw(seen, "order-0/3")
      })
      yield* running(store, processor, again)
      assert.deepStrictEqual(seen, ["order-1/1", "order-1/2", "order-0/1", "order-0/2", "order-0/3"])
    }))

  it.live("is handled by that one when it comes to it, and isn't parked any more", () =>
    Effect.gen(function*() {
      const { processor, seen, store } = yield* aside()
      // It hasn't come to any of them.
      const found = Option.getOrThrow(yield* checkpoints(store).get("picky#1"))
      yield* checkpoints(store).put("picky#1", { ...found, position: 0 })
      seen.length = 0
      yield* running(store, processor, saw(seen, "order-1/2"))
      assert.deepStrictEqual(seen, ["order-0/1", "order-1/1", "order-0/2", "order-1/2"])
      assert.deepStrictEqual(yield* asideOf(store), [])
    }))

  it.live("stays dropped where that one comes to it, and is handled once where it's asked for again", () =>
    Effect.gen(function*() {
      const { processor, seen, store } = yield* aside()
      const position = yield* first(store)
      yield* dropParked(store, "picky", position)
      const found = Option.getOrThrow(yield* checkpoints(store).get("picky#1"))
      yield* checkpoints(store).put("picky#1", { ...found, position: 0 })
      seen.length = 0
      const again = Effect.gen(function*() {
        yield* saw(seen, "order-1/2")
        assert.deepStrictEqual(seen, ["order-1/1", "order-0/2", "order-1/2"])
        yield* retryParked(store, "picky", position)
        yield* until(asideOf(store), ({ length }) => length === 0)
        yield* fill(store, 1, 1, 3)
        yield* saw(seen, "order-0/3")
      })
      yield* running(store, processor, again)
      assert.deepStrictEqual(seen.slice(3), ["order-0/1", "order-0/3"])
    }))
})
