/** The log and the kv through Promises: what core's own tests prove of them, reached by every verb of the mirror. */
import { open } from "persist"
import { describe, expect, it } from "vitest"
import { Buyers, Item, sold, stocked } from "./shop.ts"

describe("the mirror", () => {
  it("has every verb of core's log, kv and store", async () => {
    await using store = await open("memory:")
    const { effect } = store
    expect(Object.keys(store.log())).toEqual(expect.arrayContaining(Object.keys(effect.log())))
    expect(Object.keys(store.kv("n"))).toEqual(expect.arrayContaining(Object.keys(effect.kv("n"))))
    // What is made of a store's parts is made with Effect.
    const parts = new Set(["engine", "system"])
    expect(Object.keys(store)).toEqual(expect.arrayContaining(Object.keys(effect).filter((name) => !parts.has(name))))
  })

  it("has every function of core that takes a store", async () => {
    await using store = await open("memory:")
    const core: Readonly<Record<string, unknown>> = await import("@persist/core")
    const takesStore = [
      "project",
      "load",
      "diff",
      "decide",
      "saveSnapshot",
      "listSnapshots",
      "deleteSnapshots",
      "compact",
      "registerProjection",
      "subscribe",
      "subscribePages",
      "runSubscription",
      "runSubscriptionPages",
      "runReadModel",
      "catchUp",
      "rebuild",
      "waitFor",
      "query",
      "strong",
      "registerReader",
      "listReaders",
      "slowestReader",
      "resetReader",
      "removeReader",
      "readCheckpoint",
      "moveCheckpoint",
      "checkpointOp"
    ]
    const functions = Object.keys(core).filter((name) =>
      /^function|=>/.test(String(core[name])) && /^\(store\b/.test(String(core[name]))
    )
    expect(functions.length).toBeGreaterThan(10)
    expect([...new Set([...functions, ...takesStore])].filter((name) => !(name in store))).toEqual([])
  })
})

describe("a log", () => {
  it("appends, conflicts, and gives what was missed", async () => {
    await using store = await open("memory:")
    const log = store.log(Item)
    const first = await log.append("tea", [stocked(3), sold(1, "ada")], { expected: 0 })
    expect(first).toMatchObject({ _tag: "Committed", first: 1, last: 2, repeated: false })
    const late = await log.append("tea", sold(3, "bob"), { expected: 1 })
    if (late._tag !== "Conflict") throw new Error("it must conflict")
    expect(late).toEqual({
      _tag: "Conflict",
      expectation: { _tag: "Stream", stream: "tea", expected: 1 },
      actual: 2
    })
    expect((await log.missing(late).toArray()).map(({ data }) => data)).toEqual([{ count: 1, to: "ada" }])
    expect((await log.append("tea", sold(2, "bob"), { expected: "any" })).last).toBe(3)
  })

  it("reads streams and everything, lists, truncates and deletes", async () => {
    await using store = await open("memory:")
    const log = store.log(Item)
    await log.append("tea", [stocked(1), stocked(2), stocked(3)], { expected: 0 })
    await log.append("mug", stocked(9), { expected: 0 })
    expect((await log.read("tea", { from: 2, limit: 1 }).toArray()).map(({ data }) => data)).toEqual([{ count: 2 }])
    expect((await log.readAll({ reverse: true, limit: 2 }).toArray()).map(({ stream }) => stream)).toEqual([
      "mug",
      "tea"
    ])
    expect(await log.lastSeq("tea")).toBe(3)
    expect(await log.lastSeq("none")).toBe(0)
    expect(await log.info("none")).toBeUndefined()
    await log.truncate("tea", 3)
    expect(await log.info("tea")).toEqual({ stream: "tea", first: 3, last: 3 })
    expect(await log.delete("tea", { expected: 2 })).toMatchObject({ _tag: "Conflict" })
    expect(await log.delete("tea", { expected: 3 })).toMatchObject({ _tag: "Committed" })
    expect(await log.streams({ prefix: "t" }).toArray()).toEqual([{ stream: "tea", first: 4, last: 3 }])
  })
})

describe("a kv", () => {
  it("gives values, entries and undefined, which is not null", async () => {
    await using store = await open("memory:")
    const kv = store.kv("n")
    const { revision } = await kv.put("a", null, { meta: { by: "ada" } })
    expect(await kv.get("a")).toBeNull()
    expect(await kv.get("b")).toBeUndefined()
    expect(await kv.entry("a")).toMatchObject({ key: "a", value: null, revision, meta: { by: "ada" } })
    expect(await kv.entry("b")).toBeUndefined()
    expect(await kv.getMany(["b", "a"])).toMatchObject([undefined, { key: "a" }])
    expect([await kv.has("a"), await kv.has("b"), await kv.count()]).toEqual([true, false, 1])
    expect(await kv.put("a", 2, { expected: "absent" })).toMatchObject({ _tag: "Conflict", actual: revision })
    expect(await kv.put("a", 2, { expected: revision })).toMatchObject({ _tag: "Committed", key: "a" })
    expect(await kv.delete("a", { expected: "exists" })).toMatchObject({ _tag: "Committed" })
  })

  it("writes many, scans, lists changes and clears", async () => {
    await using store = await open("memory:")
    const kv = store.kv("n")
    await kv.putMany([["a", 1], ["b", 2], ["c", 3]])
    const since = await store.head()
    await kv.deleteMany(["a", "b"])
    expect((await kv.scan().toArray()).map(({ key }) => key)).toEqual(["c"])
    expect((await kv.changedSince({ after: since }).toArray()).map(({ _tag, key }) => [_tag, key]))
      .toEqual([["Deleted", "a"], ["Deleted", "b"]])
    await kv.clear()
    expect(await store.namespaces().toArray()).toEqual([])
  })

  it("of a read model gives its states", async () => {
    await using store = await open("memory:")
    await store.log(Item).append("tea", [stocked(3), sold(1, "ada"), sold(2, "ada")], { expected: 0 })
    expect(await store.catchUp(Buyers)).toMatchObject({ _tag: "CaughtUp", events: 2 })
    expect(await store.kv(Buyers).get("ada")).toBe(3)
    expect((await store.kv(Buyers).scan().toArray()).map(({ key, value }) => [key, value])).toEqual([["ada", 3]])
  })
})

describe("a commit", () => {
  it("happens to streams and keys at once, or not at all", async () => {
    await using store = await open("memory:")
    const log = store.log(Item)
    const kv = store.kv("n")
    const ops = [log.ops.append("tea", stocked(1), { expected: 0 }), kv.ops.put("tea", 1, { expected: "absent" })]
    expect(await store.commit(ops, { id: "c1" })).toMatchObject({ _tag: "Committed", position: 2, repeated: false })
    expect(await store.commit(ops, { id: "c1" })).toMatchObject({ _tag: "Committed", position: 2, repeated: true })
    expect(await store.commit(ops)).toMatchObject({ _tag: "Conflict" })
    expect(await store.resolve("c1")).toMatchObject({ position: 2 })
    expect(await store.resolve("c2")).toBeUndefined()
    expect(await store.head()).toBe(2)
  })

  it("of several callers at once has one winner for each expectation", async () => {
    await using store = await open("sqlite::memory:")
    const log = store.log(Item)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => log.append("tea", stocked(n + 1), { expected: 0 }))
    )
    expect(outcomes.filter(({ _tag }) => _tag === "Committed")).toHaveLength(1)
    expect(await log.lastSeq("tea")).toBe(1)
  })
})
