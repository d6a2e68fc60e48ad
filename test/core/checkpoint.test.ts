/** Checkpoints: saved by compare-and-set, never going back, and never misread in another history of the store. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  checkpointNamespace,
  checkpointOp,
  makeStore,
  moveCheckpoint,
  Position,
  readCheckpoint,
  registerReader,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const append = (store: StoreShape, count = 1) =>
  store.log().append("s", Array.from({ length: count }, (_, data) => ({ type: "N", data })), { expected: "any" })

const withEvents = (count: number) =>
  Effect.gen(function*() {
    const backend = yield* makeMemory()
    const store = yield* makeStore(backend)
    yield* append(store, count)
    return { backend, store }
  })

/** The same store after its history was replaced. */
const restored = (backend: BackendShape) =>
  makeStore({ ...backend, about: { ...backend.about, incarnation: "another" } })

const positionOf = (store: StoreShape, name: string) =>
  Effect.map(readCheckpoint(store, name), (found) => Option.isSome(found) ? Number(found.value.position) : undefined)

describe("checkpoint", () => {
  it.effect("what is saved is read, with the history it belongs to", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      const registered = yield* registerReader(store, "r", { prefix: "s", types: ["N"] })
      const saved = yield* moveCheckpoint(store, registered, 2)
      const read = yield* readCheckpoint(store, "r")
      assert.deepStrictEqual(read, Option.some(saved))
      assert.deepInclude(saved, { name: "r", position: Position(2), incarnation: store.about.incarnation, prefix: "s" })
      assert.deepInclude(saved, { types: ["N"] })
      assert.deepStrictEqual(yield* readCheckpoint(store, "nobody"), Option.none())
    }))

  it.effect("of two who hold the same checkpoint one saves and the other is fenced, with nothing changed", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      const held = yield* registerReader(store, "r")
      const mine = yield* moveCheckpoint(store, held, 1)
      const theirs = yield* moveCheckpoint(store, held, 3)
      assert.deepStrictEqual(theirs, { _tag: "Fenced", name: "r", position: held.position })
      assert.strictEqual(yield* positionOf(store, "r"), 1)
      if ("_tag" in mine) return assert.fail("the first is fenced")
      assert.notProperty(yield* moveCheckpoint(store, mine, 3), "_tag")
    }))

  it.effect("it moves with what was made of the events, or neither does", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      const held = yield* registerReader(store, "r")
      const sums = store.kv("sums", Schema.Int)
      const move = (position: number) =>
        store.commit([checkpointOp(store, held, position), sums.ops.put("all", position)])
      assert.strictEqual((yield* move(2))._tag, "Committed")
      assert.strictEqual((yield* move(3))._tag, "Conflict")
      assert.deepStrictEqual([yield* sums.get("all"), yield* positionOf(store, "r")], [Option.some(2), 2])
    }))

  it.effect("going back is refused, with the commit it was part of", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      const held = yield* moveCheckpoint(store, yield* registerReader(store, "r"), 2)
      if ("_tag" in held) return assert.fail("fenced")
      const error = yield* Effect.flip(moveCheckpoint(store, held, 1))
      assert.deepInclude(error, { _tag: "Invalid", field: "position" })
      assert.include(error.message, "reset")
      const kv = store.kv("k")
      const together = yield* Effect.flip(store.commit([checkpointOp(store, held, 1), kv.ops.put("a", 1)]))
      assert.strictEqual(together._tag, "Invalid")
      assert.deepStrictEqual([yield* kv.has("a"), yield* positionOf(store, "r")], [false, 2])
      assert.notProperty(yield* moveCheckpoint(store, held, 2), "_tag")
    }))

  it.effect("in another history of the store it is refused, not misread", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* withEvents(3)
      yield* registerReader(store, "r", { from: "end" })
      const error = yield* Effect.flip(readCheckpoint(yield* restored(backend), "r"))
      assert.strictEqual(error._tag, "Corrupt")
      assert.include(error.message, "\"r\"")
      assert.include(error.message, "another")
      assert.include(error.message, "reset")
    }))

  it.effect("beyond the head it is refused, as after a restore from a backup", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      const raw = store.system(checkpointNamespace, Schema.Json)
      yield* raw.put("r", { position: 1000, incarnation: store.about.incarnation, prefix: "" })
      const error = yield* Effect.flip(readCheckpoint(store, "r"))
      assert.strictEqual(error._tag, "Corrupt")
      assert.include(error.message, "1000")
      assert.include(error.message, "reset")
    }))

  it.effect("one that can't be read is refused", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(3)
      yield* store.system(checkpointNamespace, Schema.Json).put("r", { position: -1, incarnation: "x", prefix: "" })
      assert.strictEqual((yield* Effect.flip(readCheckpoint(store, "r")))._tag, "Corrupt")
    }))

  it.effect("saving leaves nothing of what it was before", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(9)
      let held = yield* registerReader(store, "r", { types: ["N"] })
      for (const position of [1, 2, 5, 9]) {
        const next = yield* moveCheckpoint(store, held, position)
        if ("_tag" in next) return assert.fail("fenced")
        held = next
      }
      const entries = yield* Stream.runCollect(store.system(checkpointNamespace, Schema.Json).scan())
      assert.deepStrictEqual(entries.map(({ key, value }) => ({ key, value })), [
        { key: "r", value: { position: 9, incarnation: store.about.incarnation, prefix: "", types: ["N"] } }
      ])
    }))

  it.effect("user code can't write where checkpoints are", () =>
    Effect.gen(function*() {
      const { store } = yield* withEvents(1)
      assert.strictEqual((yield* Effect.flip(store.kv(checkpointNamespace).put("r", 1)))._tag, "Invalid")
    }))
})
