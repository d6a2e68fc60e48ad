/** Compaction: shorter streams, the same answers, and nothing lost that anybody registered still needs. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  compact,
  fold,
  Invalid,
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
  Seq,
  SnapshotPolicy,
  type StoreShape,
  subscribe
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { makeFaulty } from "./faulty.ts"
import { append, Ledger, memoryStore, sum, sumOf, upTo, warningsIn } from "./ledger.ts"

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

describe("compaction", () => {
  it.effect("removes what the snapshot stands in for, and the answers stay", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const before = yield* project(store, sum, { stream: "a" })
      const done = yield* compact(store, { projection: sum, stream: "a" })
      assert.deepStrictEqual({ ...done, snapshot: undefined }, {
        stream: "a",
        removed: 9,
        first: Seq(10),
        boundedBy: { _tag: "Snapshot", seq: Seq(10) },
        snapshot: undefined
      })
      assert.strictEqual(done.snapshot?.seq, 10)
      assert.strictEqual(yield* firstOf(store, "a"), 10)
      const after = yield* load(store, sum, { stream: "a" })
      assert.deepStrictEqual([after.state, after.seq, after.replayed], [before.state, before.seq, 0])
      yield* append(store, "a", 11)
      const tail = yield* Stream.runCollect(store.log(Ledger).read("a", { from: 11 }))
      const grown = yield* load(store, sum, { stream: "a", snapshots: SnapshotPolicy.never })
      assert.deepStrictEqual(grown.state, fold(sum, tail, before))
      // Other streams are as they were.
      assert.strictEqual((yield* project(store, sum, { stream: "b" })).replayed, 3)
    }))

  it.effect("a dry run tells what would be done, and does nothing", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      const head = yield* backend.head
      const would = yield* compact(store, { projection: sum, stream: "a", keepEvents: 4, dryRun: true })
      assert.deepStrictEqual(would, {
        stream: "a",
        removed: 6,
        first: would.first,
        boundedBy: { _tag: "Keep", events: 4 },
        snapshot: undefined
      })
      assert.strictEqual(would.first, 7)
      assert.strictEqual(yield* backend.head, head)
      const done = yield* compact(store, { projection: sum, stream: "a", keepEvents: 4 })
      assert.deepStrictEqual({ ...done, snapshot: undefined }, would)
      assert.strictEqual(yield* firstOf(store, "a"), 7)
    }))

  it.effect("there may be nothing to remove", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      for (const options of [{ stream: "nowhere" }, { stream: "a", keepEvents: 10 }, { stream: "a", keepEvents: 99 }]) {
        const { removed, snapshot } = yield* compact(store, { projection: sum, ...options })
        assert.deepStrictEqual([removed, snapshot], [0, undefined])
      }
      yield* compact(store, { projection: sum, stream: "a" })
      assert.strictEqual((yield* compact(store, { projection: sum, stream: "a" })).removed, 0)
    }))

  it.effect("snapshot and truncation are one commit: whenever it breaks off, the answer is the same", () =>
    Effect.gen(function*() {
      for (const fault of ["refused", "dies before", "dies after"] as const) {
        for (let n = 1; n <= 3; n++) {
          const faulty = yield* makeFaulty()
          const store = yield* makeStore(faulty.backend, { retries: 0 })
          yield* append(store, "a", ...upTo(9))
          yield* saveSnapshot(store, sum, { stream: "a" })
          yield* append(store, "a", 10)
          const { state } = yield* load(store, sum, { stream: "a", snapshots: SnapshotPolicy.never })
          faulty.failAt(n, fault)
          yield* Effect.exit(compact(store, { projection: sum, stream: "a", keep: 1 }))
          const again = yield* makeStore(faulty.backend)
          assert.deepStrictEqual((yield* load(again, sum, { stream: "a" })).state, state)
          yield* compact(again, { projection: sum, stream: "a" })
          assert.deepStrictEqual((yield* load(again, sum, { stream: "a" })).state, state)
          assert.strictEqual(yield* firstOf(again, "a"), 10)
        }
      }
    }))

  it.effect("a projection that needs what is gone is told, on its own stream and over all of them", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, count, { prefix: "b" })
      yield* saveSnapshot(store, count, { all: true })
      yield* append(store, "a", 11, 12)
      const whole = yield* project(store, count, { all: true })
      yield* compact(store, { projection: sum, stream: "a" })
      for (const scope of [{ stream: "a" }, { streams: ["a", "b"] }, { all: true }, { prefix: "a" }] as const) {
        for (
          const fault of [
            yield* Effect.flip(project(store, count, scope)),
            yield* Effect.flip(load(store, count, scope)),
            yield* Effect.flip(load(store, sumOf(2), scope))
          ]
        ) {
          assert.instanceOf(fault, Invalid)
          assert.match(fault.reason, /stream "a"/)
          assert.match(fault.remedy, /allowTruncated/)
        }
        const rest = yield* load(store, count, { ...scope, allowTruncated: true })
        assert.isBelow(rest.state, whole.state)
      }
      assert.strictEqual((yield* load(store, count, { prefix: "b" })).state, 3)
    }))

  it.effect("a snapshot that was saved before of everything still holds what it needs", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, count, { all: true })
      yield* compact(store, { projection: sum, stream: "a" })
      yield* append(store, "b", 1)
      const loaded = yield* load(store, count, { all: true })
      assert.deepStrictEqual([loaded.state, loaded.replayed], [14, 1])
    }))

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

  it.effect("a registered projection doesn't hold up its own compaction, and its reader and snapshots go on with it", () =>
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
      const slower = yield* saveSnapshot(late, sum, { stream: "a" })
      assert.strictEqual(slower?.seq, 2)
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

  it.effect("as a policy: off by default, on with keepEvents", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* load(store, sum, { stream: "a", snapshots: SnapshotPolicy.every(1) })
      assert.strictEqual(yield* firstOf(store, "a"), 1)
      yield* append(store, "a", 11, 12)
      const compacting = SnapshotPolicy.every(2, { keepEvents: 3 })
      const { state } = yield* load(store, sum, { stream: "a", snapshots: compacting })
      assert.strictEqual(yield* firstOf(store, "a"), 10)
      assert.deepStrictEqual((yield* load(store, sum, { stream: "a" })).state, state)
      // Where nothing may go, the snapshot is saved all the same.
      yield* registerReader(store, "slow")
      yield* append(store, "b", 1)
      assert.strictEqual((yield* load(store, sum, { stream: "b", snapshots: compacting })).replayed, 4)
      assert.strictEqual((yield* load(store, sum, { stream: "b", snapshots: compacting })).replayed, 0)
      assert.strictEqual(yield* firstOf(store, "b"), 1)
    }))

  it.effect("a load that meets a compaction half way begins again from its snapshot", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* append(store, "a", ...upTo(2500))
      const expected = yield* project(store, sum, { stream: "a" })
      let pages = 0
      const racing = yield* makeStore({
        ...memory,
        readStream: (range) =>
          Effect.tap(memory.readStream(range), () =>
            range.limit > 1 && ++pages === 1
              ? Effect.orDie(compact(store, { projection: sum, stream: "a" }))
              : Effect.void)
      })
      const loaded = yield* load(racing, sum, { stream: "a" })
      assert.deepStrictEqual([loaded.state, loaded.from?.seq], [expected.state, expected.seq])
      assert.isAbove(pages, 1)
    }))

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

  it.effect("what can't be loaded any more can't be compacted or registered", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* store.log().truncate("a", 3)
      assert.instanceOf(yield* Effect.flip(compact(store, { projection: sum, stream: "a" })), Invalid)
      assert.instanceOf(yield* Effect.flip(registerProjection(store, sum, { all: true })), Invalid)
      assert.strictEqual(yield* firstOf(store, "a"), 3)
    }))

  it.effect("refuses a state that can't be kept, before anything is removed", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const map = Projection.make({ name: "map", version: 1, seed: new Map(), events: Ledger, step: (m) => m })
      assert.instanceOf(yield* Effect.flip(compact(store, { projection: map, stream: "a" })), Invalid)
      const { warnings } = yield* warningsIn(
        load(store, map, { stream: "a", snapshots: SnapshotPolicy.every(1, { keepEvents: 1 }) })
      )
      assert.strictEqual(warnings.length, 1)
      assert.strictEqual(yield* firstOf(store, "a"), 1)
    }))

  it.effect("refuses options that can't be right", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const wrong: ReadonlyArray<readonly [field: string, options: object]> = [
        ["keep", { keep: 0 }],
        ["keepEvents", { keepEvents: 0 }],
        ["dryRun", { dryRun: "yes" }],
        ["kept", { kept: 1 }],
        ["stream", { stream: "" }]
      ]
      for (const [field, options] of wrong) {
        const fault = yield* Effect.flip(compact(store, { projection: sum, stream: "a", ...options }))
        assert.strictEqual(fault._tag === "Invalid" && fault.field, field)
      }
      assert.strictEqual(yield* firstOf(store, "a"), 1)
    }))
})
