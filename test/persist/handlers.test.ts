/** What handlers of processors with Promises change: in the store, as workflows, and in tables of their own. */
import { transactions } from "@persist/backend-sqlite"
import Database from "better-sqlite3"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open, Schema } from "persist"
import { reaction, run, tables, whenProcessed, workflow } from "persist/processors"
import { afterAll, describe, expect, it } from "vitest"
import { quick, stockedShop, until } from "./running-shop.ts"
import { Item, sold, stocked } from "./shop.ts"

const directory = mkdtempSync(join(tmpdir(), "persist-handlers-"))
afterAll(() => rmSync(directory, { recursive: true }))

describe("what handlers change with Promises", () => {
  it("in the same store happens with the checkpoint", async () => {
    await using store = await stockedShop()
    const sums = store.kv("sums", Schema.Int)
    const summing = reaction({
      name: "summing",
      events: Item,
      types: ["Sold"],
      handle: async (events) => {
        const before = await sums.get("sold") ?? 0
        const count = events.reduce((sum, event) => event.type === "Sold" ? sum + event.data.count : sum, before)
        return [sums.ops.put("sold", count)]
      }
    })
    await using _ = run(store, [summing], quick)
    await whenProcessed(store, summing, 3)
    expect(await sums.get("sold")).toBe(3)
  })

  it("as a workflow moves by events and timers, and tells its state", async () => {
    await using store = await stockedShop()
    const reorder = workflow({
      name: "reorder",
      events: Item,
      correlate: ({ stream }) => stream,
      state: Schema.Struct({ left: Schema.Int }),
      seed: { left: 0 },
      commands: Item,
      step: (state, happened) => {
        if (happened.type === "$timer") return { state: undefined }
        const left = state.left + (happened.type === "Stocked" ? happened.data.count : -happened.data.count)
        if (left > 2) return { state: { left } }
        return { state: { left }, commands: [{ stream: "tea", events: [stocked(10)] }] }
      }
    })
    await using _ = run(store, [reorder], quick)
    await until(async () => (await reorder.stateOf(store, "tea"))?.left === 12)
    expect(await reorder.stateOf(store, "mug")).toBeUndefined()
    await expect(reorder.stateOf(store, "tea", { signal: AbortSignal.abort("enough") })).rejects.toBe("enough")
  })

  it("in tables of theirs happens with the checkpoint, or leaves nothing", async () => {
    const file = join(directory, "shop.db")
    await using store = await open(`sqlite:${file}`)
    await store.log(Item).append("tea", [stocked(5), sold(1, "ada"), sold(2, "bob")], { expected: 0 })
    const db = new Database(file)
    db.exec("CREATE TABLE my_sales (place INTEGER PRIMARY KEY, count INTEGER NOT NULL)")
    const keeping = (fails: number) =>
      tables({
        name: "sales",
        events: Item,
        failure: { retries: 0 },
        transact: transactions({ db }),
        handle: (own, events) => {
          for (const event of events) {
            if (event.type !== "Sold") continue
            own.prepare("INSERT INTO my_sales VALUES (?, ?)").run(event.position, event.data.count)
            if (event.position === fails) throw new Error(`no ${fails}`)
          }
        }
      })
    await expect(run(store, [keeping(3)], { ...quick, whenStopped: "die" }).ended).rejects.toThrow("no 3")
    const rows = () => db.prepare("SELECT * FROM my_sales").all()
    expect(rows()).toEqual([{ place: 2, count: 1 }])
    await using _ = run(store, [keeping(0)], quick)
    await whenProcessed(store, keeping(0), 3)
    expect(rows()).toEqual([{ place: 2, count: 1 }, { place: 3, count: 2 }])
    db.close()
  })
})
