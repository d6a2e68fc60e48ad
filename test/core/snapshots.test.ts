/** Snapshots in an operator's hands: saved, listed and deleted, without ever losing what only they know. */
import { assert, describe, it } from "@effect/vitest"
import {
  compact,
  deleteSnapshots,
  listReaders,
  listSnapshots,
  load,
  makeStore,
  Position,
  Projection,
  registerProjection,
  saveSnapshot,
  Seq,
  type SnapshotFilter,
  Unavailable
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { append, Ledger, memoryStore, sum, sumOf, upTo, warningsIn } from "./ledger.ts"

const unavailable = new Unavailable({ operation: "commit", reason: "disk full", remedy: "make room" })

/** Named so that its keys begin like those of `sum`. */
const summary = Projection.make({ name: "sum\",1", version: 1, seed: 0, events: Ledger, step: (n) => n + 1 })

const filled = Effect.gen(function*() {
  const { backend, store } = yield* memoryStore
  yield* append(store, "a", ...upTo(3))
  yield* append(store, "b", ...upTo(2))
  return { backend, store }
})

describe("snapshots", () => {
  it.effect("a saved snapshot says what it is of, where it is and when it was saved", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const one = yield* saveSnapshot(store, sum, { stream: "a" })
      const some = yield* saveSnapshot(store, sum, { streams: ["b", "a"] })
      const all = yield* saveSnapshot(store, sum, { all: true })
      assert.isDefined(one)
      const { key: _key, revision: _revision, size: _size, ...said } = one
      assert.deepStrictEqual(said, {
        projection: "sum",
        version: 1,
        scope: { stream: "a" },
        seq: Seq(3),
        position: Position(3),
        savedAt: 0
      })
      assert.strictEqual(one.size, JSON.stringify((yield* load(store, sum, { stream: "a" })).state).length)
      assert.deepStrictEqual([some?.scope, some?.seq], [{ streams: ["a", "b"] }, undefined])
      assert.strictEqual(some?.position, one.revision)
      assert.deepStrictEqual([all?.scope, all?.seq], [{ all: true }, undefined])
      assert.deepStrictEqual(yield* Stream.runCollect(listSnapshots(store)), [all, some, one])
    }))

  it.effect("saving where nothing happened saves nothing", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      assert.isUndefined(yield* saveSnapshot(store, sum, { stream: "nowhere" }))
      assert.isUndefined(yield* saveSnapshot(store, sum, { prefix: "nowhere" }))
      assert.deepStrictEqual(yield* Stream.runCollect(listSnapshots(store)), [])
    }))

  it.effect("keeps as many as it's told, of each projection, version and scope", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, sumOf(2), { stream: "a" })
      yield* saveSnapshot(store, sum, { stream: "b" })
      const places = Effect.map(
        Stream.runCollect(listSnapshots(store, { projection: "sum", version: 1 })),
        (infos) => infos.map(({ scope, seq }) => ({ scope, seq: Number(seq) }))
      )
      for (const keep of [3, 3, 3, 3, 1]) {
        yield* append(store, "a", 1)
        yield* saveSnapshot(store, sum, { stream: "a", keep })
        if (keep === 3) assert.isAtMost((yield* places).length, 4)
      }
      assert.deepStrictEqual(yield* places, [{ scope: { stream: "a" }, seq: 8 }, { scope: { stream: "b" }, seq: 2 }])
      assert.strictEqual((yield* Stream.runCollect(listSnapshots(store))).length, 3)
    }))

  it.effect("once it is kept, what goes wrong with clearing up after it is only a warning", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* append(store, "a", 4)
      let commits = 0
      const failing = yield* makeStore({
        ...backend,
        commit: (batch) => ++commits === 1 ? backend.commit(batch) : Effect.fail(unavailable)
      }, { retries: 0 })
      const { value, warnings } = yield* warningsIn(saveSnapshot(failing, sum, { stream: "a", keep: 1 }))
      assert.strictEqual(value?.seq, 4)
      assert.deepStrictEqual(warnings, ["what follows a saved snapshot is left to the next one"])
      assert.strictEqual((yield* load(store, sum, { stream: "a" })).replayed, 0)
      yield* saveSnapshot(store, sum, { stream: "a", keep: 1 })
      assert.strictEqual(yield* Stream.runCount(listSnapshots(store)), 1)
    }))

  it.effect("lists and deletes by projection and version, and nothing with a name that looks alike", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      for (const projection of [sum, sumOf(2), sumOf(11)]) yield* saveSnapshot(store, projection, { stream: "a" })
      yield* saveSnapshot(store, summary, { stream: "a" })
      const count = (filter?: SnapshotFilter) => Stream.runCount(listSnapshots(store, filter))
      assert.deepStrictEqual(
        [
          yield* count(),
          yield* count({ projection: "sum" }),
          yield* count({ projection: "sum", version: 1 }),
          yield* count({ projection: "su" }),
          yield* count({ projection: summary.name })
        ],
        [4, 3, 1, 0, 1]
      )
      assert.deepStrictEqual(yield* deleteSnapshots(store, { projection: "sum", version: 1 }), { deleted: 1, kept: 0 })
      assert.deepStrictEqual([yield* count(), yield* count({ projection: "sum", version: 11 })], [3, 1])
      assert.deepStrictEqual(yield* deleteSnapshots(store), { deleted: 3, kept: 0 })
      assert.strictEqual((yield* load(store, sum, { stream: "a" })).replayed, 3)
    }))

  it.effect("lists what it can read, warns of the rest, and deletes both", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      const info = yield* saveSnapshot(store, sum, { stream: "a" })
      yield* saveSnapshot(store, sum, { stream: "b" })
      assert.isDefined(info)
      const write = [{ _tag: "Put", namespace: "$snapshot", key: info.key, value: "{}", meta: undefined }] as const
      yield* backend.commit([{ identity: undefined, at: 0, expect: [], append: [], truncate: [], write }])
      const { value, warnings } = yield* warningsIn(Stream.runCollect(listSnapshots(store)))
      assert.deepStrictEqual(value.map(({ scope }) => scope), [{ stream: "b" }])
      assert.deepStrictEqual(warnings, ["a snapshot can't be read"])
      assert.deepStrictEqual(yield* deleteSnapshots(store), { deleted: 2, kept: 0 })
    }))

  it.effect("what stands in for truncated events stays, unless it's forced out", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* saveSnapshot(store, sum, { stream: "b" })
      yield* saveSnapshot(store, sum, { all: true })
      yield* append(store, "a", 4)
      yield* compact(store, { projection: sum, stream: "a", keep: 3 })
      // Of stream a the newest of two, of everything the only one; stream b is whole.
      assert.deepStrictEqual(yield* deleteSnapshots(store), { deleted: 2, kept: 2 })
      assert.strictEqual((yield* load(store, sum, { stream: "a" })).state.seen, 4)
      assert.strictEqual((yield* load(store, sum, { stream: "b" })).replayed, 2)
      assert.deepStrictEqual(yield* deleteSnapshots(store, { force: true }), { deleted: 2, kept: 0 })
      assert.strictEqual((yield* Effect.flip(load(store, sum, { stream: "a" })))._tag, "Invalid")
    }))

  it.effect("a registered projection whose snapshots are deleted needs everything again", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, sum, { stream: "a" })
      const { name, position } = yield* registerProjection(store, sum, { stream: "a" })
      assert.strictEqual(position, 3)
      yield* deleteSnapshots(store)
      const readers = yield* listReaders(store)
      assert.deepStrictEqual(readers.map((reader) => [reader.name, Number(reader.position)]), [[name, 0]])
      const { boundedBy, removed } = yield* compact(store, { projection: sumOf(2), stream: "a" })
      assert.strictEqual(removed, 0)
      assert.deepStrictEqual(boundedBy, { _tag: "Reader", name, position: Position(0) })
    }))

  it.effect("streams with the longest names and the oddest ones have snapshots of their own", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      const most = store.about.limits.nameBytes
      const names = [
        "x".repeat(most),
        "x".repeat(most - 1),
        "\"".repeat(500),
        "\"".repeat(501),
        "[\"a\"]",
        "a\",\"b",
        "\u0000"
      ]
      for (const [i, name] of names.entries()) {
        yield* append(store, name, ...upTo(i + 1))
        yield* saveSnapshot(store, sum, { stream: name })
      }
      yield* saveSnapshot(store, sum, { streams: names })
      for (const [i, name] of names.entries()) {
        const { from, state } = yield* load(store, sum, { stream: name })
        assert.deepStrictEqual([from?.seq, state.seen], [i + 1, i + 1])
        assert.deepStrictEqual(from?.scope, { stream: name })
      }
      assert.strictEqual((yield* load(store, sum, { streams: names })).replayed, 0)
      assert.strictEqual(yield* Stream.runCount(listSnapshots(store, { projection: "sum" })), names.length + 1)
    }))

  it.effect("refuses options it doesn't know, and values that can't be right", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const faults = [
        yield* Effect.flip(saveSnapshot(store, sum, { stream: "a", keep: 0 })),
        yield* Effect.flip(saveSnapshot(store, sum, { stream: "a", asOf: { seq: 1 } } as { stream: string })),
        yield* Effect.flip(deleteSnapshots(store, { version: 0 })),
        yield* Effect.flip(deleteSnapshots(store, { forced: true } as object)),
        yield* Effect.flip(deleteSnapshots(store, { version: 1 })),
        yield* Effect.flip(Stream.runDrain(listSnapshots(store, { projection: "\ud800" })))
      ]
      assert.deepStrictEqual(
        faults.map((fault) => fault._tag === "Invalid" && fault.field),
        ["keep", "asOf", "version", "forced", "version", "projection"]
      )
      assert.deepStrictEqual(yield* Stream.runCollect(listSnapshots(store)), [])
    }))
})
