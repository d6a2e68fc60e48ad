/** A disk that fails under the server: a commit whose flush failed may be there all the same, and is not refused. */
import { assert, describe, it } from "@effect/vitest"
import { make, transactions } from "@persist/backend-postgres"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Pool } from "pg"
import { directory, errorOf } from "../backend-sqlite/place.ts"
import { handOver } from "../servers/account.ts"
import { compile } from "../servers/compile.ts"
import { startPostgres } from "../servers/postgres.ts"
import { claimOf, commitUnder, send, verify } from "./claim.ts"

/** A server whose flushes of the log fail once `fail` was called. */
const failing = Effect.fnUntraced(function*(context: Parameters<typeof compile>[2]) {
  const own = yield* directory
  handOver(own)
  const fails = join(own, "fails")
  const library = yield* compile("flush.c", own, context)
  const { url } = yield* startPostgres({}, { LD_PRELOAD: library, PERSIST_FLUSH_FAILS: fails })
  return { url, fail: () => writeFileSync(fails, "") }
})

describe("a server whose log can't be flushed", () => {
  it.live(
    "ends, and after its recovery the commit may be there: its outcome was unknown",
    (context) =>
      Effect.gen(function*() {
        const { fail, url } = yield* failing(context)
        const witness = yield* make({ url })
        const handle = yield* make({ url })
        yield* handle.commit([commitUnder("first")])
        const commit = commitUnder("second")
        fail()
        const claim = claimOf(yield* send(handle, commit))
        assert.strictEqual(claim, "unknown")
        assert.isTrue(yield* verify(claim, commit, handle, witness, "second"))
      }),
    60_000
  )

  it.live(
    "ends, and so was that of a transaction of the application's",
    (context) =>
      Effect.gen(function*() {
        const { fail, url } = yield* failing(context)
        const store = yield* makeStore(yield* make({ url }))
        const pool = yield* Effect.acquireRelease(
          Effect.sync(() => new Pool({ connectionString: url }).on("error", () => {})),
          (opened) => Effect.promise(() => opened.end())
        )
        const op = store.kv("k").ops.put("key", 1, { expected: "absent" })
        const error = yield* errorOf(transactions({ pool })(store, () => Effect.sync(fail), [op]))
        assert.strictEqual(error._tag, "OutcomeUnknown")
      }),
    60_000
  )
})
