/**
 * Commits until the disk is full, makes space, and goes on; then opens the store again. Prints what came of each as
 * JSON: `fill.ts DIRECTORY`, which is a small file system of its own.
 */
import { make } from "@persist/backend-file"
import { append, commit } from "@persist/conformance/given"
import type { BackendShape } from "@persist/core"
import { isStoreError, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { letGo } from "../../backend-sqlite/child/ready.ts"

const [directory = ""] = process.argv.slice(2)
const path = join(directory, "data")
const ballast = join(directory, "ballast")

const eventsOf = (backend: BackendShape) =>
  backend.readStream({ stream: "s", from: Seq(1), to: Seq(unbounded), limit: 100_000, reverse: false })

// Commits until one fails: how many didn't, and what that one failed with.
const fill = Effect.fnUntraced(function*(backend: BackendShape, most: number) {
  for (let acknowledged = 0; acknowledged < most; acknowledged++) {
    const exit = yield* Effect.exit(backend.commit([commit({ append: [append("s", "x".repeat(3000))] })]))
    if (Exit.isSuccess(exit)) continue
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    return { acknowledged, failed: isStoreError(error) ? `${error._tag} ${error.message}` : "defect" }
  }
  return { acknowledged: most, failed: undefined }
})

await letGo()
writeFileSync(ballast, "x".repeat(1024 * 1024))
const said = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path, segmentBytes: 128 * 1024 })
  const full = yield* fill(backend, Infinity)
  const again = yield* fill(backend, 1)
  const read = (yield* eventsOf(backend)).length
  rmSync(ballast)
  const goesOn = yield* fill(backend, 20)
  return { full, again, read, goesOn, after: (yield* eventsOf(backend)).length }
})))
const reopened = await Effect.runPromise(Effect.scoped(Effect.flatMap(make({ path }), eventsOf)))
console.log(JSON.stringify({ ...said, reopened: reopened.length }))
