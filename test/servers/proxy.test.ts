/** The proxy cuts where it says, what lies before the cut arrives, and what it holds isn't lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Client } from "pg"
import { sharedPostgres, sql } from "./postgres.ts"
import { type Cut, startProxy } from "./proxy.ts"

/** A database with a table, and a proxy in front of its server. */
const setting = Effect.gen(function*() {
  const { database } = yield* sharedPostgres
  const url = yield* database
  yield* sql(url, "CREATE TABLE t (n int)")
  const proxy = yield* startProxy(Number(new URL(url).port))
  return { url, proxy, through: proxy.through(url) }
})

/** Inserts a row on a connection of its own, after `meanwhile` has been done; gives `"done"` or why it failed. */
const insert = (through: string, meanwhile: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const client = new Client({ connectionString: through })
    client.on("error", () => {}) // The query fails as well.
    yield* Effect.promise(() => client.connect())
    yield* meanwhile
    const outcome = yield* Effect.promise(() =>
      client.query("INSERT INTO t VALUES ($1)", [1]).then(() => "done", (error) => String(error))
    )
    // A client whose connection is gone may never hear of its end.
    void client.end().catch(() => {})
    return outcome
  })

/** How many rows the table held once nobody else was connected; it's empty then. */
const take = Effect.fnUntraced(function*(url: string) {
  const others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
  while ((yield* sql(url, others)).length > 0);
  const [row] = yield* sql(url, "WITH taken AS (DELETE FROM t RETURNING n) SELECT count(*)::int AS n FROM taken")
  return row?.n
})

describe("a connection through the proxy", () => {
  it.live("is cut at each message of a statement, which happens where the server got the last of the client's", () =>
    Effect.gen(function*() {
      const { proxy, through, url } = yield* setting
      assert.strictEqual(yield* insert(through, proxy.passed), "done")
      assert.strictEqual(yield* take(url), 1)
      const said = yield* proxy.passed
      const asked = said.filter((message) => message.startsWith(">") && message !== ">X")
      const answered = said.filter((message) => message.startsWith("<"))
      assert.deepStrictEqual([asked, answered], [[">P", ">B", ">D", ">E", ">S"], ["<1", "<2", "<n", "<C", "<Z"]])
      for (const at of ["before", "after"] as const) {
        for (const [of, messages] of [["client", asked], ["server", answered]] as const) {
          for (const n of messages.keys()) {
            const where: Cut = { of, at, n: n + 1, loss: n % 2 === 0 ? "reset" : "end" }
            const outcome = yield* insert(through, proxy.cut(where))
            assert.isTrue(yield* proxy.wasCut, JSON.stringify(where))
            const last = at === "after" && n + 1 === messages.length
            assert.strictEqual(outcome === "done", of === "server" && last, JSON.stringify(where))
            assert.strictEqual(yield* take(url), of === "server" || last ? 1 : 0, JSON.stringify(where))
          }
        }
      }
    }))

  it.live("is cut after any number of bytes, and isn't where there are fewer", () =>
    Effect.gen(function*() {
      const { proxy, through, url } = yield* setting
      for (const n of [0, 1, 40]) {
        const outcome = yield* insert(through, proxy.cut({ of: "client", at: "byte", n }))
        assert.notStrictEqual(outcome, "done")
        assert.isTrue(yield* proxy.wasCut)
        assert.strictEqual(yield* take(url), 0)
      }
      assert.strictEqual(yield* insert(through, proxy.cut({ of: "client", at: "byte", n: 10_000 })), "done")
      assert.isFalse(yield* proxy.wasCut)
    }))

  it.live("loses nothing that is held or delayed, and is lost when all are cut", () =>
    Effect.gen(function*() {
      const { proxy, through, url } = yield* setting
      yield* proxy.delay(1)
      const holds = yield* Deferred.make<void>()
      const held = yield* Effect.forkChild(
        insert(through, Effect.andThen(proxy.hold, Deferred.succeed(holds, undefined)))
      )
      yield* Deferred.await(holds) // A connection that is slow to be made mustn't be held only after it was healed.
      const early = yield* Effect.timeoutOption(Fiber.join(held), 50)
      assert.isTrue(early._tag === "None")
      yield* proxy.heal
      assert.strictEqual(yield* Fiber.join(held), "done")
      assert.strictEqual(yield* take(url), 1)
      assert.notStrictEqual(yield* insert(through, proxy.cutAll()), "done")
      assert.strictEqual(yield* take(url), 0)
    }))
})
