/** What streams lost before a processor came to it is told once, however many partitions begin. */
import { assert, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore } from "@persist/core"
import { run, subscription, whenProcessed } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { Counted, fill } from "./orders.ts"
import { quick, until } from "./until.ts"

it.live("what was truncated is told once, and looked for once, for all partitions that begin together", () =>
  Effect.gen(function*() {
    const backend = yield* makeMemory()
    let looks = 0
    const streams: typeof backend.streams = (range) => {
      looks++
      return backend.streams(range)
    }
    const store = yield* makeStore({ ...backend, streams })
    yield* fill(store, 20, 3)
    yield* store.log().truncate("order-3", 3)
    const processor = subscription({ name: "a", events: Counted, partitions: 8, handle: () => Effect.void })
    const warnings: Array<string> = []
    const teller = Logger.layer([Logger.make(({ message }) => {
      warnings.push(String(message))
    })])
    const fiber = yield* Effect.forkChild(run(store, [processor], quick).pipe(Effect.provide(teller)))
    yield* until(Effect.sync(() => warnings.length > 0))
    yield* whenProcessed(store, processor, yield* store.head)
    yield* Fiber.interrupt(fiber)
    assert.deepStrictEqual(warnings, [
      "events may have been truncated or deleted before they were read; it goes on with the rest"
    ])
    assert.strictEqual(looks, 1)
  }))
