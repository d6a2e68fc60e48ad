/** Indexes of read models: what may be declared, what is written with the states, and what stops it at which event. */
import { assert, describe, it } from "@effect/vitest"
import {
  Catalogue,
  catchUp,
  type EventOf,
  type Limits,
  makeStore,
  query,
  ReadModel,
  rebuild,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { faults, makeFaulty } from "./faulty.ts"
import { assertIndexed, events as ticketEvents, plainTickets, statesAfter, tell, tickets } from "./tickets.ts"

const State = Schema.Struct({
  name: Schema.NullOr(Schema.String),
  size: Schema.optionalKey(Schema.Number),
  list: Schema.Array(Schema.String)
})
type State = typeof State.Type
const Events = Catalogue.make({ Are: Schema.Record(Schema.String, Schema.NullOr(State)) })

// An event says what some keys are from now on.
const definition = {
  name: "things",
  version: 1,
  events: Events,
  keys: ({ data }: EventOf<typeof Events>) => Object.keys(data),
  seed: { name: null, list: [] },
  step: (_: State, { data }: EventOf<typeof Events>, key: string) => data[key] ?? undefined,
  value: State
}
const things = ReadModel.make({
  ...definition,
  indexes: { byName: { on: ["name"], unique: true }, bySize: { on: ["size", "name"] } }
})

const named = (name: string | null, size?: number): State => ({
  name,
  list: [],
  ...(size === undefined ? {} : { size })
})
const are = (store: StoreShape, data: Readonly<Record<string, State | null>>) =>
  store.log(Events).append("s", { type: "Are", data }, { expected: "any" })

const newStore = (limits?: Partial<Limits>) =>
  Effect.flatMap(
    makeFaulty(limits),
    (faulty) => Effect.map(makeStore(faulty.backend, { retries: 0 }), (store) => ({ faulty, store }))
  )

const ownerOf = (store: StoreShape, name: string) =>
  Effect.map(query(store, things, { where: { name: { eq: name } } }), ({ items }) => items.map(({ key }) => key))

const entries = (store: StoreShape, index: string) =>
  Effect.map(Stream.runCollect(store.kv(`things@1/${index}`).scan()), (found) => found.length)

describe("a declared index", () => {
  it("is refused where states can't have it", () => {
    const wrong: ReadonlyArray<readonly [unknown, string]> = [
      [{ "by name": { on: ["name"] } }, "indexes[\"by name\"]"],
      [{ "by@1": { on: ["name"] } }, "indexes[\"by@1\"]"],
      [{ by: { on: [] } }, "indexes.by.on"],
      [{ by: { on: "name" } }, "indexes.by.on"],
      [{ by: { on: ["nam"] } }, "indexes.by.on[0]"],
      [{ by: { on: ["name", "list"] } }, "indexes.by.on[1]"],
      [{ by: { on: ["name", "name"] } }, "indexes.by.on"],
      [{ by: { on: ["name"], unique: "yes" } }, "indexes.by.unique"],
      [{ by: { on: ["name"], sparse: true } }, "sparse"],
      [{ by: null }, "indexes"],
      ["byName", "indexes"]
    ]
    for (const [indexes, field] of wrong) {
      // What a caller without types may pass.
      const make = () => ReadModel.make({ ...definition, indexes: indexes as never })
      assert.throws(make, field)
    }
    assert.throws(() => ReadModel.make({ ...definition, indexes: { by: { on: ["nam" as "name"] } } }), "such as name")
  })
})

describe("entries of an index", () => {
  it.effect("are written with the state, only where its fields change, and go with it", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      yield* are(store, { a: named("x", 1), b: named("y") })
      yield* catchUp(store, things)
      const writes = () => faulty.commits.at(-1)?.write.length
      // The checkpoint, two states, two entries of each.
      assert.strictEqual(writes(), 7)
      yield* are(store, { a: named("x", 2) })
      yield* catchUp(store, things)
      assert.strictEqual(writes(), 4)
      yield* are(store, { a: { ...named("x", 2), list: ["l"] } })
      yield* catchUp(store, things)
      assert.strictEqual(writes(), 2)
      yield* are(store, { a: null })
      yield* catchUp(store, things)
      assert.strictEqual(writes(), 4)
      assert.deepStrictEqual([yield* entries(store, "byName"), yield* entries(store, "bySize")], [1, 1])
    }))

  it.effect("follow a state that its step changes in place", () =>
    Effect.gen(function*() {
      for (const pageLimit of [1, 2, 100]) {
        const { faulty, store } = yield* newStore()
        faulty.pageLimit = pageLimit
        const Sizes = Schema.Struct({
          sizes: Schema.mutable(Schema.Array(Schema.Int)),
          last: Schema.mutableKey(Schema.Int)
        })
        const grown = ReadModel.make({
          name: "grown",
          version: 1,
          events: Catalogue.make({ Grew: Schema.Int }),
          keys: () => "k",
          seed: { sizes: [], last: 0 },
          step: (state, { data }) => {
            state.sizes.push(data)
            state.last = data
            return state
          },
          value: Sizes,
          indexes: { byLast: { on: ["last"], unique: true } }
        })
        for (let n = 1; n <= 5; n++) {
          yield* store.log(grown.events).append("s", { type: "Grew", data: n }, { expected: "any" })
          if (n % 2 === 0) yield* catchUp(store, grown)
        }
        yield* catchUp(store, grown)
        const { items } = yield* query(store, grown, { where: { last: { eq: 5 } } })
        assert.deepStrictEqual(items.map(({ value }) => value.sizes), [[1, 2, 3, 4, 5]])
        assert.strictEqual(yield* store.kv("grown@1/byLast").count(), 1)
      }
    }))

  it.effect("count as writes of a commit, which are split so that each event's are together", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore({ commitEvents: 12 })
      for (let n = 0; n < 20; n++) yield* are(store, { [`k${n}`]: named(`n${n}`, n) })
      assert.deepInclude(yield* catchUp(store, things), { events: 20 })
      assert.isTrue(faulty.commits.every(({ write }) => write.length <= 12))
      assert.deepStrictEqual([yield* entries(store, "byName"), yield* entries(store, "bySize")], [20, 20])
      yield* are(store, { a: named("a"), b: named("b"), c: named("c"), d: named("d") })
      const error = yield* Effect.flip(catchUp(store, things))
      assert.deepInclude(error, { _tag: "LimitExceeded", limit: 11, actual: 12, unit: "writes" })
    }))

  it.effect("that can't be keys stop the read model at their event, and name the field", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [State, "Invalid" | "LimitExceeded", string]> = [
        [named("x", NaN), "Invalid", "state of key \"k\".size"],
        [named("\ud800", 1), "Invalid", "state of key \"k\".name"],
        [named("x".repeat(1025), 1), "LimitExceeded", "state of key \"k\".name"]
      ]
      for (const [state, tag, field] of wrong) {
        const { store } = yield* newStore()
        yield* are(store, { fine: named("f") })
        yield* are(store, { k: state })
        for (let n = 0; n < 2; n++) {
          assert.deepInclude(yield* Effect.flip(catchUp(store, things)), { _tag: tag, field })
        }
        assert.deepStrictEqual(yield* ownerOf(store, "f"), ["fine"])
        assert.strictEqual(yield* entries(store, "bySize"), 1)
      }
    }))

  it("are those of the states after a crash at every commit there is, and after a rebuild", () =>
    fc.assert(
      fc.asyncProperty(ticketEvents, fc.integer({ min: 1, max: 9 }), fc.constantFrom(...faults), (log, page, fault) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          let crashes = 0
          for (let at = 1;; at++) {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = page
            yield* tell(store, [])
            for (const data of log) {
              yield* store.log(plainTickets.events).append("t", { type: "Is", data }, { expected: "any" })
            }
            faulty.failAt(at, fault)
            yield* Effect.exit(catchUp(store, tickets))
            const states = yield* Stream.runCollect(tickets.kv(store).scan())
            yield* assertIndexed(store, new Map(states.map(({ key, value }) => [key, value])))
            if (!faulty.failed()) {
              break
            }
            crashes++
            yield* at % 2 === 0 ? rebuild(store, tickets) : catchUp(store, tickets)
            yield* assertIndexed(store, statesAfter(log))
          }
          // Every page is a commit.
          assert.isAtLeast(crashes, Math.ceil(log.length / page))
        })))),
      { numRuns: 15 }
    ))
})

