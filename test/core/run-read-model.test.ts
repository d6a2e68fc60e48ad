/** Running a read model: over which history it may be built, what it refuses, and how long one waits for it. */
import { assert, describe, it } from "@effect/vitest"
import {
  anyEvents,
  catchUp,
  listReaders,
  makeStore,
  moveCheckpoint,
  ReadModel,
  rebuild,
  registerReader,
  removeReader,
  resetReader,
  runReadModel,
  waitFor
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { append, countOf, each, events, newStore, positionOf, statesOf, upTo } from "./counts.ts"

describe("running a read model", () => {
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

  it.effect("whoever waits isn't told too early by pages that look less far than they were asked", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      yield* catchUp(store, countOf({ prefix: "s" }))
      yield* store.log(events).append("t", { type: "N", data: 1 }, { expected: 0 })
      const { position } = yield* append(store, 1)
      faulty.pageStretch = 1
      const waiting = yield* Effect.forkChild(Effect.flip(waitFor(store, countOf({ prefix: "s" }), position)), {
        startImmediately: true
      })
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "Unavailable")
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
