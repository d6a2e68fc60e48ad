/** Runs the tally; signals itself at its nth statement: `tally.ts URL SCHEMA PARTITIONS SIGNAL before|after N`. */
import { make } from "@persist/backend-postgres"
import { makeStore } from "@persist/core"
import { run } from "@persist/runner"
import * as Effect from "effect/Effect"
import { Pool } from "pg"
import { quick } from "../../runner/until.ts"
import { tally } from "../tally.ts"

const [url = "", schema = "", partitions = "1", signal = "SIGKILL", when, at] = process.argv.slice(2)
const hit = () => process.kill(process.pid, signal)
let sent = 0

const pool = new Pool({ connectionString: url })
pool.on("connect", (client) => {
  const query: (...args: ReadonlyArray<unknown>) => unknown = client.query.bind(client)
  const counted = (...args: ReadonlyArray<unknown>): unknown => {
    const last = ++sent === Number(at)
    if (last && when === "before") hit()
    const answer = query(...args)
    // The statement is on its way to the server, which may do it or not.
    if (last && when === "after") setImmediate(hit)
    return answer
  }
  Object.assign(client, { query: counted })
})

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const store = yield* makeStore(yield* make({ url, schema }))
  return yield* run(store, [tally(pool, schema, { partitions: Number(partitions) })], quick)
})))
