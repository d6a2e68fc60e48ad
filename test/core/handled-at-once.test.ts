/** Handlers that answer at once: the turns of others, interruptions, and what they may answer instead. */
import { assert, describe, it } from "@effect/vitest"
import { runSubscription, runSubscriptionPages } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { events, filled, Refused, savedBy, upTo } from "./handling.ts"

describe("a handler that answers at once", () => {
  it.live.each([1000, 100])(
    "gives others a turn while events are handled at once, %d a page",
    (batch) =>
      Effect.gen(function*() {
        const { store } = yield* filled(900)
        let handled = 0
        const atTurns: Array<number> = []
        const next = () => {
          atTurns.push(handled)
          if (handled < 900) setImmediate(next)
        }
        const handler = (n: number) => {
          if (n === 1) setImmediate(next)
          handled = n
          return n === 900 ? Effect.fail(new Refused({ n })) : Effect.void
        }
        const options = { name: "r", events, batch, saveEvery: 10_000 }
        yield* Effect.flip(runSubscription(store, { ...options, handle: ({ data }) => handler(data) }))
        // Who asks for a turn in one has the next.
        const longest = Math.max(...atTurns.map((at, i) => at - (atTurns[i - 1] ?? 0)))
        assert.deepStrictEqual([atTurns.length > 1, longest <= 512], [true, true])
      })
  )

  it.effect("answers of both kinds are handled in their order, in pages of any size", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(700)
      const seen: Array<number> = []
      const handler = (n: number): Effect.Effect<unknown> => {
        if (n % 3 === 0) return Effect.sync(() => seen.push(n))
        if (n % 5 === 0) return Effect.andThen(Effect.yieldNow, () => Effect.sync(() => seen.push(n)))
        seen.push(n)
        return Effect.void
      }
      const last = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(runSubscription(store, {
        name: "r",
        events,
        batch: 300,
        handle: ({ data }) => data === 700 ? Effect.asVoid(Deferred.succeed(last, undefined)) : handler(data)
      }))
      yield* Deferred.await(last)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([seen, yield* savedBy(store)], [upTo(699), 700])
    }))

  it.live("an interruption that comes in another's turn is heard before the next event", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(900)
      let handled = 0
      const fiber: Fiber.Fiber<unknown, unknown> = yield* Effect.forkChild(runSubscription(store, {
        name: "r",
        events,
        handle: ({ data }) => {
          handled = data
          if (data === 1) setImmediate(() => fiber.interruptUnsafe())
          return Effect.void
        }
      }))
      yield* Effect.exit(Fiber.join(fiber))
      assert.isBelow(handled, 900)
      assert.strictEqual(yield* savedBy(store), handled)
    }))

  it.effect("one that throws has died with that, though it interrupts its run", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(2)
      const bug = new Error("a bug")
      const throwing: Fiber.Fiber<unknown, unknown> = yield* Effect.forkChild(runSubscription(store, {
        name: "r",
        events,
        handle: (): Effect.Effect<void> => {
          throwing.interruptUnsafe()
          throw bug
        }
      }))
      const exit = yield* Effect.exit(Fiber.join(throwing))
      assert.include(String(exit), "a bug")
      assert.strictEqual(yield* savedBy(store), 0)
      const handle = (): Effect.Effect<void> => {
        throw bug
      }
      const pages = yield* Effect.exit(runSubscriptionPages(store, { name: "r", events, handle }))
      assert.include(String(pages), "a bug")
      assert.strictEqual(yield* savedBy(store), 0)
    }))

  it.effect("one that answers nothing is told what to answer, and called once", () =>
    Effect.gen(function*() {
      const { store } = yield* filled(2)
      let calls = 0
      const handle = (): Effect.Effect<void> => {
        calls++
        return JSON.parse("null")
      }
      const runs = [runSubscription(store, { name: "e", events, handle })]
      runs.push(runSubscriptionPages(store, { name: "p", events, handle }))
      for (const run of runs) assert.include((yield* Effect.flip(run)).message, "answered no effect")
      assert.strictEqual(calls, 2)
    }))
})
