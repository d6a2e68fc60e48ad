/** The servers that tests start do what the tests believe of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { newDirectory, removeDirectory } from "./place.ts"
import { schemaIn, sharedPostgres, sql, startPostgres } from "./postgres.ts"
import { isOf } from "./processes.ts"

const rowsOf = (url: string) => Effect.map(sql(url, "SELECT n FROM t"), (rows) => rows.map(({ n }) => n))

describe("a server of the test's own", () => {
  it.live("keeps its data through a stop and a kill, is restored, and answers nobody while frozen", () =>
    Effect.gen(function*() {
      const server = yield* startPostgres()
      const { url } = server
      assert.deepStrictEqual(yield* sql(url, "SHOW fsync"), [{ fsync: "on" }])
      yield* sql(url, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
      yield* server.kill
      const refused = yield* Effect.exit(sql(url, "SELECT 1"))
      assert.isTrue(refused._tag === "Failure")
      yield* server.start
      yield* sql(url, "INSERT INTO t VALUES (2)")
      yield* server.stop
      yield* server.start
      assert.deepStrictEqual(yield* rowsOf(url), [1, 2])
      const restore = yield* server.backup
      yield* sql(url, "INSERT INTO t VALUES (3)")
      yield* restore
      assert.deepStrictEqual(yield* rowsOf(url), [1, 2])
      yield* server.freeze
      const answer = yield* Effect.timeoutOption(rowsOf(url), 50)
      assert.isTrue(answer._tag === "None")
      yield* server.thaw
      assert.deepStrictEqual(yield* rowsOf(url), [1, 2])
    }))
})

describe("databases and schemas", () => {
  it.live("are each empty, and gone with their scope", () =>
    Effect.gen(function*() {
      const { database, url } = yield* sharedPostgres
      const count = sql(url, "SELECT count(*)::int AS n FROM pg_database WHERE datname LIKE 'test%'")
      const before = yield* count
      yield* Effect.scoped(Effect.gen(function*() {
        for (const own of [yield* database, yield* database]) yield* sql(own, "CREATE TABLE t (n int)")
      }))
      assert.deepStrictEqual(yield* count, before)
      const schema = yield* Effect.scoped(Effect.tap(schemaIn(url), (name) => sql(url, `CREATE SCHEMA ${name}`)))
      assert.deepStrictEqual(yield* sql(url, "SELECT FROM pg_namespace WHERE nspname = $1", [schema]), [])
    }))
})

describe("a server whose owner was killed", () => {
  it("is ended and cleared away by the next process that needs one, which leaves alone what others still use", () => {
    const mine = newDirectory()
    const orphan = () => {
      const script = fileURLToPath(new URL("child/orphan.ts", import.meta.url))
      const { signal, stdout } = spawnSync(process.execPath, ["--conditions=source", script], { encoding: "utf8" })
      assert.strictEqual(signal, "SIGKILL")
      const [data = "", pid] = stdout.trim().split(" ")
      return { directory: dirname(data), pid: Number(pid) }
    }
    const first = orphan()
    assert.isTrue(isOf(first.pid, first.directory))
    const second = orphan()
    assert.isFalse(existsSync(first.directory))
    removeDirectory(second.directory)
    assert.isFalse(existsSync(second.directory))
    assert.isTrue(existsSync(mine))
    // The last processes of a server that was killed go in their own time.
    for (const { directory, pid } of [first, second]) while (isOf(pid, directory));
  })
})
