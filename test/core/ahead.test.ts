/** Pages that are read while others are handled: which are, in which order, and what becomes of those nobody wants. */
import { assert, describe, it } from "@effect/vitest"
import { paginateAhead, type Step } from "@persist/core/ahead"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

/** Pages of two numbers from 0 on, as many as there are in `full`, and what happened, in order. */
const traced = (full: ReadonlyArray<boolean>) => {
  const trace: Array<string> = []
  const read = (page: number): Effect.Effect<Step<number, number>> =>
    Effect.sync(() => {
      trace.push(`read ${page}`)
      return { page, next: page + 1 < full.length ? page + 1 : undefined, full: full[page] === true }
    })
  const itemsOf = (page: number) =>
    Effect.sync(() => {
      trace.push(`make ${page}`)
      return [2 * page, 2 * page + 1]
    })
  const handle = (items: ReadonlyArray<number>) => Effect.sync(() => void trace.push(`handle ${items.join()}`))
  return { trace, pages: paginateAhead(0, read, itemsOf), handle }
}

describe("pages", () => {
  it.effect("are read ahead from the third on, behind full ones, and handled in their order", () =>
    Effect.gen(function*() {
      const { handle, pages, trace } = traced([true, true, true, false, true, false])
      yield* Stream.runForEachArray(pages, handle)
      assert.deepStrictEqual(trace, [
        "read 0",
        "make 0",
        "handle 0,1",
        "read 1",
        "read 2",
        "make 1",
        "handle 2,3",
        "read 3",
        "make 2",
        "handle 4,5",
        "make 3",
        "handle 6,7",
        "read 4",
        "read 5",
        "make 4",
        "handle 8,9",
        "make 5",
        "handle 10,11"
      ])
    }))

  it.effect("that fail say so only when they're asked for", () =>
    Effect.gen(function*() {
      const handled: Array<number> = []
      let failures = 0
      const lost = Effect.suspend(() => {
        failures++
        return Effect.fail("lost")
      })
      const read = (page: number): Effect.Effect<Step<number, number>, string> =>
        page < 3 ? Effect.succeed({ page, next: page + 1, full: true }) : lost
      const pages = paginateAhead(0, read, (page) => Effect.succeed([page]))
      const each = (page: number) => Effect.sync(() => void handled.push(page))
      assert.strictEqual(yield* Effect.flip(Stream.runForEach(pages, each)), "lost")
      assert.deepStrictEqual(handled, [0, 1, 2])
      // What is behind the page that failed may not be what was behind it when it's read again.
      assert.strictEqual(failures, 1)
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(pages, 3)), [0, 1, 2])
    }))

  it.effect("are given up with the stream", () =>
    Effect.gen(function*() {
      const [begun, ended] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const never = Effect.onInterrupt(
        Effect.andThen(Deferred.succeed(begun, undefined), Effect.never),
        () => Deferred.succeed(ended, undefined)
      )
      const read = (page: number): Effect.Effect<Step<number, number>> =>
        page < 2 ? Effect.succeed({ page, next: page + 1, full: true }) : never
      const pages = paginateAhead(0, read, (page) => Effect.succeed([page]))
      const running = yield* Effect.forkChild(Stream.runForEach(pages, (page) => page < 1 ? Effect.void : Effect.never))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(running)
      yield* Deferred.await(ended)
    }))
})