describe("a unique index", () => {
  it.effect("lets states exchange their values in one event, and take what was given up before", () =>
    Effect.gen(function*() {
      for (const pageLimit of [1, 100]) {
        const { faulty, store } = yield* newStore()
        faulty.pageLimit = pageLimit
        yield* are(store, { a: named("x"), b: named("y"), c: named("z") })
        yield* are(store, { a: named("y"), b: named("x") })
        yield* are(store, { c: null })
        yield* are(store, { d: named("z"), e: named(null), f: named(null) })
        assert.deepInclude(yield* catchUp(store, things), { _tag: "CaughtUp", events: 4 })
        const owners = yield* Effect.forEach(["x", "y", "z"], (name) => ownerOf(store, name))
        assert.deepStrictEqual(owners, [["b"], ["a"], ["d"]])
        assert.strictEqual(yield* entries(store, "byName"), 5)
      }
    }))

  it.effect("stops at the event that takes what another has, by the name of both keys, with all before committed", () =>
    Effect.gen(function*() {
      for (const pageLimit of [1, 2, 100]) {
        const { faulty, store } = yield* newStore()
        faulty.pageLimit = pageLimit
        yield* are(store, { a: named("x") })
        yield* are(store, { b: named("y") })
        yield* are(store, { c: named("x") })
        yield* are(store, { a: named("w") })
        const error = yield* Effect.flip(catchUp(store, things))
        assert.deepInclude(error, { _tag: "Invalid", field: "index byName" })
        assert.include(error.message, "event 3 of stream \"s\"")
        assert.include(error.message, "key \"c\" the same name as key \"a\"")
        assert.notInclude(error.message, "\"x\"")
        assert.deepStrictEqual([yield* ownerOf(store, "x"), yield* ownerOf(store, "y")], [["a"], ["b"]])
        // One event that gives two new states the same.
        const other = (yield* newStore()).store
        yield* are(other, { p: named("q"), r: named("q") })
        assert.deepInclude(yield* Effect.flip(catchUp(other, things)), { field: "index byName" })
        assert.strictEqual(yield* things.kv(other).count(), 0)
      }
    }))
})

