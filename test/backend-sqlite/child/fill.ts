/**
 * Commits until a write fails, and prints what the store then says, as JSON: how many commits were acknowledged, the
 * failure, and what `resolve` answers: `fill.ts PATH WHAT`, where WHAT is `named` for commits with ids, which take a
 * transaction, or `single` for single events without, which take one statement.
 */
import { make } from "@persist/backend-sqlite"
import { isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { appendOf } from "../place.ts"
import { letGo } from "./ready.ts"

const [path = "", what] = process.argv.slice(2)

await letGo()
const said = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path })
  for (let acknowledged = 0;; acknowledged++) {
    const id = `c${acknowledged}`
    const identity = what === "named" ? { id, digest: "d" } : undefined
    const exit = yield* Effect.exit(backend.commit([{ ...appendOf("s", "x".repeat(5000)), identity }]))
    if (Exit.isSuccess(exit)) continue
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    const resolved = yield* backend.resolve(id)
    const head = yield* backend.head
    return {
      acknowledged,
      failed: isStoreError(error) ? error._tag : "defect",
      id: error?._tag === "OutcomeUnknown" ? error.id : undefined,
      resolved: resolved._tag,
      head
    }
  }
})))
console.log(JSON.stringify(said))
