/** Many reads or appends in a row of a backend that answers at once leave the event loop its turns. */
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, type StoreShape } from "@persist/core"
import { post } from "@persist/core/posted"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { stat } from "node:fs"
import { expect, test } from "vitest"

// As a write does whose target takes everything at once, such as a file as stdout.
const written = Effect.callback<void>((resume) => {
  process.nextTick(() => resume(Effect.void))
})

const reads: ReadonlyArray<[string, (store: StoreShape) => Effect.Effect<unknown, unknown>]> = [
  ["reads", ({ engine: { backend, reading } }) => reading(undefined, backend.head)],
  ["gets", (store) => store.kv("names").get("nobody")]
]

test.each(reads)("whoever waits for the event loop has a turn before the %s have ended", async (_, read) => {
  let turned = false
  const done = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const store = yield* makeStore(yield* makeMemory())
    stat(import.meta.filename, () => {
      turned = true
    })
    for (let calls = 0; calls < 200_000; calls++) {
      if (turned) return calls
      yield* Effect.andThen(read(store), written)
    }
    return undefined
  })))
  expect(done).toBeGreaterThan(0)
})

test("whoever waits for the event loop has a turn before the appends without a fiber have ended", async () => {
  let turned = false
  const appends = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const log = (yield* makeStore(yield* makeMemory())).log()
    stat(import.meta.filename, () => {
      turned = true
    })
    return yield* Effect.callback<number | undefined>((resume) => {
      const append = (count: number): void => {
        if (turned || count === 50_000) return resume(Effect.succeed(turned ? count : undefined))
        post(log.append("s", { type: "Counted", data: 1 }, { expected: "any" }), () => append(count + 1))
      }
      append(0)
    })
  })))
  expect(appends).toBeGreaterThan(0)
})

test("a store that was made within runSync has turns as any other", async () => {
  let turned = false
  const scope = Effect.runSync(Scope.make())
  const log = Effect.runSync(Scope.provide(Effect.flatMap(makeMemory(), (backend) => makeStore(backend)), scope)).log()
  setImmediate(() => {
    turned = true
  })
  const appends = await Effect.runPromise(Effect.callback<number | undefined>((resume) => {
    const append = (count: number): void => {
      if (turned || count === 10_000) return resume(Effect.succeed(turned ? count : undefined))
      post(log.append("s", { type: "Counted", data: 1 }, { expected: "any" }), () => append(count + 1))
    }
    append(0)
  }))
  expect(appends).toBeGreaterThan(0)
})
