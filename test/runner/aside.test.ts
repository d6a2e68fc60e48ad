/** What one partition has put aside, and what is said of it: whoever says so, and whenever. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type Event, makeStore, Position, Seq, type StoreShape } from "@persist/core"
import { checkpoints, storedCheckpoint } from "@persist/core/checkpoint"
import { retryParked } from "@persist/runner"
import { notes, type Parked, parked, parkedKey } from "@persist/runner/names"
import { Aside } from "@persist/runner/parked"
import * as Effect from "effect/Effect"
import { newStore } from "./orders.ts"

const eventAt = (position: number): Event => ({
  stream: "s",
  seq: Seq(position),
  position: Position(position),
  type: "T",
  data: undefined,
  meta: undefined,
  id: undefined,
  at: 0
})

const park = (store: StoreShape, position: number, reader = "p", state: Parked["state"] = "parked") =>
  parked(store).put(parkedKey("p", position), {
    processor: "p",
    reader,
    keys: ["k"],
    stream: "s",
    seq: position,
    position,
    type: "T",
    state,
    attempts: []
  })

/** Goes through what is put aside, and answers what was tried again. */
const settled = Effect.fnUntraced(function*(aside: Aside) {
  const tried: Array<number> = []
  yield* aside.settle(Position(9), ({ value }) => Effect.sync(() => (tried.push(value.position), [])))
  return tried
})

describe("what is put aside", () => {
  it.effect("holds back an event by whichever of its keys", () =>
    Effect.gen(function*() {
      const aside = new Aside(yield* newStore, "p", "p")
      aside.hold(["held"])
      const events = [["free"], ["free", "held"], ["held", "free"]].map((keys, i) => ({ event: eventAt(i + 1), keys }))
      const { ready, waiting } = aside.portion(events, 0, 3)
      assert.deepStrictEqual(ready.map(({ event }) => event.position), [1])
      assert.deepStrictEqual(waiting.map(({ event }) => event.position), [2, 3])
    }))

  it.effect("is tried again where somebody asked for it while nobody ran the partition", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* park(store, 1)
      yield* retryParked(store, "p", 1)
      const aside = new Aside(store, "p", "p")
      yield* aside.load(Position(9))
      assert.deepStrictEqual(yield* settled(aside), [1])
      assert.deepStrictEqual(yield* settled(aside), [])
    }))

  it.effect("is tried again where somebody asks for it just as it was looked at", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const store = yield* makeStore(backend)
      yield* park(store, 1)
      let isAsked = false
      const slow = yield* makeStore({
        ...backend,
        scan: (range) =>
          Effect.tap(backend.scan(range), () => isAsked ? Effect.orDie(retryParked(store, "p", 1)) : Effect.void)
      })
      const aside = new Aside(slow, "p", "p")
      yield* aside.load(Position(9))
      yield* settled(aside)
      isAsked = true
      yield* aside.load(Position(9))
      isAsked = false
      assert.deepStrictEqual(yield* settled(aside), [1])
    }))

  describe("by another partition, that this one comes to as its own,", () => {
    const events = [5, 6].map((position) => ({ event: eventAt(position), keys: ["k"] }))
    // The first is parked there, and the second dropped.
    const comesTo = Effect.fnUntraced(function*(reached: number) {
      const store = yield* newStore
      yield* park(store, 5, "p#1")
      yield* park(store, 6, "p#1", "dropped")
      const at = storedCheckpoint(store.about, reached, { prefix: "", types: undefined })
      yield* checkpoints(store).put("p#1", at)
      const aside = new Aside(store, "p", "p#0")
      yield* aside.load(Position(0))
      const { ready, waiting } = aside.portion(events, 0, 2)
      return { aside, ready, store, waiting }
    })

    it.effect("is removed with what comes of it, and noted where it was dropped, as it still is", () =>
      Effect.gen(function*() {
        const { aside, ready, store, waiting } = yield* comesTo(9)
        assert.deepStrictEqual([ready, waiting].map((some) => some.map(({ event }) => event.position)), [[5], [6]])
        const ops = [...aside.taken(ready), ...waiting.flatMap((each) => aside.pass(each))]
        yield* retryParked(store, "p", 6)
        assert.strictEqual((yield* store.commit(ops))._tag, "Conflict")
        yield* aside.load(Position(0))
        yield* store.commit([...aside.taken(ready), ...waiting.flatMap((each) => aside.pass(each))])
        assert.deepStrictEqual(yield* Effect.all([parked(store).count(), notes(store).count()]), [1, 1])
      }))

    it.effect("is left alone where that one has yet to come to it, as after a reset, but for what was dropped", () =>
      Effect.gen(function*() {
        const { aside, ready, waiting } = yield* comesTo(4)
        assert.deepStrictEqual([ready, waiting].map((some) => some.map(({ event }) => event.position)), [[5], [6]])
        assert.deepStrictEqual(aside.taken(ready), [])
      }))
  })
})
