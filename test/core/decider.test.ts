/** Deciders: one decision for one state, carried out once, whoever else is at it. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  Catalogue,
  compact,
  type Conflict,
  decide,
  type Decided,
  type DecideOptions,
  Decider,
  Invalid,
  load,
  makeStore,
  OutcomeUnknown,
  project,
  Projection,
  SnapshotPolicy,
  type StoreShape,
  Unavailable
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { memoryStore, upTo, warningsIn } from "./ledger.ts"

const Account = Catalogue.make({ Deposited: Schema.Int, Withdrawn: Schema.Int })

const balance = Projection.make({
  name: "balance",
  version: 1,
  seed: 0,
  events: Account,
  step: (cents, { data, type }) => type === "Deposited" ? cents + data : cents - data
})

class Overdrawn {
  readonly _tag = "Overdrawn"
  readonly missing: number
  constructor(missing: number) {
    this.missing = missing
  }
}

/** How often it was asked. */
let asked = 0

const account = Decider.make({
  name: "account",
  projection: balance,
  decide: (cents, command: { readonly take: number } | { readonly put: number }) => {
    asked++
    if ("put" in command) return command.put === 0 ? [] : [{ type: "Deposited", data: command.put }]
    return command.take > cents
      ? Result.fail(new Overdrawn(command.take - cents))
      : [{ type: "Withdrawn", data: command.take }]
  }
})

const put = (store: StoreShape, n: number, options?: DecideOptions) => decide(store, account, "a", { put: n }, options)
const take = (store: StoreShape, n: number, options?: DecideOptions) =>
  decide(store, account, "a", { take: n }, options)

const now = (store: StoreShape) => Effect.map(project(store, balance, { stream: "a" }), ({ state }) => state)

const carriedOut = (outcome: Decided | Conflict): Decided => {
  assert.strictEqual(outcome._tag, "Decided")
  return outcome as Decided // Just seen.
}

