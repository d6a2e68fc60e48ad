/** What a read model refuses, what it can't fold, and what is committed before it says so. */
import { assert, describe, it } from "@effect/vitest"
import {
  anyEvents,
  Catalogue,
  catchUp,
  type Limits,
  listReaders,
  makeStore,
  moveCheckpoint,
  readCheckpoint,
  ReadModel,
  type ReadModelDefinition,
  rebuild,
  registerReader,
  removeReader,
  resetReader,
  runReadModel,
  type StoreShape,
  waitFor
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { makeFaulty } from "./faulty.ts"

const events = Catalogue.make({ N: Schema.Int, M: Schema.Int })

type Definition<A> = ReadModelDefinition<typeof events, A>

/** Counts events by what they hold. */
const countOf = (change: Partial<Definition<number>> = {}) =>
  ReadModel.make<typeof events, number>({
    name: "counts",
    version: 1,
    events,
    value: Schema.Int,
    seed: 0,
    keys: ({ data }) => `${data}`,
    step: (state) => state + 1,
    ...change
  })

const newStore = (limits?: Partial<Limits>) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty(limits)
    return { faulty, store: yield* makeStore(faulty.backend, { retries: 0 }) }
  })

const append = (store: StoreShape, ...data: ReadonlyArray<number>) =>
  store.log(events).append("s", data.map((n) => ({ type: "N", data: n }) as const), { expected: "any" })

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

const statesOf = (store: StoreShape, namespace = "counts@1") =>
  Effect.map(
    Stream.runCollect(store.kv(namespace).scan()),
    (entries): Record<string, unknown> => Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  )

const positionOf = (store: StoreShape) =>
  Effect.map(
    readCheckpoint(store, countOf().reader),
    (found) => Option.isSome(found) ? Number(found.value.position) : undefined
  )

const each = (keys: ReadonlyArray<number>, count = 1) => Object.fromEntries(keys.map((key) => [`${key}`, count]))

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

