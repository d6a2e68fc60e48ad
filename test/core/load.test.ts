/** Snapshot plus tail: the same answer as a full replay whatever there is to begin with, and less to read. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  compact,
  fold,
  Invalid,
  load,
  makeStore,
  Position,
  project,
  Projection,
  saveSnapshot,
  type Scope,
  SnapshotPolicy,
  type StoreShape,
  Unavailable
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { append, counted, Ledger, memoryStore, sum, sumOf, upTo, warningsIn } from "./ledger.ts"

const never = { snapshots: SnapshotPolicy.never }

const scopes: ReadonlyArray<Scope> = [{ stream: "a" }, { streams: ["a", "b"] }, { prefix: "a" }, { all: true }]

/** Puts anything under a snapshot's key, as a failing disk might. */
const overwrite = (backend: BackendShape, key: string, value: string) =>
  backend.commit([{
    identity: undefined,
    at: 0,
    expect: [],
    append: [],
    truncate: [],
    write: [{ _tag: "Put", namespace: "$snapshot", key, value, meta: undefined }]
  }])

const entries = (backend: BackendShape) =>
  backend.scan({ namespace: "$snapshot", gte: undefined, lt: undefined, limit: 1000, reverse: false })

/** A store that is a copy of another's events up to a position, as a backup would restore it, with all of its keys. */
const restored = Effect.fnUntraced(function*(backend: BackendShape, to: number, incarnation: string) {
  const memory = yield* makeMemory()
  const copy: BackendShape = { ...memory, about: { ...memory.about, incarnation } }
  const store = yield* makeStore(copy)
  const { items } = yield* backend.readAll({
    after: Position(0),
    to: Position(to),
    prefix: "",
    types: undefined,
    limit: 1000,
    reverse: false
  })
  for (const { at, data, stream, type } of items) {
    yield* store.log().append(stream, { type, at, data: JSON.parse(String(data)) }, { expected: "any" })
  }
  for (const { key, value } of yield* entries(backend)) yield* overwrite(copy, key, String(value))
  return { backend: copy, store }
})

