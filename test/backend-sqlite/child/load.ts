/**
 * Commits without end, three events and two keys at a time, and prints the last seq of each once it is acknowledged:
 * `load.ts PATH`. Ends when it is killed.
 */
import { make } from "@persist/backend-sqlite"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { commitOf, eventOf, putOf } from "../place.ts"
import { letGo } from "./ready.ts"

const [path = ""] = process.argv.slice(2)

await letGo()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path })
  const [found] = yield* backend.streams({ prefix: "load", after: undefined, limit: 1 })
  for (let last = Seq(found?.last ?? 0);; last = Seq(last + 3)) {
    yield* backend.commit([commitOf({
      expect: [{ _tag: "Stream", stream: "load", expected: last }],
      append: [{ stream: "load", events: [eventOf("1"), eventOf("2"), eventOf("3".repeat(5000))] }],
      write: [putOf("n", "last", String(last + 3)), putOf("n", "same", String(last + 3))]
    })])
    console.log(last + 3)
  }
})))