/** Somebody who is faster: does something before each of the first `times` commits that reach the backend. */
const overtaken = (inner: BackendShape, times: number, act: (n: number) => Effect.Effect<unknown, unknown>) => {
  let n = 0
  return makeStore({
    ...inner,
    commit: (batch) => n++ < times ? Effect.andThen(Effect.orDie(act(n)), inner.commit(batch)) : inner.commit(batch)
  })
}

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

  it.effect("decides again on what was appended meanwhile, reading only that", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* put(store, 10)
      for (const n of upTo(20)) yield* put(store, n)
      let events = 0
      const counting = {
        ...memory,
        readStream: (range: Parameters<BackendShape["readStream"]>[0]) =>
          Effect.tap(memory.readStream(range), ({ length }) => Effect.sync(() => events += length))
      }
      const late = yield* overtaken(counting, 2, () => take(store, 100))
      asked = 0
      const done = carriedOut(yield* decide(late, account, "a", { take: 20 }))
      assert.deepStrictEqual([done.conflicts, Number(done.seq)], [2, 24])
      assert.strictEqual(yield* now(store), 220 - 200 - 20)
      // Its own three decisions and the rival's two; the stream's 21 events once, and the two that were missing.
      assert.deepStrictEqual([asked, events], [5, 21 + 1 + 1])
    }))

  it.effect("the state it decides again on may lead to another decision", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* put(store, 10)
      const late = yield* overtaken(memory, 1, () => take(store, 8))
      assert.deepStrictEqual(yield* Effect.flip(decide(late, account, "a", { take: 5 })), new Overdrawn(3))
      assert.strictEqual(yield* now(store), 2)
    }))

  it.effect("after so many lost races the last conflict is the answer, and nothing happened", () =>
    Effect.gen(function*() {
      for (const [retries, races] of [[undefined, 4], [0, 1], [6, 7]] as const) {
        const memory = yield* makeMemory()
        const store = yield* makeStore(memory)
        yield* put(store, 100)
        const late = yield* overtaken(memory, 99, () => put(store, 1))
        const conflict = yield* decide(late, account, "a", { take: 50 }, { retries })
        assert.strictEqual(conflict._tag, "Conflict")
        if (conflict._tag === "Conflict") {
          assert.deepStrictEqual([conflict.expectation.expected, conflict.actual].map(Number), [races, races + 1])
        }
        assert.strictEqual(yield* now(store), 100 + races)
      }
    }))

  it("of any number of rivals at once each command is carried out once, and none on a stale state", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 8 }), (amounts) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { store } = yield* memoryStore
          yield* put(store, 20)
          const outcomes = yield* Effect.forEach(
            amounts,
            (n, i) =>
              Effect.map(
                Effect.result(take(store, n, { retries: 50, id: `${i}`, snapshots: SnapshotPolicy.every(2) })),
                (result) =>
                  Result.isSuccess(result) && result.success._tag === "Decided" ? n : 0
              ),
            { concurrency: "unbounded" }
          )
          const taken = outcomes.reduce((a, b) => a + b, 0)
          assert.strictEqual(yield* now(store), 20 - taken)
          assert.isAtMost(taken, 20)
          assert.isAbove(taken, 0)
          const refused = amounts.filter((_n, i) => outcomes[i] === 0)
          for (const n of refused) assert.isAbove(n, 20 - taken)
        })))),
      { numRuns: 40 }
    ))

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

  it.effect("repeated at the same time it is still carried out once", () =>
    Effect.gen(function*() {
      for (const meanwhile of [0, 1]) {
        const memory = yield* makeMemory()
        const store = yield* makeStore(memory)
        yield* put(store, 10)
        // The same command elsewhere, after this one has looked; with another in between, so that it decides otherwise.
        const late = yield* overtaken(memory, 1, () =>
          Effect.andThen(meanwhile === 0 ? Effect.void : put(store, 1), take(store, 10, { id: "t1" })))
        const outcome = carriedOut(yield* decide(late, account, "a", { take: 10 }, { id: "t1" }))
        assert.isTrue(outcome.repeated)
        assert.strictEqual(yield* now(store), meanwhile)
      }
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

  it.effect("where the outcome is unknown, the command repeated under its id finds it", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let lose = true
      const store = yield* makeStore({
        ...memory,
        commit: (batch) =>
          Effect.flatMap(memory.commit(batch), (outcomes) => {
            if (!lose) return Effect.succeed(outcomes)
            lose = false
            return Effect.fail(new OutcomeUnknown({ id: undefined, reason: "the connection broke" }))
          })
      }, { retries: 0 })
      const unknown = yield* Effect.flip(put(store, 5, { id: "p1" }))
      assert.strictEqual(unknown._tag, "OutcomeUnknown")
      assert.isTrue(carriedOut(yield* put(store, 5, { id: "p1" })).repeated)
      assert.strictEqual(yield* now(store), 5)
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

  it.effect("goes on where the events it missed were compacted away meanwhile", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* put(store, 10)
      const late = yield* overtaken(memory, 1, () =>
        Effect.andThen(
          Effect.forEach(upTo(3), (n) => put(store, n)),
          compact(store, { projection: balance, stream: "a" })
        ))
      const done = carriedOut(yield* decide(late, account, "a", { take: 10 }))
      assert.deepStrictEqual([done.conflicts, Number(done.seq)], [1, 5])
      assert.strictEqual((yield* load(store, balance, { stream: "a" })).state, 6)
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

  it.effect("interrupted, it leaves all of its events or none", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const arrived = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const store = yield* makeStore({
        ...memory,
        commit: (batch) =>
          Deferred.succeed(arrived, undefined).pipe(
            Effect.andThen(Deferred.await(go)),
            Effect.andThen(memory.commit(batch))
          )
      })
      const two = Decider.make({
        name: "two",
        projection: balance,
        decide: (_cents, n: number) => [{ type: "Deposited", data: n }, { type: "Deposited", data: n }]
      })
      const fiber = yield* Effect.forkChild(decide(store, two, "a", 1, { id: "i" }))
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.succeed(go, undefined)
      // It was on its way: whether it happened is known by its id.
      assert.isTrue(carriedOut(yield* decide(store, two, "a", 1, { id: "i" })).repeated)
      assert.strictEqual(yield* now(store), 2)
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
