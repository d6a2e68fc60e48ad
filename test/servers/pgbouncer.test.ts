/** The pgbouncer that tests start pools transactions, not sessions. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Pool } from "pg"
import { startPgbouncer } from "./pgbouncer.ts"
import { sharedPostgres } from "./postgres.ts"

describe("pgbouncer", () => {
  it.live("lends a few sessions to many clients, and takes each back after every transaction", (context) =>
    Effect.gen(function*() {
      const { database } = yield* sharedPostgres
      const url = yield* startPgbouncer(yield* database, { context, sessions: 1 })
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new Pool({ connectionString: url, max: 8 })),
        (open) => Effect.promise(() => open.end())
      )
      const answers = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 8 }, () => pool.query("SELECT pg_backend_pid() AS pid")))
      )
      assert.strictEqual(pool.totalCount, 8)
      assert.strictEqual(new Set(answers.map(({ rows }) => rows[0].pid)).size, 1)
    }))
})
