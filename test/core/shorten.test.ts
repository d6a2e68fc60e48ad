/** Truncating below a snapshot: nothing goes that anybody registered still needs, whoever else is at it. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  compact,
  load,
  makeStore,
  moveCheckpoint,
  Position,
  project,
  Projection,
  readCheckpoint,
  registerProjection,
  registerReader,
  removeReader,
  saveSnapshot,
  type StoreShape,
  subscribe
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { append, Ledger, memoryStore, sum, upTo, warningsIn } from "./ledger.ts"

/** Another projection on the same streams. */
const count = Projection.make({ name: "count", version: 1, seed: 0, events: Ledger, step: (n) => n + 1 })

const filled = Effect.gen(function*() {
  const { backend, store } = yield* memoryStore
  yield* append(store, "a", ...upTo(6))
  yield* append(store, "b", ...upTo(3))
  yield* append(store, "a", ...upTo(4))
  return { backend, store }
})

const firstOf = (store: StoreShape, stream: string) =>
  Effect.map(store.log().info(stream), (info) => Number(info?.first))

const move = Effect.fnUntraced(function*(store: StoreShape, name: string, position: number) {
  const found = Option.getOrThrow(yield* readCheckpoint(store, name))
  assert.notProperty(yield* moveCheckpoint(store, found, position), "_tag")
})

