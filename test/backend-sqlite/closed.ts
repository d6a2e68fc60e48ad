/** What a handle that was closed answers. */
import { assert } from "@effect/vitest"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, errorOf, eventsOf, everything } from "./place.ts"

/** Asks a closed handle every verb: each says that the store is closed, but for a commit where one may only read. */
export const answersClosed = Effect.fnUntraced(function*(backend: BackendShape, readonly = false) {
  const key = { namespace: "n", key: "k" }
  const errors = yield* Effect.all([
    errorOf(backend.resolve("id")),
    errorOf(eventsOf(backend, "s")),
    errorOf(backend.readAll(everything)),
    errorOf(backend.streams({ prefix: "", after: undefined, limit: 1 })),
    errorOf(backend.get([key])),
    errorOf(backend.get([key, key])),
    errorOf(backend.scan({ namespace: "n", gte: undefined, lt: undefined, limit: 1, reverse: false })),
    errorOf(backend.changed({ namespace: "n", after: everything.after, limit: 1 })),
    errorOf(backend.namespaces({ after: undefined, limit: 1 })),
    errorOf(backend.head)
  ])
  const commit = yield* errorOf(backend.commit([appendOf("s", "1")]))
  if (readonly) assert.strictEqual(commit._tag, "Denied")
  for (const error of readonly ? errors : [...errors, commit]) {
    assert.strictEqual(error._tag, "Unavailable")
    assert.match(error.message, /: the store is closed; open it again$/)
  }
})
