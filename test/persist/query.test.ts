/** Queries through Promises: found by the page, refused by name, ended by a signal. */
import { Catalogue, open, ReadModel, Schema } from "persist"
import { describe, expect, it } from "vitest"

describe("a query", () => {
  const Stock = Schema.Struct({ name: Schema.String, left: Schema.Int })
  const events = Catalogue.make({ Counted: Stock })
  const stockOf = (version: number) =>
    ReadModel.make({
      name: "stock",
      version,
      events,
      keys: ({ stream }) => stream,
      seed: { name: "", left: 0 },
      step: (_, { data }) => data,
      value: Stock,
      indexes: { byLeft: { on: ["left"] } }
    })
  const stock = stockOf(1)

  it("finds states by the page, and takes a signal", async () => {
    await using store = await open("memory:")
    for (const left of [3, 1, 2]) {
      await store.log(events).append(`s${left}`, { type: "Counted", data: { name: "tea", left } }, { expected: 0 })
    }
    await store.catchUp(stock)
    const asked = { where: { left: { lte: 2 } }, sort: [{ field: "left" }], limit: 1 } as const
    const page = await store.query(stock, asked)
    expect(page).toMatchObject({ items: [{ key: "s1", value: { left: 1 } }], index: "byLeft", scanned: 1 })
    const rest = await store.query(stock, { ...asked, after: page.next, signal: new AbortController().signal })
    expect(rest.items.map(({ key }) => key)).toEqual(["s2"])
    expect((await store.query(stock)).items).toHaveLength(3)
    await expect(store.query(stock, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough")
  })

  it("shows as of the head what nobody has kept yet, one by one and by the page", async () => {
    await using store = await open("memory:")
    const strong = store.strong(stock)
    expect(await strong.get("s1")).toBeUndefined()
    await store.log(events).append("s1", { type: "Counted", data: { name: "tea", left: 1 } }, { expected: 0 })
    await store.catchUp(stock)
    await store.log(events).append("s2", { type: "Counted", data: { name: "oil", left: 2 } }, { expected: 0 })
    const head = await store.head()
    expect(await strong.get("s2", { atLeast: head })).toEqual({ name: "oil", left: 2 })
    expect(await strong.getMany(["s1", "s2", "s3"])).toEqual({
      states: new Map([["s1", { name: "tea", left: 1 }], ["s2", { name: "oil", left: 2 }]]),
      position: head,
      folded: 1
    })
    const asked = { where: { left: { gte: 1 } }, sort: [{ field: "left", order: "desc" }] } as const
    expect(await strong.query({ ...asked, limit: 1 })).toMatchObject({ items: [{ key: "s2" }], index: "byLeft" })
    expect((await store.query(stock, asked)).items.map(({ key }) => key)).toEqual(["s1"])
    await expect(strong.get("s2", { tail: 0 })).rejects.toMatchObject({ _tag: "Unavailable" })
    await expect(strong.query({ signal: AbortSignal.abort("enough") })).rejects.toBe("enough")
  })

  it("asks the live version, whichever of those that are known it is", async () => {
    await using store = await open("memory:")
    await store.log(events).append("s1", { type: "Counted", data: { name: "tea", left: 1 } }, { expected: 0 })
    await store.catchUp(stock)
    const current = await store.live([stockOf(2), stock], { signal: new AbortController().signal })
    expect(current.version).toBe(1)
    expect((await store.query(current, { where: { left: { eq: 1 } } })).items.map(({ key }) => key)).toEqual(["s1"])
    await expect(store.live([])).rejects.toMatchObject({ _tag: "Invalid", field: "versions" })
    await expect(store.live([stock], { signal: AbortSignal.abort("enough") })).rejects.toBe("enough")
  })

  it("that can't be asked rejects with what is wrong with it", async () => {
    await using store = await open("memory:")
    for (
      const [asked, field] of [
        [{ where: { lef: { eq: 1 } } }, "where.lef"],
        [{ where: { left: { eq: "1" } } }, "where.left.eq"],
        [{ limit: 0.5 }, "limit"],
        [null, "options"],
        [{ wher: {} }, "wher"]
      ]
    ) {
      // What a caller without types may pass.
      await expect(store.query(stock, asked as never)).rejects.toMatchObject({ _tag: "Invalid", field })
    }
  })
})
