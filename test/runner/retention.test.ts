/** What a processor has parked stays in the log until it went through or was dropped, however far others have come. */
import { assert, describe, it } from "@effect/vitest"
import { compact, type ParkedBound, planRetention, Position, Projection, retain, type StoreShape } from "@persist/core"
import { dropParked, listParked, retryParked, run, subscription, whenProcessed } from "@persist/runner"
import { notes, parked, parkedKey } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

/** A store of two streams of five, of which a processor that runs has parked what comes from the third of one on. */
const withParked = Effect.gen(function*() {
  const store = yield* newStore
  yield* fill(store, 2, 5)
  const seen: Array<number> = []
  let broken = true
  const picky = subscription({
    name: "picky",
    events: Counted,
    failure: { retries: 0, finally: "park" },
    handle: ({ data, stream }) =>
      Effect.suspend(() => {
        if (broken && stream === "order-1" && data.n === 3) return Effect.fail("no")
        seen.push(data.n)
        return Effect.void
      })
  })
  yield* Effect.forkChild(run(store, [picky], quick))
  const aside = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 3)
  yield* whenProcessed(store, picky, yield* store.head)
  return {
    store,
    seen,
    positions: aside.map(({ position }) => position),
    mend: () => {
      broken = false
    }
  }
})

const rule = { prefix: "", maxCount: 1 }

const plan = (store: StoreShape) =>
  Effect.map(
    Stream.runCollect(planRetention(store, rule)),
    (cuts) => cuts.map(({ boundedBy, held, removed, stream }) => [stream, removed, held, boundedBy])
  )

const counted = Projection.make({
  name: "counted",
  version: 1,
  events: Counted,
  seed: 0,
  state: Schema.Int,
  step: (count: number) => count + 1
})

describe("what is parked", () => {
  it.live("bounds retention, which names it, and then goes through", () =>
    Effect.gen(function*() {
      const { mend, positions: [first = 0], seen, store } = yield* withParked
      const bound: ParkedBound = { _tag: "Parked", processor: "picky", position: Position(first) }
      assert.deepStrictEqual(yield* plan(store), [
        ["order-0", 4, 0, { _tag: "Rule" }],
        ["order-1", 2, 2, bound]
      ])
      assert.deepStrictEqual(yield* retain(store, rule), { streams: 2, events: 6, held: 2 })
      mend()
      yield* retryParked(store, "picky", first)
      yield* until(Effect.sync(() => seen.length === 10))
      assert.deepStrictEqual(seen.slice(7), [3, 4, 5])
      yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 0)
      assert.deepStrictEqual(yield* plan(store), [["order-1", 2, 0, { _tag: "Rule" }]])
    }))

  it.live("by several bounds retention by the first of them that is still there", () =>
    Effect.gen(function*() {
      const { positions: [first = 0], store } = yield* withParked
      const early = first - 2
      yield* parked(store).put(parkedKey("zealous", early), {
        processor: "zealous",
        reader: "zealous",
        keys: ["order-1"],
        stream: "order-1",
        seq: 2,
        position: early,
        type: "Counted",
        state: "parked",
        attempts: []
      })
      const by = (processor: string, position: number): ParkedBound => ({
        _tag: "Parked",
        processor,
        position: Position(position)
      })
      assert.deepStrictEqual((yield* plan(store))[1], ["order-1", 1, 3, by("zealous", early)])
      yield* store.log().truncate("order-1", 3)
      assert.deepStrictEqual((yield* plan(store))[1], ["order-1", 0, 2, by("picky", first)])
    }))

  it.live("bounds compaction", () =>
    Effect.gen(function*() {
      const { positions: [first = 0], store } = yield* withParked
      const { boundedBy, removed } = yield* compact(store, { projection: counted, stream: "order-1" })
      assert.deepStrictEqual([removed, boundedBy], [2, { _tag: "Parked", processor: "picky", position: first }])
      const other = yield* compact(store, { projection: counted, stream: "order-0" })
      assert.deepStrictEqual([other.removed, other.boundedBy._tag], [4, "Snapshot"])
    }))

  it.live("bounds nothing once it was dropped", () =>
    Effect.gen(function*() {
      const { positions: [first = 0, , third = 0], store } = yield* withParked
      yield* dropParked(store, "picky", third)
      yield* dropParked(store, "picky", first)
      // What waited behind it goes through.
      yield* until(
        Stream.runCollect(listParked(store)),
        (left) => left.every(({ state }) => state === "dropped")
      )
      assert.deepStrictEqual((yield* plan(store))[1], ["order-1", 4, 0, { _tag: "Rule" }])
    }))

  it.live("bounds nothing once it was dropped, whoever had noted that its key can't be told", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      const partitions = 4
      const keyless = subscription({
        name: "keyless",
        events: Counted,
        partitions,
        failure: { retries: 0, finally: "park" },
        key: ({ seq, stream }) => {
          if (seq === 1) throw new Error("no key")
          return stream
        },
        handle: () => Effect.void
      })
      yield* Effect.forkChild(run(store, [keyless], quick))
      const [first] = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 2)
      yield* until(notes(store).count(), (count) => count === partitions - 1)
      // The second is behind it.
      yield* whenProcessed(store, keyless, yield* store.head)
      const position = Position(first?.position ?? 0)
      const bound: ParkedBound = { _tag: "Parked", processor: "keyless", position }
      assert.deepStrictEqual(yield* plan(store), [["order-0", 0, 1, bound]])
      yield* dropParked(store, "keyless", position)
      assert.deepStrictEqual(yield* plan(store), [["order-0", 1, 0, { _tag: "Rule" }]])
    }))
})