describe("a read model whose indexes changed", () => {
  const other = ReadModel.make({ ...definition, indexes: { byName: { on: ["name"] } } })

  it.effect("is neither run nor asked by an index until it's rebuilt, which leaves none of the old entries", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* are(store, { a: named("x", 1), b: named("y", 2) })
      yield* catchUp(store, things)
      assert.deepInclude(yield* Effect.flip(catchUp(store, other)), { _tag: "Invalid", field: "indexes" })
      const asked = query(store, other, { where: { name: { eq: "x" } } })
      assert.deepInclude(yield* Effect.flip(asked), { _tag: "Invalid", field: "indexes" })
      yield* rebuild(store, other)
      assert.deepStrictEqual((yield* asked).items.map(({ key }) => key), ["a"])
      assert.strictEqual(yield* entries(store, "bySize"), 0)
      assert.deepInclude(yield* Effect.flip(ownerOf(store, "x")), { _tag: "Invalid", field: "indexes" })
    }))

  it.effect("is empty where it never ran, and refused where nothing says how it was built", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      assert.deepStrictEqual(yield* ownerOf(store, "x"), [])
      yield* store.kv(things.namespace, State).put("a", named("x"))
      assert.deepInclude(yield* Effect.flip(ownerOf(store, "x")), { _tag: "Invalid", field: "indexes" })
      yield* store.kv(things.namespace).clear()
      yield* store.kv("things@1/bySize").put("stray", null)
      assert.deepInclude(yield* Effect.flip(catchUp(store, things)), { _tag: "Invalid", field: "name" })
    }))
})
