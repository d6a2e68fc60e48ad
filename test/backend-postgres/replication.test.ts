/** Replicas: what is acknowledged is on both servers, and a standby is read with "not older than". */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { sql } from "../servers/postgres.ts"
import { startReplicated } from "../servers/replication.ts"
import { claimOf, commitUnder, send, verify } from "./claim.ts"
import { ask, newClient } from "./place.ts"

const waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

describe("a primary whose standby is gone", () => {
  it.live(
    "acknowledges nothing that it alone has, not even where its wait is cancelled, and not when asked again",
    () =>
      Effect.gen(function*() {
        const { primary, promote, standby } = yield* startReplicated
        const url = primary.url.replace(/@(.*)\//, `@$1,127.0.0.1:${standby.port}/`)
        const handle = yield* make({ url, timeout: 1000, reconnectWithin: 0 })
        yield* handle.commit([commitUnder("first")])
        yield* standby.kill
        const commit = commitUnder("second")
        const sent = yield* Effect.forkChild(send(handle, commit))
        while ((yield* sql(primary.url, waiting)).length === 0);
        yield* sql(primary.url, `SELECT pg_cancel_backend(pid) FROM (${waiting}) AS waiting`)
        assert.strictEqual(claimOf(yield* Fiber.join(sent)), "unknown")
        assert.strictEqual(claimOf(yield* send(handle, commit)), "unknown")
        const error = yield* Effect.flip(handle.resolve("second"))
        assert.strictEqual(error._tag, "Unavailable")
        // Now it is lost with the primary, as nobody was told that it wouldn't be.
        yield* primary.kill
        yield* standby.start
        yield* promote
        const witness = yield* make({ url: standby.url })
        assert.isFalse(yield* verify("unknown", commit, handle, witness, "second"))
        assert.isTrue(yield* verify("committed", commitUnder("first"), handle, witness, "first"))
      }),
    60_000
  )
})

describe("a standby that is read", () => {
  it.live(
    "gives what was committed before, once it is asked for what is not older than that",
    () =>
      Effect.gen(function*() {
        const { primary, standby } = yield* startReplicated
        const writer = yield* Effect.flatMap(make({ url: primary.url }), (backend) => makeStore(backend))
        // An acknowledged commit is on the standby's disk; that it can be seen there may take longer.
        while ((yield* sql(standby.url, "SELECT FROM pg_tables WHERE schemaname = 'persist'")).length === 0);
        const reader = yield* Effect.flatMap(
          make({ url: standby.url, readonly: true }),
          (backend) => makeStore(backend)
        )
        assert.strictEqual(reader.about.incarnation, writer.about.incarnation)
        for (let n = 1; n <= 20; n++) {
          const written = yield* writer.log().append("s", { type: "Happened", data: n }, { expected: n - 1 })
          assert.isTrue(written._tag === "Committed")
          const atLeast = written._tag === "Committed" ? written.position : 0
          const events = yield* Stream.runCollect(reader.log().read("s", { atLeast }))
          assert.strictEqual(events.length, n)
        }
        const refused = yield* Effect.flip(reader.log().append("s", { type: "Happened", data: 0 }, { expected: "any" }))
        assert.strictEqual(refused._tag, "Denied")
      }),
    60_000
  )

  it.live(
    "beside its primary, and lags, is passed over for as long: no history went back",
    () =>
      Effect.gen(function*() {
        const { primary, standby } = yield* startReplicated
        const writer = yield* make({ url: primary.url })
        yield* writer.commit([commitUnder("first")])
        const atStandby = yield* newClient(standby.url)
        while ((yield* ask(atStandby, "SELECT to_regclass('persist.event') AS it")).rows[0]?.it === null);
        const url = standby.url.replace(/@(.*)\//, `@$1,127.0.0.1:${primary.port}/`)
        const reader = yield* make({ url, readonly: true })
        const before = yield* reader.head
        // From now on it replays nothing, and takes no more connections.
        yield* ask(atStandby, "SELECT pg_wal_replay_pause()")
        yield* ask(atStandby, "ALTER SYSTEM SET session_preload_libraries = 'nothing_of_this_name'")
        yield* ask(atStandby, "SELECT pg_reload_conf()")
        while (Result.isSuccess(yield* Effect.result(make({ url: standby.url, readonly: true }))));
        yield* writer.commit([commitUnder("second")])
        const both = Effect.all([reader.head, reader.head], { concurrency: 2 })
        const after = yield* writer.head
        assert.deepStrictEqual(yield* both, [before, after], "one on each")
        assert.deepStrictEqual(yield* both, [after, after])
      }),
    60_000
  )
})
