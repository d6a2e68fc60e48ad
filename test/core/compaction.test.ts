/** Compaction: shorter streams, the same answers, and whoever needed the rest is told. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  compact,
  fold,
  Invalid,
  load,
  makeStore,
  project,
  Projection,
  registerProjection,
  registerReader,
  saveSnapshot,
  Seq,
  SnapshotPolicy,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
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

  it.effect("goes on from what another one leaves that compacts the stream meanwhile", () =>
    Effect.gen(function*() {
      const { backend, store: rival } = yield* filled
      let met = false
      const store = yield* makeStore({
        ...backend,
        // Before anything is removed, the last event of that is looked at.
        readStream: (range) => {
          if (met || range.from !== range.to) return backend.readStream(range)
          met = true
          const compacted = Effect.orDie(compact(rival, { projection: sum, stream: "a" }))
          return Effect.andThen(compacted, backend.readStream(range))
        }
      })
      const done = yield* compact(store, { projection: sum, stream: "a", keepEvents: 3 })
      assert.isTrue(met)
      assert.deepStrictEqual([done.removed, Number(done.first), done.snapshot], [0, 10, undefined])
      assert.deepStrictEqual(
        (yield* load(store, sum, { stream: "a" })).state,
        (yield* load(rival, sum, { stream: "a" })).state
      )
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
