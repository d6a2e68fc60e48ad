/** Folding from the store: every scope, every moment, and the refusal to fold what isn't whole. */
import { assert, describe, it } from "@effect/vitest"
import {
  type AsOf,
  Catalogue,
  type EventOf,
  fold,
  Invalid,
  makeStore,
  project,
  Projection,
  type Scope
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { append, input, Ledger, memoryStore, sum, upTo } from "./ledger.ts"

type Written = EventOf<typeof Ledger>

const names = ["a", "a/1", "a/2", "b", "\u{10000}", "\uffff"] as const

const scopes: ReadonlyArray<readonly [Scope, (stream: string) => boolean]> = [
  [{ stream: "a" }, (stream) => stream === "a"],
  [{ stream: "nowhere" }, () => false],
  [{ streams: ["b", "a/1", "b"] }, (stream) => stream === "b" || stream === "a/1"],
  [{ streams: ["nowhere", "a/2"] }, (stream) => stream === "a/2"],
  [{ streams: [...names] }, () => true],
  [{ prefix: "a" }, (stream) => stream.startsWith("a")],
  [{ prefix: "a/" }, (stream) => stream.startsWith("a/")],
  [{ prefix: "" }, () => true],
  [{ all: true }, () => true]
]

/** Appends spread over streams, each at a time of its own, with kv writes between that take positions. */
const histories = fc.array(
  fc.record({
    stream: fc.constantFrom(...names),
    numbers: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
    at: fc.nat(5)
  }),
  { minLength: 1, maxLength: 14 }
)

const written = Effect.fnUntraced(function*(
  history: ReadonlyArray<{ readonly stream: string; readonly numbers: ReadonlyArray<number>; readonly at: number }>
) {
  const { backend, store } = yield* memoryStore
  for (const { at, numbers, stream } of history) {
    yield* store.log(Ledger).append(stream, numbers.map(input), { expected: "any", at })
    if (at === 0) yield* store.kv("k").put("x", at)
  }
  return { backend, store, all: yield* Stream.runCollect(store.log(Ledger).readAll()) }
})

const refused = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, Invalid)
    return error
  })

