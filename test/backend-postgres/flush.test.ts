/** A disk that fails under the server: a commit whose flush failed may be there all the same, and is not refused. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory } from "../backend-sqlite/place.ts"
import { handOver } from "../servers/account.ts"
import { compile } from "../servers/compile.ts"
import { startPostgres } from "../servers/postgres.ts"
import { claimOf, commitUnder, send, verify } from "./claim.ts"

describe("a server whose log can't be flushed", () => {
  it.live(
    "ends, and after its recovery the commit may be there: its outcome was unknown",
    (context) =>
      Effect.gen(function*() {
        const own = yield* directory
        handOver(own)
        const fails = join(own, "fails")
        const library = yield* compile("flush.c", own, context)
        const server = yield* startPostgres({}, { LD_PRELOAD: library, PERSIST_FLUSH_FAILS: fails })
        const witness = yield* make({ url: server.url })
        const handle = yield* make({ url: server.url })
        yield* handle.commit([commitUnder("first")])
        const commit = commitUnder("second")
        writeFileSync(fails, "")
        const claim = claimOf(yield* send(handle, commit))
        assert.strictEqual(claim, "unknown")
        assert.isTrue(yield* verify(claim, commit, handle, witness, "second"))
      }),
    60_000
  )
})
