/** Prints the payload of every event of a store, now and as they come: `follow.ts PATH`. Ends when it is killed. */
import { make } from "@persist/backend-sqlite"
import { origin, type Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { everything } from "../place.ts"
import { letGo } from "./ready.ts"

const [path = ""] = process.argv.slice(2)

await letGo()
// The poll keeps no process alive; listening to the parent does.
process.stdin.resume()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path })
  let after: Position = origin
  yield* Stream.runForEach(
    backend.changes,
    () =>
      Effect.map(backend.readAll({ ...everything, after }), ({ items, through }) => {
        for (const { data } of items) console.log(String(data))
        if (after === origin) console.log("following")
        after = through
      })
  )
})))