describe("project", () => {
  it("gives what folding the scope's events in their order gives", () =>
    fc.assert(
      fc.asyncProperty(histories, (history) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { all, store } = yield* written(history)
          const head = yield* store.head
          for (const [scope, belongs] of scopes) {
            const events = all.filter(({ stream }) => belongs(stream))
            const projected = yield* project(store, sum, scope)
            assert.deepStrictEqual(projected.state, fold(sum, events), JSON.stringify(scope))
            assert.strictEqual(projected.replayed, events.length)
            if ("stream" in scope) assert.strictEqual(projected.seq, events.length)
            else assert.deepStrictEqual([projected.seq, projected.position], [undefined, head])
          }
        })))),
      { numRuns: 60 }
    ))

  it("as of a position, a seq or a time, gives what folding the events up to then gives", () =>
    fc.assert(
      fc.asyncProperty(histories, fc.nat(5), (history, at) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { all, store } = yield* written(history)
          const head = yield* store.head
          const check = Effect.fnUntraced(function*(scope: Scope, asOf: AsOf, events: ReadonlyArray<Written>) {
            const projected = yield* project(store, sum, { ...scope, asOf })
            assert.deepStrictEqual(projected.state, fold(sum, events), JSON.stringify({ scope, asOf }))
            assert.strictEqual(projected.replayed, events.length)
            return projected
          })
          for (const [scope, belongs] of scopes) {
            const events = all.filter(({ stream }) => belongs(stream))
            for (let position = 0; position <= head; position++) {
              const past = yield* check(scope, { position }, events.filter((event) => event.position <= position))
              assert.strictEqual(past.position, position)
            }
            yield* check(scope, { at }, events.filter((event) => event.at <= at))
          }
          const [first] = all
          assert.isDefined(first)
          const { stream } = first
          const own = all.filter((event) => event.stream === stream)
          for (let seq = 0; seq <= own.length; seq++) {
            const past = yield* check({ stream }, { seq }, own.slice(0, seq))
            assert.strictEqual(past.seq, seq)
          }
        })))),
      { numRuns: 25 }
    ))

  it.effect("reads on over any number of pages, of one stream and of several", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      for (const [i, stream] of ["x", "y", "z", "x", "y", "x"].entries()) {
        yield* append(store, stream, ...upTo(400 + i))
      }
      const all = yield* Stream.runCollect(store.log(Ledger).readAll())
      assert.strictEqual(all.length, 2415)
      const x = all.filter(({ stream }) => stream === "x")
      assert.isAbove(x.length, 1000)
      assert.deepStrictEqual((yield* project(store, sum, { stream: "x" })).state, fold(sum, x))
      assert.deepStrictEqual((yield* project(store, sum, { all: true })).state, fold(sum, all))
      assert.deepStrictEqual((yield* project(store, sum, { streams: ["x", "y", "z"] })).state, fold(sum, all))
      const many = Array.from({ length: 300 }, (_, i) => `nobody-${i}`)
      assert.deepStrictEqual((yield* project(store, sum, { streams: [...many, "x"] })).state, fold(sum, x))
    }))

  it.effect("treats types outside the projection's catalogue as that says", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", 1, 2, 3)
      yield* store.log().append("a", { type: "Other", data: 1 }, { expected: "any" })
      const of = (events: typeof Ledger) =>
        Projection.make({ name: "n", version: 1, seed: 0, events, step: (n) => n + 1 })
      const narrow = Projection.make({
        name: "n",
        version: 1,
        seed: 0,
        events: Ledger.only("Added"),
        step: (n) => n + 1
      })
      for (const scope of [{ stream: "a" }, { all: true }] as const) {
        assert.strictEqual((yield* Effect.flip(project(store, of(Ledger), scope)))._tag, "Corrupt")
        const projected = yield* project(store, narrow, scope)
        assert.strictEqual(projected.state, 1)
      }
      assert.strictEqual((yield* project(store, narrow, { stream: "a" })).seq, 4)
      const raw = Projection.make({ name: "n", version: 1, seed: "", step: (text, { type }) => text + type[0] })
      assert.strictEqual((yield* project(store, raw, { all: true })).state, "MAMO")
    }))

  it.effect("a step or a seed that throws is a typed failure", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", 1, 2)
      const stepless = Projection.make({
        name: "p",
        version: 1,
        seed: 0,
        events: Ledger,
        step: (n, { seq }) => {
          if (seq === 2) throw new Error("two")
          return n
        }
      })
      assert.match((yield* refused(project(store, stepless, { all: true }))).reason, /seq 2 of stream "a" \(position 2/)
      const seedless = Projection.make({
        name: "p",
        version: 1,
        seed: (): number => {
          throw new Error("none")
        },
        step: (n) => n
      })
      assert.match((yield* refused(project(store, seedless, { stream: "a" }))).reason, /seed threw/)
    }))

  it.effect("is refused over truncated and deleted streams, unless it may fold what is left", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", 1, 2, 3)
      yield* append(store, "b", 4)
      yield* append(store, "c", 5)
      yield* store.log().truncate("a", 3)
      yield* store.log().delete("c", { expected: "any" })
      const left = yield* Stream.runCollect(store.log(Ledger).readAll())
      assert.deepStrictEqual(left.map(({ stream }) => stream), ["a", "b"])
      const ofA = left.filter(({ stream }) => stream === "a")
      for (
        const [scope, missing, events] of [
          [{ stream: "a" }, /the events 1 to 2 of stream "a" were truncated/, ofA],
          [{ streams: ["b", "a"] }, /stream "a"/, left],
          [{ prefix: "a" }, /stream "a"/, ofA],
          [{ all: true }, /stream "a"/, left],
          [{ stream: "c" }, /event 1 of stream "c" was truncated/, []],
          [{ prefix: "c" }, /stream "c"/, []]
        ] as const
      ) {
        const fault = yield* refused(project(store, sum, scope))
        assert.strictEqual(fault.field, "projection \"sum\"")
        assert.match(fault.reason, missing)
        assert.match(fault.remedy, /allowTruncated/)
        const rest = yield* project(store, sum, { ...scope, allowTruncated: true })
        assert.deepStrictEqual(rest.state, fold(sum, events), JSON.stringify(scope))
      }
      assert.strictEqual((yield* project(store, sum, { stream: "c", allowTruncated: true })).seq, 1)
      assert.strictEqual((yield* project(store, sum, { stream: "b" })).replayed, 1)
      assert.strictEqual((yield* project(store, sum, { prefix: "b" })).replayed, 1)
      // As of a moment before the end, what is missing is still missing.
      yield* refused(project(store, sum, { stream: "a", asOf: { seq: 2 } }))
      assert.strictEqual((yield* project(store, sum, { stream: "a", asOf: { seq: 0 } })).replayed, 0)
    }))

  it.effect("a page with a hole in it is corrupt, and never folded over", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", 1, 2, 3)
      const torn = yield* makeStore({
        ...backend,
        readStream: (range) => Effect.map(backend.readStream(range), (events) => events.filter(({ seq }) => seq !== 2))
      })
      assert.strictEqual((yield* Effect.flip(project(torn, sum, { stream: "a" })))._tag, "Corrupt")
    }))

  it.effect("reads several streams as they stood at one moment", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", 1)
      yield* append(store, "b", 2)
      let told = false
      const racing = yield* makeStore({
        ...backend,
        // Somebody appends to both streams between the reads of them.
        readStream: (range) =>
          Effect.tap(backend.readStream(range), () => {
            if (told) return Effect.void
            told = true
            return Effect.orDie(Effect.andThen(append(store, "a", 3), append(store, "b", 4)))
          })
      })
      const before = yield* Stream.runCollect(store.log(Ledger).readAll())
      const { position, state } = yield* project(racing, sum, { streams: ["a", "b"] })
      assert.isTrue(told)
      assert.deepStrictEqual(state, fold(sum, before))
      assert.strictEqual(position, 2)
    }))

  it.effect("knows a stream's events by its schema's versions too", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* store.log(Catalogue.make({ Paid: Schema.Int })).append("a", { type: "Paid", data: 3 }, { expected: 0 })
      const versioned = Catalogue.make({
        Paid: Catalogue.versions(Schema.Int).to(Schema.Struct({ cents: Schema.Int }), (n) => ({ cents: n * 100 }))
      })
      const paid = Projection.make({
        name: "paid",
        version: 1,
        seed: 0,
        events: versioned,
        step: (n, { data }) => n + data.cents
      })
      assert.strictEqual((yield* project(store, paid, { all: true })).state, 300)
    }))
})