describe("load", () => {
  it("snapshot plus tail is the full replay, at every split, for every scope", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "a/1"), fc.nat(9)), { minLength: 1, maxLength: 9 }),
        (history) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            for (const scope of scopes) {
              for (let split = 0; split <= history.length; split++) {
                const { store } = yield* memoryStore
                for (const [stream, n] of history.slice(0, split)) yield* append(store, stream, n)
                const saved = yield* saveSnapshot(store, sum, scope)
                for (const [stream, n] of history.slice(split)) yield* append(store, stream, n)
                const [whole, short] = [
                  yield* project(store, sum, scope),
                  yield* load(store, sum, { ...scope, ...never })
                ]
                assert.deepStrictEqual(short.state, whole.state)
                assert.strictEqual(short.seq, whole.seq)
                assert.strictEqual(short.from?.key, saved?.key)
                const before = saved === undefined ? 0 : (yield* project(store, sum, {
                  ...scope,
                  asOf: { position: saved.position }
                })).replayed
                assert.strictEqual(short.replayed, whole.replayed - before)
              }
            }
          })))
      ),
      { numRuns: 25 }
    ))

  it("a snapshot changes no answer, as of whatever moment", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(9), fc.nat(3)), { minLength: 1, maxLength: 10 }),
        fc.nat(10),
        fc.nat(10),
        (history, first, second) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { store } = yield* memoryStore
            for (const [i, [stream, n, at]] of history.entries()) {
              yield* store.log().append(stream, { type: "Added", data: n, at }, { expected: "any" })
              if (i === first || i === second) { for (const scope of scopes) yield* saveSnapshot(store, sum, scope) }
            }
            const head = yield* store.head
            for (const scope of scopes) {
              const moments = [
                ...upTo(head).map((position) => ({ position })),
                ...[0, 1, 2, 3].map((at) => ({ at }))
              ]
              for (const asOf of moments) {
                const [whole, short] = [
                  yield* project(store, sum, { ...scope, asOf }),
                  yield* load(store, sum, { ...scope, asOf })
                ]
                assert.deepStrictEqual([short.state, short.position], [whole.state, whole.position])
              }
            }
            for (const seq of upTo(yield* store.log().lastSeq("a"))) {
              const asOf = { stream: "a", asOf: { seq } }
              assert.deepStrictEqual((yield* load(store, sum, asOf)).state, (yield* project(store, sum, asOf)).state)
            }
          })))
      ),
      { numRuns: 40 }
    ))

  it.effect("reads the snapshot's last event and the tail, not the rest", () =>
    Effect.gen(function*() {
      const counting = counted(yield* makeMemory())
      const store = yield* makeStore(counting.backend)
      yield* append(store, "a", ...upTo(50))
      yield* append(store, "b", ...upTo(50))
      for (const scope of scopes) {
        yield* saveSnapshot(store, sum, scope)
        counting.events = 0
        const { replayed } = yield* load(store, sum, scope)
        assert.strictEqual(replayed, 0)
        assert.isAtMost(counting.events, 2)
        assert.isAbove(counting.events, 0)
      }
      yield* append(store, "a", 1, 2, 3)
      for (const scope of scopes) {
        counting.events = 0
        assert.strictEqual((yield* load(store, sum, { ...scope, ...never })).replayed, 3)
        assert.isAtMost(counting.events, 5)
      }
    }))

  it.effect("passes over snapshots of another version, state schema and scope, silently", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* saveSnapshot(store, sum, { stream: "a" })
      const make = (state: Schema.Codec<{ readonly total: number; readonly seen: number }>) =>
        Projection.make({ name: "sum", version: 1, state, seed: sum.seed, events: Ledger, step: sum.step })
      const finite = make(Schema.Struct({ total: Schema.Finite, seen: Schema.Finite }))
      const whole = make(Schema.Struct({ total: Schema.Int, seen: Schema.Int }))
      const { warnings } = yield* warningsIn(Effect.gen(function*() {
        assert.strictEqual((yield* load(store, sumOf(2), { stream: "a", ...never })).replayed, 4)
        assert.strictEqual((yield* load(store, finite, { stream: "a", ...never })).replayed, 4)
        assert.strictEqual((yield* load(store, sum, { prefix: "a", ...never })).replayed, 4)
        assert.strictEqual((yield* load(store, sum, { streams: ["a", "b"], ...never })).replayed, 4)
        yield* saveSnapshot(store, finite, { stream: "a" })
        assert.strictEqual((yield* load(store, whole, { stream: "a", ...never })).replayed, 4)
        assert.strictEqual((yield* load(store, finite, { stream: "a", ...never })).replayed, 0)
      }))
      assert.deepStrictEqual(warnings, [])
      assert.strictEqual((yield* load(store, sumOf(1), { stream: "a", ...never })).replayed, 4)
    }))

  it.effect("a corrupt snapshot costs a replay and a warning, whatever is wrong with it", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      for (const scope of scopes) {
        const full = yield* project(store, sum, scope)
        const info = yield* saveSnapshot(store, sum, scope)
        assert.isDefined(info)
        const good = (yield* entries(backend)).find(({ key }) => key === info.key)
        assert.isDefined(good)
        const text = String(good.value)
        const damaged = [
          "",
          "{",
          "null",
          "[]",
          "{}",
          text.slice(0, -1),
          text.replace("\\\"seen\\\":4", "\\\"seen\\\":5"),
          text.replace(/"latest":\d+/, "\"latest\":1"),
          text.replace(/"position":\d+/, "\"position\":1"),
          text.replace(/"digest":"."/, "\"digest\":\"0"),
          JSON.stringify({ ...JSON.parse(text), state: "{}" })
        ].filter((value) => value !== text)
        assert.isAtLeast(damaged.length, 9)
        for (const value of damaged) {
          yield* overwrite(backend, info.key, value)
          const { value: loaded, warnings } = yield* warningsIn(load(store, sum, { ...scope, ...never }))
          assert.deepStrictEqual(
            [loaded.state, loaded.replayed, loaded.from],
            [full.state, full.replayed, undefined],
            value
          )
          assert.deepStrictEqual(warnings, ["a snapshot can't be read, and is passed over"])
        }
        yield* overwrite(backend, info.key, text)
        assert.strictEqual((yield* load(store, sum, scope)).replayed, 0)
      }
    }))

  it.effect("falls back on the older snapshot where the newest is corrupt", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      const older = yield* saveSnapshot(store, sum, { stream: "a" })
      yield* append(store, "a", ...upTo(4))
      const newest = yield* saveSnapshot(store, sum, { stream: "a" })
      assert.isDefined(newest)
      yield* overwrite(backend, newest.key, "broken")
      const { value } = yield* warningsIn(load(store, sum, { stream: "a", ...never }))
      assert.deepStrictEqual([value.from?.key, value.replayed], [older?.key, 4])
    }))

  it.effect("a snapshot ahead of the log is passed over, and removed with the next save", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(10))
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* saveSnapshot(store, sum, { all: true })
      for (const incarnation of [backend.about.incarnation, "another"]) {
        const copy = yield* restored(backend, 6, incarnation)
        const expected = yield* project(copy.store, sum, { stream: "a" })
        assert.strictEqual(expected.replayed, 6)
        for (const scope of [{ stream: "a" }, { all: true }] as const) {
          const { value, warnings } = yield* warningsIn(load(copy.store, sum, { ...scope, ...never }))
          assert.deepStrictEqual([value.state, value.replayed], [expected.state, 6])
          assert.deepStrictEqual(warnings, ["a snapshot is of another history than the log's, and is passed over"])
        }
        // It goes on with other events, until there is one where the snapshot ends.
        yield* warningsIn(append(copy.store, "a", 40, 41))
        yield* warningsIn(saveSnapshot(copy.store, sum, { stream: "a" }))
        const kept = (yield* entries(copy.backend)).map(({ key }) => key).filter((key) => key.includes("Streams"))
        assert.strictEqual(kept.length, 1)
        assert.match(kept[0] ?? "", /0008$/)
      }
    }))

  it.effect("a snapshot of another history is not taken for this one's, also where the log has grown beyond it", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(10))
      for (const scope of scopes) yield* saveSnapshot(store, sum, scope)
      const copy = yield* restored(backend, 6, backend.about.incarnation)
      yield* append(copy.store, "a", ...upTo(20).map((n) => n + 30))
      const expected = yield* project(copy.store, sum, { stream: "a" })
      for (const scope of scopes) {
        const { value, warnings } = yield* warningsIn(load(copy.store, sum, { ...scope, ...never }))
        assert.deepStrictEqual([value.state, value.from], [expected.state, undefined])
        assert.strictEqual(warnings.length, 1)
      }
    }))

  it.effect("nothing slips in between a snapshot's last event and the moment it was saved, in a history gone another way", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      for (const n of upTo(9)) yield* store.kv("k").put("x", n)
      for (const scope of scopes) yield* saveSnapshot(store, sum, scope)
      assert.isAbove(yield* backend.head, 13)
      for (const incarnation of [backend.about.incarnation, "another"]) {
        const memory = yield* makeMemory()
        const copy = yield* makeStore({ ...memory, about: { ...memory.about, incarnation } })
        yield* append(copy, "a", ...upTo(4))
        // Positions that the other history gave to keys.
        yield* append(copy, "a", 21, 22)
        for (const { key, value } of yield* entries(backend)) yield* overwrite(memory, key, String(value))
        const expected = yield* project(copy, sum, { all: true })
        for (const scope of scopes) {
          const { value } = yield* warningsIn(load(copy, sum, { ...scope, ...never }))
          assert.deepStrictEqual(value.state, expected.state, JSON.stringify(scope))
        }
      }
    }))

  it.effect("a snapshot whose last event was compacted away in another stream still holds, in its own history", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", 1, 2)
      yield* append(store, "b", 1, 2)
      yield* saveSnapshot(store, sum, { prefix: "a" })
      yield* append(store, "b", 3, 4)
      yield* append(store, "a", 3)
      yield* compact(store, { projection: sum, stream: "b" })
      const { from, replayed } = yield* load(store, sum, { prefix: "a" })
      assert.deepStrictEqual([from?.scope, replayed], [{ prefix: "a" }, 1])
      const restoredStore = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "restored" } })
      const { value, warnings } = yield* warningsIn(load(restoredStore, sum, { prefix: "a" }))
      assert.deepStrictEqual([value.from, value.replayed, warnings.length], [undefined, 3, 1])
    }))

  it.effect("a snapshot under another's key isn't taken for its", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* append(store, "b", ...upTo(6))
      for (const stream of ["a", "b"]) yield* saveSnapshot(store, sum, { stream })
      yield* saveSnapshot(store, sumOf(2), { stream: "a" })
      const [ofA, ofB, ofOther] = yield* entries(backend)
      assert.isDefined(ofA)
      for (const wrong of [ofB, ofOther]) {
        assert.isDefined(wrong)
        yield* overwrite(backend, ofA.key, String(wrong.value))
        const { value, warnings } = yield* warningsIn(load(store, sum, { stream: "a", ...never }))
        assert.deepStrictEqual([value.state.seen, value.replayed, warnings.length], [4, 4, 1])
      }
      yield* overwrite(backend, ofA.key.replace(/4$/, "3"), String(ofA.value))
      const { value } = yield* warningsIn(load(store, sum, { stream: "a", asOf: { seq: 3 } }))
      assert.strictEqual(value.replayed, 3)
    }))

  it.effect("as of the very moment of a snapshot there is nothing to replay", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      for (const scope of scopes) yield* saveSnapshot(store, sum, scope)
      yield* append(store, "a", ...upTo(4))
      assert.strictEqual((yield* load(store, sum, { stream: "a", asOf: { seq: 4 } })).replayed, 0)
      for (const scope of [{ prefix: "a" }, { all: true }] as const) {
        assert.strictEqual((yield* load(store, sum, { ...scope, asOf: { position: 4 } })).replayed, 0)
      }
    }))

  it.effect("a restored store uses the snapshots that its own history bears out", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      for (const n of upTo(6)) yield* append(store, "a", n)
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* append(store, "a", 7)
      const copy = yield* restored(backend, 100, "another")
      assert.strictEqual((yield* load(copy.store, sum, { stream: "a", ...never })).replayed, 1)
      const same = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "restored" } })
      assert.strictEqual((yield* load(same, sum, { stream: "a", ...never })).replayed, 1)
    }))

  it.effect("a snapshot of a deleted stream isn't used, nor after it was begun again", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* store.log().delete("a", { expected: "any" })
      const refusal = Effect.flip(load(store, sum, { stream: "a" }))
      assert.instanceOf((yield* warningsIn(refusal)).value, Invalid)
      yield* append(store, "a", 9)
      assert.instanceOf((yield* warningsIn(refusal)).value, Invalid)
      const { value } = yield* warningsIn(load(store, sum, { stream: "a", allowTruncated: true }))
      const left = yield* Stream.runCollect(store.log(Ledger).readAll())
      assert.deepStrictEqual([value.state, value.from], [fold(sum, left), undefined])
    }))

  it.effect("what went over a hole is never saved", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* store.log().truncate("a", 2)
      for (const scope of scopes) {
        yield* load(store, sum, { ...scope, allowTruncated: true, snapshots: SnapshotPolicy.every(1) })
      }
      assert.deepStrictEqual(yield* entries(backend), [])
    }))
})

