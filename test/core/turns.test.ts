/** Many reads in a row of a backend that answers at once leave the event loop its turns. */
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import { stat } from "node:fs"
import { expect, test } from "vitest"

// As a write does whose target takes everything at once, such as a file as stdout.
const written = Effect.callback<void>((resume) => {
  process.nextTick(() => resume(Effect.void))
})

test("whoever waits for the event loop has a turn before the reads have ended", async () => {
  let turned = false
  const reads = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const { engine: { backend, reading } } = yield* makeStore(yield* makeMemory())
    stat(import.meta.filename, () => {
      turned = true
    })
    for (let read = 0; read < 200_000; read++) {
      if (turned) return read
      yield* Effect.andThen(reading(undefined, backend.head), written)
    }
    return undefined
  })))
  expect(reads).toBeGreaterThan(0)
})
