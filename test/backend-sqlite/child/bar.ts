/**
 * Takes away its own permission to search the store's directory while the store is open, and prints what a commit then
 * says, and where the head is once the permission is back and another commit is done: `bar.ts DIRECTORY`.
 */
import { make } from "@persist/backend-sqlite"
import * as Effect from "effect/Effect"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { appendOf, errorOf } from "../place.ts"
import { letGo } from "./ready.ts"

const [directory = ""] = process.argv.slice(2)
const inner = join(directory, "inner")

await letGo()
mkdirSync(inner)
const said = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path: join(inner, "app.db") })
  yield* backend.commit([appendOf("s", "1")])
  chmodSync(inner, 0o000)
  const error = yield* errorOf(backend.commit([appendOf("s", "2")]))
  chmodSync(inner, 0o700)
  yield* backend.commit([appendOf("s", "3")])
  return `${error._tag} ${error.message}, then at ${yield* backend.head}`
})))
console.log(said)
