/** Deciders among rivals: lost races, repeated commands, interruptions and compaction on the way. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  compact,
  decide,
  Decider,
  load,
  makeStore,
  OutcomeUnknown,
  SnapshotPolicy
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { account, asked, balance, carriedOut, now, Overdrawn, overtaken, put, take } from "./account.ts"
import { memoryStore, upTo } from "./ledger.ts"

describe("decider", () => {
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
      asked.times = 0
      const done = carriedOut(yield* decide(late, account, "a", { take: 20 }))
      assert.deepStrictEqual([done.conflicts, Number(done.seq)], [2, 24])
      assert.strictEqual(yield* now(store), 220 - 200 - 20)
      // Its own three decisions and the rival's two; the stream's 21 events once, and the two that were missing.
      assert.deepStrictEqual([asked.times, events], [5, 21 + 1 + 1])
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
})
