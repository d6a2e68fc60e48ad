/**
 * Appends events without end, several commits at once and keys with them, and prints the last seq of each batch once it
 * is acknowledged: `load.ts PATH SEGMENT-BYTES`. Ends when it is killed.
 */
import { make } from "@persist/backend-file"
import { append, commit, put } from "@persist/conformance/given"
import * as Effect from "effect/Effect"
import { letGo } from "../../backend-sqlite/child/ready.ts"

const [path = "", segmentBytes] = process.argv.slice(2)

await letGo()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path, segmentBytes: Number(segmentBytes) })
  const [found] = yield* backend.streams({ prefix: "load", after: undefined, limit: 1 })
  for (let last = found?.last ?? 0;; last += 3) {
    const data = (n: number) => JSON.stringify([process.pid, last + n, "x".repeat((last * 37) % 500)])
    yield* backend.commit([
      commit({ append: [append("load", data(1), data(2))], write: [put("last", `${last + 2}`)] }),
      commit({ append: [append("load", data(3))], write: [put("last", `${last + 3}`), put(`${last % 50}`, data(3))] })
    ])
    console.log(last + 3)
    // Others, such as the one who writes the index, get their turn.
    yield* Effect.yieldNow
  }
})))