const saving = (store: StoreShape, snapshots: SnapshotPolicy, ...numbers: ReadonlyArray<number>) =>
  Effect.andThen(
    append(store, "a", ...numbers),
    Effect.map(load(store, sum, { stream: "a", snapshots }), ({ replayed }) => replayed)
  )

describe("snapshot-policy", () => {
  it.effect("every n events: once so many were read, and the older ones beyond `keep` go", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const policy = SnapshotPolicy.every(3, { keep: 2 })
      const read = [
        yield* saving(store, policy, 1),
        yield* saving(store, policy, 2),
        yield* saving(store, policy, 3),
        yield* saving(store, policy, 4),
        yield* saving(store, policy, 5, 6, 7),
        yield* saving(store, policy, 8, 9, 10)
      ]
      assert.deepStrictEqual(read, [1, 2, 3, 1, 4, 3])
      assert.deepStrictEqual((yield* entries(backend)).map(({ key }) => Number(key.slice(-3))), [7, 10])
    }))

  it.effect("by cost: by the data's size or the time taken", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const bySize = SnapshotPolicy.byCost({ size: 4 })
      assert.deepStrictEqual(
        [yield* saving(store, bySize, 1, 2, 3), yield* saving(store, bySize, 4), yield* saving(store, bySize, 5)],
        [3, 4, 1]
      )
      assert.strictEqual((yield* entries(backend)).length, 1)
      const cost = { replayed: 5, size: 5, millis: 5 }
      assert.isTrue(SnapshotPolicy.byCost({ millis: 5 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 6 }).due(cost))
      assert.isTrue(SnapshotPolicy.byCost({ millis: 6, size: 5 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 6, size: 6 }).due(cost))
      assert.isFalse(SnapshotPolicy.byCost({ millis: 1 }).due({ ...cost, replayed: 0 }))
    }))

  it.effect("never: none is saved, those there are used", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      assert.strictEqual(yield* saving(store, SnapshotPolicy.never, ...upTo(2000)), 2000)
      assert.deepStrictEqual(yield* entries(backend), [])
      assert.strictEqual(yield* saving(store, SnapshotPolicy.every(1), 1), 2001)
      assert.strictEqual(yield* saving(store, SnapshotPolicy.never, 1), 1)
    }))

  it.effect("where nothing is said, every 1,000 events; as of a past moment never", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(999))
      yield* load(store, sum, { stream: "a" })
      yield* append(store, "a", 1)
      yield* load(store, sum, { stream: "a", asOf: { seq: 1000 } })
      assert.deepStrictEqual(yield* entries(backend), [])
      yield* load(store, sum, { stream: "a" })
      assert.strictEqual((yield* entries(backend)).length, 1)
    }))

  it("refuses what makes no policy", () => {
    const wrong: ReadonlyArray<readonly [field: string, make: () => unknown]> = [
      ["events", () => SnapshotPolicy.every(0)],
      ["events", () => SnapshotPolicy.every(1.5)],
      ["keep", () => SnapshotPolicy.every(1, { keep: 0 })],
      ["keepEvents", () => SnapshotPolicy.every(1, { keepEvents: 0 })],
      ["kept", () => SnapshotPolicy.every(1, { kept: 1 } as object)],
      ["size", () => SnapshotPolicy.byCost({})],
      ["size", () => SnapshotPolicy.byCost({ size: -1 })],
      ["millis", () => SnapshotPolicy.byCost({ millis: 0 })]
    ]
    for (const [field, make] of wrong) {
      assert.throws(make, new RegExp(`^${field}: `))
    }
  })

  it.effect("a save that fails is a warning, and the load succeeds", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let full = false
      const store = yield* makeStore({
        ...memory,
        commit: (batch) =>
          full
            ? Effect.fail(new Unavailable({ operation: "commit", reason: "disk full", remedy: "make room" }))
            : memory.commit(batch)
      }, { retries: 0 })
      yield* append(store, "a", 1, 2)
      full = true
      const { value, warnings } = yield* warningsIn(
        load(store, sum, { stream: "a", snapshots: SnapshotPolicy.every(1) })
      )
      assert.deepStrictEqual([value.state.seen, value.replayed], [2, 2])
      assert.deepStrictEqual(warnings, ["a snapshot could not be saved"])
    }))

  const odd: ReadonlyArray<readonly [what: string, seed: () => unknown]> = [
    ["a map", () => new Map([[1, 1]])],
    ["a date", () => new Date(0)],
    ["bytes", () => new Uint8Array([1])],
    ["nothing", () => undefined],
    ["a property that is undefined", () => ({ a: 1, b: undefined })],
    ["not a number", () => NaN],
    ["a function", () => () => 1]
  ]
  it.effect.each(odd)(
    "a state that isn't JSON is replayed, not kept as something else: %s",
    ([, seed]) =>
      Effect.gen(function*() {
        const { backend, store } = yield* memoryStore
        yield* append(store, "a", 1, 2)
        const projection = Projection.make({ name: "odd", version: 1, seed, events: Ledger, step: (s) => s })
        const { value, warnings } = yield* warningsIn(
          load(store, projection, { stream: "a", snapshots: SnapshotPolicy.every(1) })
        )
        assert.deepStrictEqual(String(value.state), String(seed()))
        assert.deepStrictEqual(warnings, ["a snapshot could not be saved"])
        assert.deepStrictEqual(yield* entries(backend), [])
        const fault = yield* Effect.flip(saveSnapshot(store, projection, { stream: "a" }))
        assert.instanceOf(fault, Invalid)
        assert.match(fault.field, /^state of projection "odd"/)
        assert.notStrictEqual(fault.remedy, "")
      })
  )

  it.effect("with a state schema, maps, dates and bytes come back as they were", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", 1, 2)
      const rich = Projection.make({
        name: "rich",
        version: 1,
        state: Schema.Struct({
          map: Schema.ReadonlyMap(Schema.String, Schema.Date),
          bytes: Schema.Uint8Array,
          big: Schema.BigInt
        }),
        seed: { map: new Map(), bytes: new Uint8Array([1]), big: 1n },
        events: Ledger,
        step: ({ big, bytes, map }, { at, data, type }) => ({
          map: new Map(map).set(type, new Date(at)),
          bytes: new Uint8Array([...bytes, data]),
          big: big * 10n
        })
      })
      yield* saveSnapshot(store, rich, { stream: "a" })
      const loaded = yield* load(store, rich, { stream: "a" })
      assert.strictEqual(loaded.replayed, 0)
      assert.deepStrictEqual(loaded.state, (yield* project(store, rich, { stream: "a" })).state)
    }))

  it.effect("a schema that loses part of the state keeps none of it", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", 1)
      const lossy = Projection.make({
        name: "lossy",
        version: 1,
        state: Schema.Array(Schema.String).pipe(Schema.decodeTo(Schema.Struct({ n: Schema.Int }), {
          decode: { transform: () => ({ n: 0 }) },
          encode: { transform: () => ["x"] }
        } as never)),
        seed: { n: 1 },
        step: (s) => s
      })
      const { warnings } = yield* warningsIn(load(store, lossy, { stream: "a", snapshots: SnapshotPolicy.every(1) }))
      assert.deepStrictEqual([warnings.length, (yield* entries(backend)).length], [1, 0])
    }))

  it.effect("interrupting a save interrupts: it isn't taken for a failed one", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* append(store, "a", 1)
      const asked = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const slow = yield* makeStore({
        ...memory,
        commit: (batch) =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(Deferred.await(go)),
            Effect.andThen(memory.commit(batch))
          )
      })
      const fiber = yield* Effect.forkChild(
        warningsIn(load(slow, sum, { stream: "a", snapshots: SnapshotPolicy.every(1) }))
      )
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      yield* Deferred.succeed(go, undefined)
      assert.isTrue(Exit.hasInterrupts(exit))
    }))
})
