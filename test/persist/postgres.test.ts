/** PostgreSQL by URL and Promises: a store like any other, and the application's own transactions, tables and views. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Catalogue, open, Schema } from "persist"
import { createViews, keepIncarnation, renewIncarnation, runTables, within } from "persist/postgres"
import { Client, Pool } from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { sharedPostgres } from "../servers/postgres.ts"

const Order = Catalogue.make({ OrderPlaced: Schema.Struct({ total: Schema.Int }) })

const scope = Scope.makeUnsafe()
let url = ""
let pool: Pool | undefined
let client: Client | undefined

beforeAll(async () => {
  const database = Effect.flatMap(sharedPostgres, (server) => server.database)
  url = await Effect.runPromise(Scope.provide(database, scope))
  pool = new Pool({ connectionString: url })
  client = new Client({ connectionString: url })
  await client.connect()
  await client.query("CREATE TABLE totals (place serial, total int NOT NULL)")
})
afterAll(async () => {
  await client?.end()
  await pool?.end()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

/** What was made before all tests. */
const made = <A>(one: A | undefined): A => {
  if (one === undefined) throw new Error("it wasn't made")
  return one
}

const totals = async () => {
  const { rows } = await made(client).query<{ total: number }>("SELECT total FROM totals ORDER BY place")
  return rows.map(({ total }) => total)
}

describe("a store in PostgreSQL", () => {
  it("is opened by its URL, is told of the commits of others, and keeps what it holds", async () => {
    const [first, second] = [await open(url), await open(url.replace("postgres:", "postgresql:"))]
    const changes = second.changes()[Symbol.asyncIterator]()
    await changes.next()
    await first.kv("n").put("k", { a: 1 })
    while (await second.head() === 0) await changes.next()
    expect(await second.kv("n").get("k")).toEqual({ a: 1 })
    await first.close()
    await second.close()
    await using again = await open(`${url}?readonly=true`)
    expect(await again.kv("n").get("k")).toEqual({ a: 1 })
    await expect(again.kv("n").put("k", 2)).rejects.toMatchObject({ _tag: "Denied" })
  })

  it("takes part in a transaction of the application's", async () => {
    await using store = await open(url)
    const own = made(client)
    for (const end of ["ROLLBACK", "COMMIT"]) {
      await own.query("BEGIN")
      await using inner = await within(own)
      await own.query("INSERT INTO totals (total) VALUES (-1)")
      const appended = await inner.log(Order).append("o-1", { type: "OrderPlaced", data: { total: 5 } }, {
        expected: 0
      })
      expect(appended._tag).toBe("Committed")
      await own.query(end)
      expect(await store.log().read("o-1").toArray()).toHaveLength(end === "COMMIT" ? 1 : 0)
      expect(await totals()).toEqual(end === "COMMIT" ? [-1] : [])
    }
    await own.query("DELETE FROM totals")
    await expect(within(own)).rejects.toMatchObject({ _tag: "Invalid", field: "client" })
  })

  it("keeps tables of the application's, until it's stopped, closed, or its handler throws", async () => {
    const store = await open(url)
    const log = store.log(Order)
    const keep = (fails: number) =>
      runTables(store, {
        name: "totals",
        events: Order,
        failure: { retries: 1, delay: 1 },
        pool: made(pool),
        handle: async (own, events) => {
          for (const { data } of events) {
            await own.query("INSERT INTO totals (total) VALUES ($1)", [data.total])
            if (data.total === fails) throw new Error(`no ${fails}`)
          }
        }
      })
    const reached = async (count: number) => {
      while ((await totals()).length < count);
      return totals()
    }
    const run = keep(0)
    expect(await reached(1)).toEqual([5])
    await run.stop()
    await log.append("o-2", { type: "OrderPlaced", data: { total: 6 } }, { expected: 0 })
    await expect(keep(6).ended).rejects.toThrow("no 6")
    expect(await totals()).toEqual([5])
    const last = keep(0)
    expect(await reached(2)).toEqual([5, 6])
    await store.close()
    expect(await last.ended).toBeUndefined()
    // What a caller without types may pass.
    const wrong: object = { name: "totals", events: Order, pool: made(pool), handle: 7 }
    await using again = await open(url)
    await expect(runTables(again, Object.assign(Object.create(null), wrong)).ended).rejects.toMatchObject({
      field: "handle"
    })
  })

  it("shows its events in views", async () => {
    expect(await createViews({ url })).toEqual([{ type: "OrderPlaced", name: "order_placed" }])
    const { rows } = await made(client).query("SELECT stream, data->>'total' AS total FROM persist_events.order_placed")
    expect(rows).toEqual([{ stream: "o-1", total: "5" }, { stream: "o-2", total: "6" }])
  })

  it("has another incarnation once an operator says so, and the same until then", async () => {
    await using store = await open(url)
    expect(await keepIncarnation({ url })).toBe(store.about.incarnation)
    const renewed = await renewIncarnation({ url })
    expect(renewed).not.toBe(store.about.incarnation)
    await expect(store.kv("n").put("k", 1)).rejects.toMatchObject({ _tag: "Corrupt" })
    await using again = await open(url)
    expect(again.about.incarnation).toBe(renewed)
  })
})
