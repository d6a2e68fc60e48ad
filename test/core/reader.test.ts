/** Registered readers: who they are, how far behind, and which of them compaction waits for. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type Checkpoint,
  listReaders,
  makeStore,
  moveCheckpoint,
  Position,
  type RegisterOptions,
  registerReader,
  removeReader,
  resetReader,
  slowestReader,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"

const filled = Effect.gen(function*() {
  const backend = yield* makeMemory()
  const made = yield* makeStore(backend)
  const log = made.log()
  for (const stream of ["a/1", "a/2", "b/1"]) {
    yield* log.append(stream, [{ type: "N", data: 1 }, { type: "M", data: 2 }], { expected: 0 })
  }
  return { backend, store: made }
})

const at = (store: StoreShape, name: string, position: number, options?: RegisterOptions) =>
  registerReader(store, name, { ...options, from: { position } })

describe("reader", () => {
  it.effect("begins at the start, the end or a position, and once registered stays where it is", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      const head = yield* s.head
      const positions = [
        yield* registerReader(s, "start"),
        yield* registerReader(s, "end", { from: "end" }),
        yield* at(s, "third", 3),
        yield* registerReader(s, "third", { from: "start" })
      ].map(({ position }) => Number(position))
      // Registering takes two positions, the checkpoint and its mark, so the end has moved by two meanwhile.
      assert.deepStrictEqual(positions, [0, head + 2, 3, 3])
    }))

  it.effect("registering again replaces the filter and keeps the position", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      yield* at(s, "r", 3, { prefix: "a/" })
      const again = yield* registerReader(s, "r", { prefix: "b/", types: ["N", "M"] })
      assert.deepInclude(again, { position: Position(3), prefix: "b/", types: ["N", "M"] })
      const same = yield* registerReader(s, "r", { prefix: "b/", types: ["M", "N"] })
      assert.strictEqual(same.revision, again.revision)
      assert.deepInclude(yield* registerReader(s, "r", { prefix: "b/", types: ["N", "L"] }), { types: ["N", "L"] })
    }))

  it.effect("of many who register it at once all hold the same checkpoint", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      const held = yield* Effect.all(
        Array.from({ length: 8 }, () => registerReader(s, "r")),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(held.map(({ revision }) => revision)).size, 1)
      assert.strictEqual((yield* listReaders(s)).length, 1)
    }))

  it.effect("bad names, filters and positions are refused, and nobody is registered", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      const refusals: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["name", registerReader(s, "$mine")],
        ["name", registerReader(s, "")],
        ["types", registerReader(s, "r", { types: [] })],
        ["prefix", registerReader(s, "r", { prefix: "\ud800" })],
        ["from.position", at(s, "r", 1.5)],
        ["from.position", at(s, "r", 1000)],
        ["from", registerReader(s, "r", { from: null as never })],
        ["form", registerReader(s, "r", { form: "end" } as RegisterOptions)]
      ]
      for (const [field, refused] of refusals) {
        assert.deepInclude(yield* Effect.flip(refused), { _tag: "Invalid", field })
      }
      assert.deepStrictEqual(yield* listReaders(s), [])
    }))

  it.effect("the list says how far behind each is", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      yield* at(s, "fast", 5)
      yield* at(s, "slow", 2)
      const head = yield* s.head
      assert.deepStrictEqual(
        (yield* listReaders(s)).map(({ lag, name }) => [name, lag]),
        [["fast", head - 5], ["slow", head - 2]]
      )
      yield* removeReader(s, "fast")
      yield* removeReader(s, "nobody")
      assert.deepStrictEqual((yield* listReaders(s)).map(({ name }) => name), ["slow"])
    }))

  it.effect("who has read all of its events is behind by nothing, whatever else there is and however it's paged", () =>
    Effect.gen(function*() {
      const { backend, store: s } = yield* filled
      yield* at(s, "all", 6)
      yield* at(s, "a only", 4, { prefix: "a/" })
      yield* at(s, "far", 0, { prefix: "b/" })
      yield* at(s, "not quite", 3, { prefix: "a/" })
      yield* at(s, "of L", 0, { types: ["L"] })
      const lags = (store: StoreShape) =>
        Effect.map(listReaders(store), (readers) => readers.map(({ lag, name }) => [name, lag]))
      const head = yield* s.head
      const expected = [["a only", 0], ["all", 0], ["far", head], ["not quite", head - 3], ["of L", 0]]
      assert.deepStrictEqual(yield* lags(s), expected)
      // A page that looks one position further, whether it finds something there or not.
      const nearsighted = yield* makeStore({
        ...backend,
        readAll: (range) => backend.readAll({ ...range, to: Position(Math.min(range.to, range.after + 1)) })
      })
      assert.deepStrictEqual(yield* lags(nearsighted), expected)
      const blind = yield* makeStore({ ...backend, about: { ...backend.about, lacks: new Set(["readAll"]) } })
      assert.deepStrictEqual((yield* lags(blind)).map(([, lag]) => lag), [head - 4, head - 6, head, head - 3, head])
    }))

  it.effect("the slowest is the least of those whose streams cover it", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      assert.isUndefined(yield* slowestReader(s, "a/1"))
      yield* at(s, "a only", 2, { prefix: "a/" })
      yield* at(s, "some types", 3, { types: ["N"] })
      yield* at(s, "everything", 5)
      const slowest = yield* Effect.forEach(["a/1", "b/1", "c", "a"], (stream) => slowestReader(s, stream))
      assert.deepStrictEqual(slowest.map(Number), [2, 3, 3, 3])
      yield* removeReader(s, "some types")
      assert.strictEqual(yield* slowestReader(s, "b/1"), 5)
      yield* removeReader(s, "everything")
      assert.isUndefined(yield* slowestReader(s, "b/1"))
    }))

  it.effect("one of another history is listed without a lag and stops whoever asks for the slowest", () =>
    Effect.gen(function*() {
      const { backend, store: s } = yield* filled
      yield* at(s, "old", 2, { prefix: "a/" })
      const restored = yield* makeStore({ ...backend, about: { ...backend.about, incarnation: "another" } })
      assert.deepStrictEqual((yield* listReaders(restored)).map(({ lag }) => lag), [undefined])
      assert.strictEqual((yield* Effect.flip(slowestReader(restored, "a/1")))._tag, "Corrupt")
      assert.isUndefined(yield* slowestReader(restored, "b/1"))
      assert.strictEqual((yield* Effect.flip(registerReader(restored, "old")))._tag, "Corrupt")
      yield* resetReader(restored, "old", { position: 1 })
      assert.strictEqual(yield* slowestReader(restored, "a/1"), 1)
    }))

  it.effect("a reset goes back or forth, keeps the filter and fences who holds it", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      const held: Checkpoint = yield* at(s, "r", 4, { prefix: "a/" })
      yield* resetReader(s, "r")
      assert.deepInclude(yield* moveCheckpoint(s, held, 6), { _tag: "Fenced" })
      assert.deepInclude((yield* listReaders(s))[0], { position: Position(0), prefix: "a/" })
      yield* resetReader(s, "r", { position: 5 })
      assert.deepInclude((yield* listReaders(s))[0], { position: Position(5), prefix: "a/" })
    }))

  it.effect("a reset undoes nothing that is registered meanwhile", () =>
    Effect.gen(function*() {
      const { backend, store: s } = yield* filled
      yield* at(s, "r", 4, { prefix: "a/" })
      let meanwhile = registerReader(s, "r", { prefix: "b/" })
      const slow = yield* makeStore({
        ...backend,
        get: (keys) =>
          Effect.tap(backend.get(keys), () => {
            const once = meanwhile
            meanwhile = Effect.die("only once")
            return Effect.ignoreCause(once)
          })
      })
      yield* resetReader(slow, "r")
      assert.deepInclude((yield* listReaders(s))[0], { position: Position(0), prefix: "b/" })
    }))

  it.effect("a reset of nobody, of a read model, or beyond the head is refused", () =>
    Effect.gen(function*() {
      const { store: s } = yield* filled
      yield* at(s, "r", 4)
      const refusals = [
        resetReader(s, "nobody"),
        resetReader(s, "$read-model/totals@1"),
        resetReader(s, "r", { position: 1000 })
      ]
      for (const refused of refusals) assert.strictEqual((yield* Effect.flip(refused))._tag, "Invalid")
      assert.deepInclude((yield* listReaders(s))[0], { name: "r", position: Position(4) })
    }))
})
