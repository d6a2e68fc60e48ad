/** Read models under crashes, interruptions and rivals: each event takes effect once. */
import { assert, describe, it } from "@effect/vitest"
import { catchUp, makeStore, rebuild, runReadModel, waitFor } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { faults } from "./faulty.ts"
import { append, assertConsistent, expected, inputs, isCaughtUp, newStore, statesOf, Total, totals } from "./totals.ts"

describe("read model under faults", () => {
  it("is the same after a crash at every commit there is, each event applied once", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 6 }), fc.constantFrom(...faults), (log, pageLimit, fault) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          let crashes = 0
          for (let at = 1;; at++) {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = pageLimit
            yield* Effect.forEach(log, (one) =>
              append(store, one))
            faulty.failAt(at, fault)
            const exit = yield* Effect.exit(catchUp(store, totals))
            if (!faulty.failed()) {
              break
            }
            crashes++
            assert.isTrue(Exit.isFailure(exit))
            yield* assertConsistent(store)
            assert.isTrue(isCaughtUp(yield* catchUp(store, totals)))
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
          }
          // Registering it is one commit, and every page another.
          assert.isAtLeast(crashes, 1 + Math.ceil(log.length / pageLimit))
        })))),
      { numRuns: 40 }
    ))

  it("survives crashes one after another, while the log grows", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(inputs, fc.integer({ min: 1, max: 8 }), fc.constantFrom(...faults)), {
          minLength: 1,
          maxLength: 5
        }),
        fc.integer({ min: 1, max: 6 }),
        (steps, pageLimit) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = pageLimit
            for (const [log, at, fault] of steps) {
              yield* Effect.forEach(log, (one) => append(store, one))
              faulty.failAt(at, fault)
              yield* Effect.exit(catchUp(store, totals))
              faulty.failAt(Infinity, fault)
              yield* assertConsistent(store)
            }
            yield* catchUp(store, totals)
            assert.deepStrictEqual(yield* statesOf(store), expected(steps.flatMap(([log]) => log)))
          })))
      ),
      { numRuns: 100 }
    ))

  it("however many run it together, each event takes effect once and the losers are fenced", async () => {
    let fenced = 0
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.array(fc.nat(6), { minLength: 2, maxLength: 4 }),
        fc.nat(4),
        (log, rivals, late) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            const runners = yield* Effect.forEach(rivals, (delay) =>
              Effect.gen(function*() {
                // A handle of its own, as another process has, whose reads take some time.
                const get = faulty.backend.get
                const own = yield* makeStore({
                  ...faulty.backend,
                  get: (keys) =>
                    Effect.andThen(Effect.forEach(Array.from({ length: delay }), () => Effect.yieldNow), get(keys))
                })
                return yield* Effect.forkChild(
                  Effect.forever(Effect.tap(runReadModel(own, totals), () => Effect.sync(() => fenced++)))
                )
              }))
            for (const one of log) {
              yield* append(store, one)
              yield* Effect.forEach(Array.from({ length: late }), () => Effect.yieldNow)
            }
            yield* waitFor(store, totals, yield* store.head)
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
            yield* Effect.forEach(runners, (fiber) => Fiber.interrupt(fiber))
            yield* assertConsistent(store)
          })))
      )
    )
    assert.isAbove(fenced, 10)
  })

  it("interrupted anywhere it leaves whole commits, and the next run completes them", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.array(fc.nat(30), { maxLength: 6 }), (log, stops) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { faulty, store } = yield* newStore()
          faulty.pageLimit = 2
          yield* Effect.forEach(log, (one) =>
            append(store, one))
          for (const stop of stops) {
            const fiber = yield* Effect.forkChild(runReadModel(store, totals))
            yield* Effect.forEach(Array.from({ length: stop }), () =>
              Effect.yieldNow)
            yield* Fiber.interrupt(fiber)
            yield* assertConsistent(store)
          }
          yield* catchUp(store, totals)
          assert.deepStrictEqual(yield* statesOf(store), expected(log))
        }))))
    ))

  it("rebuilt from zero it's the same, whatever it was before and wherever that crashes", () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.constantFrom(...faults), (log, fault) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          let crashes = 0
          for (let at = 1;; at++) {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = 7
            yield* Effect.forEach(log, (one) =>
              append(store, one))
            yield* catchUp(store, totals)
            const spoilt = store.kv(totals.namespace, Total)
            yield* spoilt.put("all", { sum: -1, times: -1 })
            yield* spoilt.put("nobody's", { sum: -1, times: -1 })
            faulty.failAt(at, fault)
            yield* Effect.exit(rebuild(store, totals))
            if (!faulty.failed()) {
              assert.deepStrictEqual(yield* statesOf(store), expected(log))
              break
            }
            crashes++
            const states = yield* statesOf(store)
            if ("nobody's" in states) {
              yield* rebuild(store, totals)
            } else {
              yield* assertConsistent(store)
              yield* catchUp(store, totals)
            }
            assert.deepStrictEqual(yield* statesOf(store), expected(log))
          }
          assert.isAtLeast(crashes, 2)
        })))),
      { numRuns: 40 }
    ))
})
