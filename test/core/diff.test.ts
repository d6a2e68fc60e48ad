/** Diffs of projections: both states are those of a replay, and the events between make one of the other. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type AsOf,
  Catalogue,
  diff,
  type DiffOptions,
  makeStore,
  project,
  Projection,
  saveSnapshot,
  type Scope,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

const Counted = Catalogue.make({ Counted: Schema.Int }, { unknown: "skip" })

// Changes its state in place, as steps are free to.
const counts = Projection.make({
  name: "counts",
  version: 1,
  events: Counted,
  seed: (): { [stream: string]: { sum: number; seen: Array<string> } } => ({}),
  step: (state, { data, seq, stream }) => {
    const one = state[stream] ??= { sum: 0, seen: [] }
    one.sum += data
    one.seen.push(`${stream}@${seq}`)
    return state
  }
})

const newStore = Effect.flatMap(makeMemory(), (backend) => makeStore(backend))

const append = (store: StoreShape, stream: string, data: number, at: number, type = "Counted") =>
  store.log().append(stream, { type, data, at }, { expected: "any" })

const scopes: ReadonlyArray<Scope> = [{ all: true }, { prefix: "a" }, { stream: "a" }, { streams: ["a", "b"] }]

const covers = (scope: Scope, stream: string): boolean =>
  "all" in scope || ("prefix" in scope ? stream.startsWith(scope.prefix) : "stream" in scope
    ? scope.stream === stream
    : scope.streams.includes(stream))

const kinds = { position: "position", at: "at", seq: "seq" } as const

describe("a diff", () => {
  it("has the states that replays give, and the events between, through whatever snapshots", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            stream: fc.constantFrom("a", "ab", "b"),
            at: fc.integer({ min: 1, max: 12 }),
            type: fc.constantFrom("Counted", "Counted", "Counted", "Other"),
            snapshot: fc.boolean()
          }),
          { minLength: 1, maxLength: 15 }
        ),
        fc.constantFrom(...scopes),
        fc.constantFrom(kinds.position, kinds.at, kinds.seq),
        fc.tuple(fc.nat(12), fc.nat(12), fc.boolean()),
        (log, scope, kind, [one, other, now]) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const store = yield* newStore
            for (const [n, { at, snapshot, stream, type }] of log.entries()) {
              yield* append(store, stream, n, at, type)
              if (snapshot) yield* saveSnapshot(store, counts, { ...scope, keep: 10 })
            }
            const events = (yield* Stream.runCollect(store.log(Counted).readAll()))
              .filter(({ stream, type }) => type === "Counted" && covers(scope, stream))
            const unit = "stream" in scope || kind !== "seq" ? kind : "at"
            const head = yield* store.head
            const ends = { position: head, at: 12, seq: (yield* project(store, counts, scope)).seq ?? 0 }
            const [from, to] = [Math.min(one, other), Math.max(one, other)].map((n) => Math.min(n, ends[unit]))
            const moment = (n: number | undefined): AsOf => ({ [unit]: n }) as AsOf // of its own kind
            const options: Scope & DiffOptions = { ...scope, from: moment(from), ...(now ? {} : { to: moment(to) }) }
            const found = yield* diff(store, counts, options)
            const before = yield* project(store, counts, { ...scope, asOf: moment(from) })
            const after = yield* project(store, counts, { ...scope, asOf: now ? undefined : moment(to) })
            assert.deepStrictEqual(found.before, before.state)
            assert.deepStrictEqual(found.after, after.state)
            assert.strictEqual(found.position, after.position)
            const between = events.filter((event) => event[unit] > Number(from) && (now || event[unit] <= Number(to)))
            assert.deepStrictEqual(found.events, between)
            assert.strictEqual(found.count, between.length)
            assert.strictEqual(found.patch.length === 0, between.length === 0)
          })))
      ),
      { numRuns: 200 }
    ))

  it.effect("says what differs, and by which events", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      for (const n of [1, 2, 3, 4]) yield* append(store, n === 3 ? "b" : "a", n, n)
      const found = yield* diff(store, counts, { all: true, from: { position: 1 }, to: { position: 3 }, events: 1 })
      assert.deepStrictEqual(found.patch, [
        { op: "replace", path: "/a/sum", value: 3, before: 1 },
        { op: "add", path: "/a/seen/1", value: "a@2" },
        { op: "add", path: "/b", value: { sum: 3, seen: ["b@1"] } }
      ])
      assert.deepStrictEqual([found.count, found.events.map(({ seq, stream }) => [stream, seq])], [2, [["a", 2]]])
      const whole = yield* diff(store, counts, { stream: "a", from: { seq: 0 } })
      assert.deepStrictEqual([whole.before, whole.count], [{}, 3])
    }))

  it.effect("begins with the newest snapshot that isn't later than the earlier moment", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const positions: Array<number> = [0]
      for (let n = 1; n <= 20; n++) {
        positions.push((yield* append(store, "a", n, n)).position)
        if (n % 8 === 0) yield* saveSnapshot(store, counts, { all: true })
        if (n % 8 === 4) yield* saveSnapshot(store, counts, { stream: "a" })
      }
      const replayed = (options: Scope & DiffOptions) =>
        Effect.map(diff(store, counts, options), (found) => found.replayed)
      assert.strictEqual(
        yield* replayed({ all: true, from: { position: positions[10] ?? 0 }, to: { position: positions[18] ?? 0 } }),
        10
      )
      assert.strictEqual(yield* replayed({ all: true, from: { at: 10 }, to: { at: 18 } }), 10)
      assert.strictEqual(yield* replayed({ stream: "a", from: { seq: 15 } }), 8)
      assert.strictEqual(yield* replayed({ stream: "a", from: { at: 15 }, to: { at: 16 } }), 4)
    }))

  it.effect("refuses what it can't tell, and names it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      for (const n of [1, 2, 3]) yield* append(store, "a", n, n)
      const fails = Effect.fnUntraced(function*(options: Scope & DiffOptions, wanted: string, projection = counts) {
        assert.match(String(yield* Effect.flip(diff(store, projection, options))), new RegExp(wanted))
      })
      const all = { all: true } as const
      yield* fails(JSON.parse("{\"all\":true}"), "Invalid: from: is missing")
      yield* fails({ ...all, from: { position: 2 }, to: { at: 2 } }, "Invalid: to: is a moment of another kind")
      yield* fails({ ...all, from: { position: 2 }, to: { position: 1 } }, "Invalid: to: is earlier")
      yield* fails({ ...all, from: { seq: 1 } }, "Invalid: from.seq")
      yield* fails({ ...all, from: { position: 0 }, to: JSON.parse("{}") }, "Invalid: to: is not one moment")
      yield* fails({ ...all, from: { position: -1 } }, "Invalid: from.position")
      yield* fails({ ...all, from: { position: 0 }, events: 0.5 }, "Invalid: events")
      yield* fails({ stream: "a", from: { seq: 4 } }, "Invalid: from.seq: .* has come to seq 3 only")
      yield* fails({ stream: "a", from: { seq: 1 }, to: { seq: 4 } }, "Invalid: to.seq: .* has come to seq 3 only")
      const inDates = Projection.make({
        name: "dates",
        version: 1,
        events: Counted,
        seed: new Map<string, number>(),
        step: (state, { data, stream }) => new Map(state).set(stream, data)
      })
      const error = yield* Effect.flip(diff(store, inDates, { ...all, from: { position: 1 } }))
      assert.match(String(error), /an instance of Map is no JSON value/)
      yield* store.log().truncate("a", 3)
      yield* fails({ ...all, from: { position: 1 } }, "Invalid: projection \"counts\": .* truncated")
      const rest = yield* diff(store, counts, { ...all, from: { position: 1 }, allowTruncated: true })
      assert.deepStrictEqual([rest.before, rest.count], [{}, 1])
    }))
})
