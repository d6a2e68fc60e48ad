/**
 * Reads a store that another process writes, and prints the position, the seq and the payload of every event as it
 * comes: `follow.ts PATH`. Before each page it looks at a key, whose value mustn't be ahead of the events. Ends when it
 * is killed.
 */
import { make } from "@persist/backend-file"
import { origin, Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { letGo } from "../../backend-sqlite/child/ready.ts"

const [path = ""] = process.argv.slice(2)
const all = { to: Position(unbounded), prefix: "", types: undefined, limit: 100, reverse: false }

await letGo()
// The poll keeps no process alive; listening to the parent does.
process.stdin.resume()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = yield* make({ path, readonly: true, pollInterval: 1 })
  let after: Position = origin
  let last = 0
  const page = Effect.gen(function*() {
    const [entry] = yield* backend.get([{ namespace: "n", key: "last" }])
    const { items, through } = yield* backend.readAll({ ...all, after })
    for (const { data, position, seq } of items) console.log(JSON.stringify([position, seq, data]))
    after = through
    last = items.at(-1)?.seq ?? last
    if (items.length === 0 && last < Number(entry?.value ?? 0)) {
      console.log(`${String(entry?.value)} is ahead of ${last}`)
    }
    return items.length
  })
  yield* Stream.runForEach(backend.changes, () => Effect.repeat(page, { while: (found) => found > 0 }))
})))
