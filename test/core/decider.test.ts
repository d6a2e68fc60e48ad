/** Deciders: what is decided is appended where it was decided, once, and nothing else is. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { decide, Decider, Invalid, load, makeStore, SnapshotPolicy, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Account, account, balance, carriedOut, now, Overdrawn, put, take } from "./account.ts"
import { memoryStore, upTo, warningsIn } from "./ledger.ts"

describe("decider", () => {
  it.effect("appends what it decides, where it was decided", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      const first = carriedOut(yield* put(store, 10, { at: 77, meta: { who: "me" } }))
      assert.deepStrictEqual([first.seq, first.position, first.repeated, first.conflicts].map(Number), [1, 1, 0, 0])
      const second = carriedOut(yield* take(store, 4))
      assert.deepStrictEqual([second.appended?.first, second.appended?.last, second.seq].map(Number), [2, 2, 2])
      const events = yield* Stream.runCollect(store.log(Account).read("a"))
      assert.deepStrictEqual(events.map(({ at, data, meta, type }) => [type, data, at, meta]), [
        ["Deposited", 10, 77, { who: "me" }],
        ["Withdrawn", 4, 0, undefined]
      ])
      assert.strictEqual(yield* now(store), 6)
    }))

  it.effect("several events of one decision are one commit, with their own meta first", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      const both = Decider.make({
        name: "both",
        projection: balance,
        decide: (_cents, n: number) => [
          { type: "Deposited", data: n, meta: { who: "it" } },
          { type: "Withdrawn", data: n }
        ]
      })
      const { appended } = carriedOut(yield* decide(store, both, "a", 3, { meta: { who: "me", why: 1 } }))
      assert.deepStrictEqual([appended?.first, appended?.last].map(Number), [1, 2])
      const events = yield* Stream.runCollect(store.log(Account).read("a"))
      assert.deepStrictEqual(events.map(({ meta }) => meta), [{ who: "it", why: 1 }, { who: "me", why: 1 }])
    }))

  it.effect("a decision of no events commits nothing", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* put(store, 5)
      const head = yield* backend.head
      const none = carriedOut(yield* put(store, 0, { id: "none" }))
      assert.deepStrictEqual([none.appended, Number(none.seq), none.repeated], [undefined, 1, false])
      assert.strictEqual(yield* backend.head, head)
      assert.strictEqual(Number(carriedOut(yield* decide(store, account, "new", { put: 0 })).seq), 0)
    }))

  it.effect("its own failure comes through untouched, and nothing happens", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* put(store, 5)
      const head = yield* backend.head
      const failure = yield* Effect.flip(take(store, 7))
      assert.instanceOf(failure, Overdrawn)
      assert.strictEqual(failure.missing, 2)
      const handled = yield* Effect.catchTag(take(store, 8), "Overdrawn", ({ missing }) => Effect.succeed(missing))
      assert.strictEqual(handled, 3)
      assert.strictEqual(yield* backend.head, head)
    }))

  it.effect("a command with an id is carried out once, however often it's repeated", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* put(store, 10)
      const once = carriedOut(yield* take(store, 10, { id: "t1" }))
      // Decided anew it would fail: there is nothing left to take.
      for (const _ of upTo(3)) {
        const again = carriedOut(yield* take(store, 10, { id: "t1" }))
        assert.deepStrictEqual(again, { ...once, repeated: true })
      }
      yield* put(store, 50)
      assert.deepStrictEqual(yield* take(store, 10, { id: "t1" }), { ...once, repeated: true })
      assert.strictEqual(yield* now(store), 50)
      assert.strictEqual(carriedOut(yield* take(store, 10, { id: "t2" })).repeated, false)
    }))

  it.effect("an id that was used for something else is refused", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* decide(store, account, "b", { put: 1 }, { id: "b1" })
      yield* store.commit([store.kv("k").ops.put("x", 1)], { id: "k1" })
      for (const id of ["b1", "k1"]) {
        const fault = yield* Effect.flip(put(store, 1, { id }))
        assert.instanceOf(fault, Invalid)
        assert.strictEqual(fault.field, "id")
      }
      assert.strictEqual(yield* now(store), 0)
    }))

  it.effect("begins with a snapshot, saves one by policy, and a save that fails doesn't fail the command", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let full = false
      const store = yield* makeStore({
        ...memory,
        commit: (batch) =>
          full && batch.some(({ write }) => write.length > 0)
            ? Effect.fail(new Unavailable({ operation: "commit", reason: "disk full", remedy: "make room" }))
            : memory.commit(batch)
      }, { retries: 0 })
      const snapshots = SnapshotPolicy.every(3)
      for (const n of upTo(4)) yield* put(store, n, { snapshots })
      const loaded = yield* load(store, balance, { stream: "a", snapshots: SnapshotPolicy.never })
      // The fourth command found three events; its own came after.
      assert.deepStrictEqual([loaded.from?.seq, loaded.replayed].map(Number), [3, 1])
      full = true
      for (const n of upTo(3)) {
        const { value } = yield* warningsIn(put(store, n, { snapshots }))
        assert.strictEqual(carriedOut(value).conflicts, 0)
      }
      const { warnings } = yield* warningsIn(take(store, 1, { snapshots }))
      assert.deepStrictEqual(warnings, ["a snapshot could not be saved"])
      assert.strictEqual(yield* now(store), 10 + 6 - 1)
    }))

  it.effect("decides on what is left of a truncated stream only if it may", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* put(store, 10)
      yield* put(store, 3)
      yield* store.log().truncate("a", 2)
      assert.instanceOf(yield* Effect.flip(put(store, 1)), Invalid)
      assert.instanceOf(yield* Effect.flip(take(store, 4, { allowTruncated: true })), Overdrawn)
      yield* store.log().delete("a", { expected: "any" })
      assert.strictEqual(Number(carriedOut(yield* put(store, 1, { allowTruncated: true })).seq), 3)
    }))

  it.effect("refuses decisions that throw or aren't any, naming the decider", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const deciding = (act: () => unknown) =>
        // As JavaScript could decide.
        Decider.make({ name: "odd", projection: balance, decide: (_cents, _command: null) => act() as [] })
      const cause = new Error("mine")
      const wrong: ReadonlyArray<readonly [field: string, act: () => unknown]> = [
        ["decider \"odd\"", () => {
          throw cause
        }],
        ["decider \"odd\"", () => undefined],
        ["decider \"odd\"", () => ({ type: "Deposited", data: 1 })],
        ["decider \"odd\"", () => Promise.resolve([])],
        ["decider \"odd\"", () => Result.succeed(undefined)],
        ["event.type", () => [{ type: "Deposted", data: 1 }]],
        ["event.data", () => [{ type: "Deposited", data: "1" }]],
        ["event", () => [undefined]]
      ]
      for (const [field, act] of wrong) {
        const fault = yield* Effect.flip(decide(store, deciding(act), "a", null))
        assert.instanceOf(fault, Invalid)
        assert.strictEqual(fault.field, field)
        assert.include([undefined, cause], fault.cause)
      }
      assert.strictEqual(yield* backend.head, 0)
    }))

  it.effect("refuses options that can't be right", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      const wrong: ReadonlyArray<readonly [field: string, options: object]> = [
        ["retries", { retries: -1 }],
        ["retries", { retries: Infinity }],
        ["retry", { retry: 1 }],
        ["id", { id: "" }],
        ["at", { at: 0.5 }],
        ["event.meta.$x", { meta: { $x: 1 } }],
        ["allowTruncated", { allowTruncated: 1 }]
      ]
      for (const [field, options] of wrong) {
        const fault = yield* Effect.flip(put(store, 1, options))
        assert.instanceOf(fault, Invalid)
        assert.strictEqual(fault.field, field)
      }
      const fault = yield* Effect.flip(decide(store, account, "", { put: 1 }))
      assert.strictEqual(fault._tag === "Invalid" && fault.field, "stream")
      assert.strictEqual(yield* backend.head, 0)
    }))

  it("is refused at once where it is made of the wrong things", () => {
    const good = { name: "d", projection: balance, decide: () => [] }
    const wrong: ReadonlyArray<readonly [field: string, options: object]> = [
      ["name", { ...good, name: "" }],
      ["projection", { ...good, projection: { name: "balance" } }],
      ["decide", { ...good, decide: [] }],
      ["decides", { ...good, decides: good.decide }]
    ]
    for (const [field, options] of wrong) {
      assert.throws(() => Decider.make(options as typeof good), new RegExp(`^${field}: `))
    }
  })
})