describe("shorten", () => {
  it.effect("never removes what a subscription has yet to read, and says which one", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* registerReader(store, "slow", { prefix: "a" })
      yield* registerReader(store, "elsewhere", { prefix: "b" })
      yield* registerReader(store, "fast", { from: "end" })
      const first = yield* compact(store, { projection: sum, stream: "a" })
      assert.strictEqual(first.removed, 0)
      assert.deepStrictEqual(first.boundedBy, { _tag: "Reader", name: "slow", position: Position(0) })
      yield* move(store, "slow", 4)
      const second = yield* compact(store, { projection: sum, stream: "a" })
      // It has read event 4, which stays all the same for its own snapshot to be known by.
      assert.strictEqual(second.removed, 3)
      assert.strictEqual(second.boundedBy._tag === "Reader" && second.boundedBy.name, "slow")
      const rest = yield* Stream.runCollect(Stream.take(
        subscribe(store, { events: Ledger, from: { position: 4 }, prefix: "a" }),
        6
      ))
      assert.deepStrictEqual(rest.map(({ seq }) => Number(seq)), [5, 6, 7, 8, 9, 10])
      yield* removeReader(store, "slow")
      assert.strictEqual((yield* compact(store, { projection: sum, stream: "a" })).first, 10)
    }))

  it.effect("a second, slower projection that is registered still equals a full replay", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const expected = yield* project(store, count, { all: true })
      const { name, position } = yield* registerProjection(store, count, { all: true })
      assert.strictEqual(position, 0)
      assert.strictEqual((yield* compact(store, { projection: sum, stream: "a" })).removed, 0)
      assert.deepStrictEqual((yield* load(store, count, { all: true })).state, expected.state)
      // With a snapshot of its own it lets go of what that holds.
      yield* saveSnapshot(store, count, { all: true })
      yield* append(store, "a", 20, 21)
      const { boundedBy, removed } = yield* compact(store, { projection: sum, stream: "a" })
      assert.deepStrictEqual([removed, boundedBy._tag === "Reader" && boundedBy.name], [9, name])
      assert.strictEqual((yield* load(store, count, { all: true })).state, 15)
      assert.strictEqual((yield* load(store, sum, { stream: "a" })).state.seen, 12)
    }))

  it.effect("a registered projection doesn't hold up its own compaction: its reader goes on with it", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      yield* saveSnapshot(store, sum, { stream: "a" })
      const { name } = yield* registerProjection(store, sum, { stream: "a" })
      yield* append(store, "a", 11, 12)
      const done = yield* compact(store, { projection: sum, stream: "a", keep: 1 })
      assert.deepStrictEqual([done.removed, done.boundedBy._tag], [11, "Snapshot"])
      const found = Option.getOrThrow(yield* readCheckpoint(store, name))
      assert.strictEqual(found.position, done.snapshot?.position)
      const kept = yield* backend.scan({
        namespace: "$snapshot",
        gte: undefined,
        lt: undefined,
        limit: 9,
        reverse: false
      })
      assert.deepStrictEqual(kept.map(({ key }) => key), [done.snapshot?.key])
    }))

  it.effect("a slower save doesn't set a registered projection's reader back", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* append(store, "a", 1, 2)
      const { name } = yield* registerProjection(store, sum, { stream: "a" })
      let raced = false
      const late = yield* makeStore({
        ...memory,
        commit: (batch) => {
          if (raced) return memory.commit(batch)
          raced = true
          const faster = Effect.andThen(append(store, "a", 3), saveSnapshot(store, sum, { stream: "a" }))
          return Effect.andThen(Effect.orDie(faster), memory.commit(batch))
        }
      })
      const { value: slower, warnings } = yield* warningsIn(saveSnapshot(late, sum, { stream: "a" }))
      assert.strictEqual(slower?.seq, 2)
      assert.deepStrictEqual(warnings, [])
      const { position } = Option.getOrThrow(yield* readCheckpoint(store, name))
      const { from, replayed } = yield* load(store, sum, { stream: "a" })
      assert.deepStrictEqual([from?.seq, from?.position, replayed].map(Number), [3, position, 0])
    }))

  it("whatever is registered, saved and compacted, every registered projection answers as if nothing was", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            do: fc.constantFrom(
              "append",
              "append",
              "save sum",
              "save count",
              "save all",
              "compact sum",
              "compact count"
            ),
            stream: fc.constantFrom("a", "b"),
            keepEvents: fc.integer({ min: 1, max: 4 })
          }),
          { minLength: 1, maxLength: 25 }
        ),
        (actions) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { store } = yield* memoryStore
            const plain = (yield* memoryStore).store
            for (const stream of ["a", "b"]) {
              for (const projection of [sum, count]) {
                yield* registerProjection(store, projection as typeof sum, { stream })
              }
            }
            yield* registerProjection(store, count, { all: true })
            let n = 0
            for (const { do: action, keepEvents, stream } of actions) {
              if (action === "append") {
                n++
                yield* append(store, stream, n, n + 1)
                yield* append(plain, stream, n, n + 1)
              } else if (action === "save sum") yield* saveSnapshot(store, sum, { stream, keep: 1 })
              else if (action === "save count") yield* saveSnapshot(store, count, { stream, keep: 1 })
              else if (action === "save all") yield* saveSnapshot(store, count, { all: true, keep: 1 })
              else if (action === "compact sum") yield* compact(store, { projection: sum, stream, keepEvents, keep: 1 })
              else yield* compact(store, { projection: count, stream, keepEvents, keep: 1 })
            }
            for (const scope of [{ stream: "a" }, { stream: "b" }] as const) {
              assert.deepStrictEqual((yield* load(store, sum, scope)).state, (yield* project(plain, sum, scope)).state)
              assert.strictEqual((yield* load(store, count, scope)).state, (yield* project(plain, count, scope)).state)
            }
            assert.strictEqual((yield* load(store, count, { all: true })).state, n * 2)
          })))
      ),
      { numRuns: 120 }
    ))

  it.effect("of two compactions at once the second looks again", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* append(store, "a", ...upTo(9))
      yield* saveSnapshot(store, sum, { all: true })
      let raced = false
      const late = yield* makeStore({
        ...memory,
        commit: (batch) => {
          if (raced) return memory.commit(batch)
          raced = true
          return Effect.andThen(Effect.orDie(compact(store, { projection: count, stream: "a" })), memory.commit(batch))
        }
      })
      const done = yield* compact(late, { projection: sum, stream: "a", keepEvents: 5 })
      assert.strictEqual(done.removed, 0)
      assert.strictEqual(yield* firstOf(store, "a"), 9)
      const note = yield* memory.get([{ namespace: "$compaction", key: "a" }])
      assert.match(String(note[0]?.value), /"before":9/)
    }))

  it.effect("a reader of another history stops it, and the failure says which", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      yield* registerReader(store, "stale", { from: { position: 2 } })
      const restored = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "restored" } })
      const fault = yield* Effect.flip(compact(restored, { projection: sum, stream: "a" }))
      assert.strictEqual(fault._tag, "Corrupt")
      assert.match(fault.message, /stale/)
      assert.strictEqual(yield* firstOf(store, "a"), 1)
    }))
})
