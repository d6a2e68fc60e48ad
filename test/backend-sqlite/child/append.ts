/**
 * Appends to a stream and counts in a key, each by its own commit, against others who do the same:
 * `append.ts PATH NAME COUNT`. Says "done" at the end.
 */
import { make } from "@persist/backend-sqlite"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, putOf } from "../place.ts"
import { letGo } from "./ready.ts"

const [path = "", name = "", count] = process.argv.slice(2)

/** Adds one to the counter, as often as it takes to win. */
const increment = Effect.fnUntraced(function*(backend: BackendShape) {
  for (;;) {
    const [entry] = yield* backend.get([{ namespace: "n", key: "count" }])
    const [outcome] = yield* backend.commit([commitOf({
      expect: [{ _tag: "Key", namespace: "n", key: "count", expected: entry?.revision ?? "absent" }],
      write: [putOf("n", "count", String(Number(entry?.value ?? 0) + 1))]
    })])
    if (outcome._tag === "Committed") return
  }
})

await letGo()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path })
  for (let n = 1; n <= Number(count); n++) {
    yield* backend.commit([appendOf("shared", JSON.stringify([name, n]))])
    yield* increment(backend)
  }
})))
console.log("done")
