/** The pair of servers is synchronous: what the first acknowledged, the second has. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sql } from "./postgres.ts"
import { startProxy } from "./proxy.ts"
import { startReplicated } from "./replication.ts"

describe("a primary with a synchronous standby", () => {
  it.live("has its place taken by the standby with all that was acknowledged, for whoever comes by the proxy", () =>
    Effect.gen(function*() {
      const { primary, promote, standby } = yield* startReplicated
      const proxy = yield* startProxy(primary.port)
      const url = proxy.through(primary.url)
      yield* sql(url, "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)")
      assert.deepStrictEqual(yield* sql(standby.url, "SELECT pg_is_in_recovery() AS follows"), [{ follows: true }])
      yield* sql(url, "INSERT INTO t VALUES (1001)")
      yield* primary.kill
      yield* promote
      yield* proxy.lead(standby.port)
      yield* sql(url, "INSERT INTO t VALUES (1002)")
      assert.deepStrictEqual(yield* sql(url, "SELECT count(*)::int AS n, max(n) AS last FROM t"), [{
        n: 1002,
        last: 1002
      }])
    }))

  it.live("acknowledges nothing while the standby is gone", () =>
    Effect.gen(function*() {
      const { primary, standby } = yield* startReplicated
      yield* sql(primary.url, "CREATE TABLE t (n int)")
      yield* standby.freeze
      const alone = yield* Effect.timeoutOption(sql(primary.url, "INSERT INTO t VALUES (1)"), 100)
      assert.isTrue(alone._tag === "None")
      yield* standby.thaw
      yield* sql(primary.url, "INSERT INTO t VALUES (2)")
      assert.deepStrictEqual(yield* sql(primary.url, "SELECT n FROM t ORDER BY n"), [{ n: 1 }, { n: 2 }])
    }))
})