describe("read model's history", () => {
  it.effect("over truncated streams it isn't built from zero unless that's allowed", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      yield* append(store, ...upTo(5))
      yield* catchUp(store, countOf())
      yield* store.log(events).truncate("s", 3)
      const commits = faulty.commits.length
      const v2 = countOf({ version: 2 })
      for (const refused of [catchUp(store, v2), runReadModel(store, v2), rebuild(store, countOf())]) {
        const error = yield* Effect.flip(refused)
        assert.deepInclude(error, { _tag: "Invalid", field: "allowTruncated" })
        assert.include(error.message, "stream \"s\"")
      }
      assert.strictEqual(faulty.commits.length, commits)
      // What is built already has seen them all, and goes on.
      yield* append(store, 6)
      yield* catchUp(store, countOf())
      assert.deepStrictEqual(yield* statesOf(store), each(upTo(6)))
      assert.deepInclude(yield* catchUp(store, v2, { allowTruncated: true }), { events: 4 })
      assert.deepInclude(yield* rebuild(store, countOf(), { allowTruncated: true }), { events: 4 })
      assert.deepStrictEqual(yield* statesOf(store), each([3, 4, 5, 6]))
    }))

  it.effect("a truncation that comes between looking and registering is noticed", () =>
    Effect.gen(function*() {
      const { faulty: { backend }, store } = yield* newStore()
      yield* append(store, 1, 2)
      let truncating: Effect.Effect<unknown, unknown> = store.log(events).truncate("s", 2)
      const late = yield* makeStore({
        ...backend,
        commit: (batch) => {
          const once = truncating
          truncating = Effect.void
          return Effect.andThen(Effect.orDie(once), backend.commit(batch))
        }
      })
      assert.deepInclude(yield* Effect.flip(catchUp(late, countOf())), { _tag: "Invalid", field: "allowTruncated" })
      assert.deepStrictEqual(yield* statesOf(store), {})
    }))

  it.effect("its checkpoint can't be reset without its states", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1)
      yield* catchUp(store, countOf())
      const position = yield* positionOf(store)
      assert.include((yield* Effect.flip(resetReader(store, countOf().reader))).message, "rebuild")
      assert.strictEqual(yield* positionOf(store), position)
    }))

  it.effect("truncated streams that aren't its own don't matter, nor deleted ones that are", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1)
      yield* store.log(events).delete("s", { expected: "any" })
      yield* store.log(events).append("t", { type: "N", data: 2 }, { expected: 0 })
      assert.deepInclude(yield* catchUp(store, countOf({ prefix: "t" })), { events: 1 })
      assert.deepInclude(yield* Effect.flip(catchUp(store, countOf({ version: 2 }))), { field: "allowTruncated" })
    }))

  it.effect("built over other events under the same version it's refused; rebuilt it's right", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1, 2)
      yield* store.log(events).append("t", { type: "M", data: 3 }, { expected: 0 })
      yield* catchUp(store, countOf())
      const onlyT = countOf({ prefix: "t" })
      const onlyM = ReadModel.make({
        name: onlyT.name,
        version: onlyT.version,
        events: events.only("M"),
        value: Schema.Int,
        seed: 0,
        keys: ({ data }) => `${data}`,
        step: (n) => n + 1
      })
      const others = [
        { catchUp: catchUp(store, onlyT), rebuild: rebuild(store, onlyT) },
        { catchUp: catchUp(store, onlyM), rebuild: rebuild(store, onlyM) }
      ]
      for (const other of others) {
        assert.deepInclude(yield* Effect.flip(other.catchUp), { _tag: "Invalid", field: "events" })
        yield* other.rebuild
        assert.deepStrictEqual(yield* statesOf(store), each([3]))
        yield* rebuild(store, countOf())
        assert.deepStrictEqual(yield* statesOf(store), each([1, 2, 3]))
      }
    }))

  it.effect("a namespace that holds somebody's keys is left alone until it's rebuilt", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1)
      yield* store.kv("counts@1").put("mine", "text")
      assert.deepInclude(yield* Effect.flip(catchUp(store, countOf())), { _tag: "Invalid", field: "name" })
      assert.deepStrictEqual([yield* statesOf(store), yield* listReaders(store)], [{ mine: "text" }, []])
      yield* rebuild(store, countOf())
      assert.deepStrictEqual(yield* statesOf(store), each([1]))
      // Forgotten as a reader, it must not fold everything onto what it has.
      yield* removeReader(store, countOf().reader)
      assert.deepInclude(yield* Effect.flip(catchUp(store, countOf())), { _tag: "Invalid", field: "name" })
    }))

  it.effect("in another history of the store it's refused, and rebuilt it's right", () =>
    Effect.gen(function*() {
      const { faulty: { backend }, store } = yield* newStore()
      yield* append(store, 1)
      yield* catchUp(store, countOf())
      const restored = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "another" } })
      for (const refused of [catchUp(restored, countOf()), waitFor(restored, countOf(), 1)]) {
        const error = yield* Effect.flip(refused)
        assert.strictEqual(error._tag, "Corrupt")
        assert.include(error.message, "rebuild")
      }
      yield* rebuild(restored, countOf())
      assert.deepStrictEqual(yield* statesOf(restored), each([1]))
    }))

  it.effect("a stored state that its schema can't read stops it, naming the key", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1)
      yield* catchUp(store, countOf())
      yield* store.kv("counts@1").put("1", "text")
      yield* append(store, 1)
      const error = yield* Effect.flip(catchUp(store, countOf()))
      assert.strictEqual(error._tag, "Corrupt")
      assert.include(error.message, "key \"1\" of namespace \"counts@1\"")
    }))

  it.effect("a subscription may have the read model's name: their checkpoints are not the same", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1, 2)
      const held = yield* registerReader(store, "counts@1")
      yield* catchUp(store, countOf())
      assert.notProperty(yield* moveCheckpoint(store, held, 1), "_tag")
      assert.deepStrictEqual((yield* listReaders(store)).map(({ name }) => name), ["$read-model/counts@1", "counts@1"])
    }))

  it.effect("whoever waits for what nobody builds is told so in the end", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const { position } = yield* append(store, 1)
      const waiting = yield* Effect.forkChild(Effect.flip(waitFor(store, countOf(), position)), {
        startImmediately: true
      })
      yield* TestClock.adjust("6 seconds")
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error._tag, "Unavailable")
      assert.include(error.message, "counts@1")
      const beyond = yield* Effect.forkChild(Effect.flip(waitFor(store, countOf(), 1000)), { startImmediately: true })
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(beyond))._tag, "Unavailable")
      assert.deepInclude(yield* Effect.flip(waitFor(store, countOf(), -1)), { _tag: "Invalid" })
    }))

  it.effect("stretches without its events move it on", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const only = countOf({ prefix: "t" })
      yield* catchUp(store, only)
      yield* append(store, ...upTo(3000))
      yield* catchUp(store, only)
      assert.isAtLeast((yield* positionOf(store)) ?? 0, 3000)
    }))

  it("a definition that can't be is refused at once", () => {
    const wrong: ReadonlyArray<readonly [string, object]> = [
      ["name", { name: "" }],
      ["name", { name: "$mine" }],
      ["name", { name: 3 }],
      ["version", { version: 0 }],
      ["version", { version: 1.5 }],
      ["keys", { keys: undefined }],
      ["step", { step: "add" }],
      ["events", { events: undefined }],
      ["seed", { seed: /odd/ }],
      ["value", { value: undefined }],
      ["state", { state: 1 }]
    ]
    for (const [field, change] of wrong) {
      const made = Result.try(() => countOf(change))
      assert.deepInclude(Result.isFailure(made) ? made.failure : undefined, { _tag: "Invalid", field })
    }
  })

  it.effect("options that it doesn't know are refused, and every event can be its own", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* append(store, 1)
      const wrong = { allowTruncate: true } as object
      for (
        const refused of [
          catchUp(store, countOf(), wrong),
          runReadModel(store, countOf(), wrong),
          rebuild(store, countOf(), wrong)
        ]
      ) {
        assert.deepInclude(yield* Effect.flip(refused), { _tag: "Invalid", field: "allowTruncate" })
      }
      const types = ReadModel.make({
        name: "types",
        version: 1,
        events: anyEvents,
        value: Schema.Int,
        seed: 0,
        keys: ({ type }) => type,
        step: (n) => n + 1
      })
      yield* catchUp(store, types)
      assert.deepStrictEqual(yield* statesOf(store, "types@1"), { N: 1 })
    }))
})
