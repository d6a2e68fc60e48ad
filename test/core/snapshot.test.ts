/** What a snapshot isn't taken for: another version's, another history's, a damaged one, a state it couldn't hold. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  compact,
  Invalid,
  load,
  makeStore,
  Position,
  project,
  Projection,
  saveSnapshot,
  type Scope,
  SnapshotPolicy
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { append, entries, Ledger, memoryStore, overwrite, sum, sumOf, upTo, warningsIn } from "./ledger.ts"

const never = { snapshots: SnapshotPolicy.never }

const scopes: ReadonlyArray<Scope> = [{ stream: "a" }, { streams: ["a", "b"] }, { prefix: "a" }, { all: true }]

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

describe("snapshot", () => {
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

  it.effect("nothing slips in behind a snapshot's last event, in a history gone another way", () =>
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
})
