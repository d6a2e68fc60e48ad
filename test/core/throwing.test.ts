/** What a caller's own callback throws: nobody else's business. */
import { assert, it } from "@effect/vitest"
import { makeStore, OnFlush } from "@persist/core"
import { post } from "@persist/core/posted"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { appendOne, makeGate, now } from "./gate.ts"
import { uncaught } from "./uncaught.ts"

it.live("what callbacks throw is reported; whoever shared their flush is told, and the store goes on and closes", () =>
  Effect.gen(function*() {
    const { thrown } = yield* uncaught
    const gate = yield* makeGate
    const scope = yield* Scope.make()
    const log = (yield* Scope.provide(makeStore(gate.backend), scope)).log()
    const first = yield* Effect.forkChild(appendOne(log, "first"), now)
    yield* gate.arrived
    const throws = (what: string) => (): never => {
      throw what
    }
    Effect.runFork(appendOne(log, "a")).addObserver(throws("an observer"))
    post(appendOne(log, "b"), throws("a callback"))
    const flushed = yield* Effect.forkChild(
      Effect.provideService(appendOne(log, "c"), OnFlush, throws("who is told of the flush")),
      now
    )
    const beside = yield* Effect.forkChild(appendOne(log, "d"), now)
    yield* gate.open()
    yield* gate.open()
    yield* Effect.forEach([first, flushed, beside], (fiber) => Fiber.join(fiber))
    assert.deepStrictEqual(gate.batches.map((batch) => batch.length), [1, 4])
    yield* gate.open()
    assert.strictEqual((yield* appendOne(log, "a")).last, 2)
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(thrown, ["who is told of the flush", "an observer", "a callback"])
  }))
