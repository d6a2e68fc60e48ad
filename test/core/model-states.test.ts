/** A read model's states: what can't be folded or is too large, and what is committed before it says so. */
import { assert, describe, it } from "@effect/vitest"
import { catchUp, ReadModel } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { append, countOf, each, events, newStore, positionOf, statesOf, upTo } from "./counts.ts"

describe("read model's states", () => {
  it.effect("a step or keys that throw stop it, naming the event; all before is committed, and mended it goes on", () =>
    Effect.gen(function*() {
      for (const field of ["keys", "step"] as const) {
        const { store } = yield* newStore()
        yield* append(store, ...upTo(6))
        const bug = new Error("bug")
        const sick = countOf({
          [field]: (...given: ReadonlyArray<unknown>) => {
            const event = given.find((one) => typeof one === "object")
            if (JSON.stringify(event).includes("\"data\":4")) throw bug
            return field === "keys" ? "k" : 1
          }
        })
        const error = yield* Effect.flip(catchUp(store, sick))
        assert.deepInclude(error, { _tag: "Invalid", field, cause: bug })
        assert.include(error.message, "event 4 of stream \"s\"")
        assert.strictEqual(yield* positionOf(store), 3)
        assert.strictEqual((yield* Effect.flip(catchUp(store, sick)))._tag, "Invalid")
        assert.deepInclude(yield* catchUp(store, countOf()), { events: 3 })
        assert.deepInclude(yield* statesOf(store), each([4, 5, 6]))
      }
    }))

  it.effect("an event with several keys that throws at a later one changes none of them", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1, 2)
      const sick = countOf({
        keys: () => ["first", "second"],
        step: (state, { data }, key) => {
          if (data === 2 && key === "second") throw new Error("bug")
          return state + 1
        }
      })
      assert.strictEqual((yield* Effect.flip(catchUp(store, sick)))._tag, "Invalid")
      assert.deepStrictEqual(yield* statesOf(store), { first: 1, second: 1 })
    }))

  it.effect("keys that can't be keys are refused at their event", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "keys"],
        [3, "keys"],
        [[""], "keys of event 2 of stream \"s\", type \"N\""],
        [["\ud800"], "keys of event 2 of stream \"s\", type \"N\""],
        [["ok", 7], "keys of event 2 of stream \"s\", type \"N\""]
      ]
      for (const [keys, field] of wrong) {
        const { store } = yield* newStore()
        yield* append(store, 1, 2)
        const error = yield* Effect.flip(
          catchUp(store, countOf({ keys: ({ data }) => data === 1 ? "fine" : keys as string }))
        )
        assert.deepInclude(error, { _tag: "Invalid", field })
        assert.deepStrictEqual([yield* statesOf(store), yield* positionOf(store)], [{ fine: 1 }, 1])
      }
    }))

  it.effect("a state that doesn't fit its schema stops it at its event, with all before committed", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1, 2, 3, 4, 5)
      const error = yield* Effect.flip(
        catchUp(store, countOf({ step: (state, { data }) => data === 4 ? 0.5 : state + 1 }))
      )
      assert.deepInclude(error, { _tag: "Invalid", field: "state of key \"4\"" })
      assert.deepStrictEqual([yield* statesOf(store), yield* positionOf(store)], [each([1, 2, 3]), 3])
    }))

  it.effect("a page that changes more keys than a commit holds takes several commits", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore({ commitEvents: 5 })
      for (let i = 0; i < 20; i += 5) yield* append(store, i, i + 1, i + 2, i + 3, i + 4)
      const before = faulty.commits.length
      assert.deepInclude(yield* catchUp(store, countOf()), { events: 20, writes: 20 })
      const sizes = faulty.commits.slice(before + 1).map(({ write }) => write.length)
      assert.deepStrictEqual(sizes, [5, 5, 5, 5, 5])
      assert.deepStrictEqual(yield* statesOf(store), each(Array.from({ length: 20 }, (_, i) => i)))
    }))

  it.effect("one event that changes more keys than a commit holds is refused, with all before committed", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore({ commitEvents: 5 })
      yield* append(store, 1, 2)
      const many = countOf({ keys: ({ data }) => data === 1 ? ["a", "b", "c", "d"] : ["a", "b", "c", "d", "e"] })
      const error = yield* Effect.flip(catchUp(store, many))
      assert.deepInclude(error, { _tag: "LimitExceeded", limit: 4, actual: 5 })
      assert.include(error.message, "event 2")
      assert.deepStrictEqual(yield* statesOf(store), { a: 1, b: 1, c: 1, d: 1 })
    }))

  it.effect("states of more bytes than a commit holds are split over commits, and folded once", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore({ commitBytes: 2000, payloadBytes: 900 })
      for (let i = 0; i < 12; i++) yield* append(store, i)
      // It changes its state in place, which a second fold of the same events must not meet.
      const texts = ReadModel.make({
        name: "texts",
        version: 1,
        events,
        value: Schema.Struct({ text: Schema.String, of: Schema.mutable(Schema.Array(Schema.Int)) }),
        seed: () => ({ text: "x".repeat(500), of: Array.of<number>() }),
        keys: ({ data }) => [`${data % 6}`, "all"],
        step: (state, { data }) => {
          state.of.push(data)
          return state
        }
      })
      const before = faulty.commits.length
      assert.deepInclude(yield* catchUp(store, texts), { events: 12 })
      assert.isAbove(faulty.commits.length - before, 4)
      const all = yield* texts.kv(store).get("all")
      assert.deepStrictEqual(Option.map(all, ({ of }) => of), Option.some(Array.from({ length: 12 }, (_, i) => i)))
      assert.deepStrictEqual(Option.map(yield* texts.kv(store).get("2"), ({ of }) => of), Option.some([2, 8]))
    }))

  it.effect("a state that no commit can hold is refused, with all before committed", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore({ payloadBytes: 300 })
      yield* append(store, 1, 2, 3)
      const growing = ReadModel.make({
        name: "growing",
        version: 1,
        events,
        value: Schema.String,
        seed: "",
        keys: () => "k",
        step: (state) => state + "x".repeat(120)
      })
      const error = yield* Effect.flip(catchUp(store, growing))
      assert.deepInclude(error, { _tag: "LimitExceeded", field: "state of key \"k\"", limit: 300 })
      assert.deepStrictEqual(yield* growing.kv(store).get("k"), Option.some("x".repeat(240)))
    }))

  it.effect("more keys than are held between pages are read again", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const keys = upTo(12_000)
      for (const from of [0, 6000, 0, 6000]) yield* append(store, ...keys.slice(from, from + 6000))
      assert.deepInclude(yield* catchUp(store, countOf()), { events: 24_000 })
      assert.deepStrictEqual(yield* statesOf(store), each(keys, 2))
    }))

  it.effect("no key's seed is shared with another's", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1, 2, 1)
      const lists = ReadModel.make({
        name: "lists",
        version: 1,
        events,
        value: Schema.Struct({ seen: Schema.mutable(Schema.Array(Schema.Int)) }),
        seed: { seen: Array.of<number>() },
        keys: ({ data }) => `${data}`,
        step: (state, { seq }) => {
          state.seen.push(seq)
          return state
        }
      })
      yield* catchUp(store, lists)
      assert.deepStrictEqual(yield* statesOf(store, "lists@1"), { 1: { seen: [1, 3] }, 2: { seen: [2] } })
    }))
})
