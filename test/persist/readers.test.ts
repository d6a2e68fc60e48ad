/** Projections, deciders, subscriptions and read models through Promises: translated, stopped, fenced and failed. */
import { make as makeMemory } from "@persist/backend-memory"
import * as Effect from "effect/Effect"
import { Catalogue, Invalid, open, Projection, Schema, SnapshotPolicy, type Store } from "persist"
import { describe, expect, it } from "vitest"
import { Buyers, Item, Left, Sale, sold, stocked } from "./shop.ts"

const stockedShop = async (): Promise<Store> => {
  const store = await open("memory:")
  await store.log(Item).append("tea", [stocked(5), sold(1, "ada")], { expected: 0 })
  return store
}

/** A Promise and the way to resolve it. */
const marker = <A = void>() => Promise.withResolvers<A>()

describe("a projection", () => {
  it("folds now and as of the past, and loads from a snapshot", async () => {
    await using store = await stockedShop()
    expect(await store.project(Left, { stream: "tea" })).toMatchObject({ state: 4, seq: 2, replayed: 2 })
    expect(await store.project(Left, { all: true, asOf: { position: 1 } })).toMatchObject({ state: 5 })
    const saved = await store.saveSnapshot(Left, { stream: "tea" })
    expect(saved).toMatchObject({ projection: "left", seq: 2 })
    const policy = SnapshotPolicy.never
    expect(await store.load(Left, { stream: "tea", snapshots: policy })).toMatchObject({ state: 4, from: { seq: 2 } })
    expect((await store.listSnapshots({ projection: "left" }).toArray()).map(({ seq }) => seq)).toEqual([2])
    expect(await store.compact({ projection: Left, stream: "tea" })).toMatchObject({ removed: 1 })
    expect(await store.load(Left, { stream: "tea" })).toMatchObject({ state: 4 })
    expect(await store.deleteSnapshots()).toEqual({ deleted: 0, kept: 1 })
    expect(await store.saveSnapshot(Left, { stream: "none" })).toBeUndefined()
  })

  it("that throws rejects with the event it threw at, and its own error", async () => {
    await using store = await stockedShop()
    const cause = new Error("no such thing")
    const broken = Projection.make({
      name: "broken",
      version: 1,
      events: Item,
      seed: 0,
      step: (): number => {
        throw cause
      }
    })
    const error = await store.project(broken, { stream: "tea" }).catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field: "projection \"broken\"", cause })
    expect(String(error)).toContain("seq 1 of stream \"tea\"")
  })
})

describe("a decider", () => {
  it("decides, refuses with its own failure, and carries out an id once", async () => {
    await using store = await stockedShop()
    expect(await store.decide(Sale, "tea", { count: 3, to: "bob" }, { id: "order-1" }))
      .toMatchObject({ _tag: "Decided", seq: 3, repeated: false })
    expect(await store.decide(Sale, "tea", { count: 3, to: "bob" }, { id: "order-1" }))
      .toMatchObject({ _tag: "Decided", seq: 3, repeated: true })
    await expect(store.decide(Sale, "tea", { count: 2, to: "eve" })).rejects.toEqual({ _tag: "SoldOut", left: 1 })
    expect(await store.log(Item).lastSeq("tea")).toBe(3)
  })

  it("decides again where somebody was faster, and answers the last conflict where somebody always is", async () => {
    const memory = await Effect.runPromise(makeMemory())
    let rivals = 0
    const raced = {
      ...memory,
      commit: (batch: Parameters<typeof memory.commit>[0]) => {
        if (rivals-- <= 0) return memory.commit(batch)
        const [first] = batch
        const event = { type: "Stocked", at: 0, data: `{"count":1}`, meta: undefined, id: undefined }
        return Effect.andThen(
          memory.commit([{ ...first, expect: [], append: [{ stream: "tea", events: [event] }] }]),
          memory.commit(batch)
        )
      }
    }
    await using store = await open(Effect.succeed(raced))
    await store.log(Item).append("tea", stocked(5), { expected: 0 })
    rivals = 2
    expect(await store.decide(Sale, "tea", { count: 7, to: "ada" }).catch((error: unknown) => error))
      .toEqual({ _tag: "SoldOut", left: 5 })
    expect(await store.decide(Sale, "tea", { count: 5, to: "ada" }))
      .toMatchObject({ _tag: "Decided", seq: 4, conflicts: 2 })
    rivals = 2
    expect(await store.decide(Sale, "tea", { count: 1, to: "bob" }, { retries: 1 }))
      .toMatchObject({ _tag: "Conflict", actual: 6 })
    expect(await store.log(Item).lastSeq("tea")).toBe(6)
  })
})

describe("a subscription in a loop", () => {
  it("gives what is there, then what comes, each once", async () => {
    await using store = await stockedShop()
    const seen: Array<number> = []
    for await (const event of store.subscribe({ events: Item, from: "start" })) {
      seen.push(event.seq)
      if (event.type === "Sold" && event.data.to === "bob") break
      if (event.seq === 2) await store.log(Item).append("tea", sold(2, "bob"), { expected: 2 })
    }
    expect(seen).toEqual([1, 2, 3])
  })

  it("gives pages with how far they have looked", async () => {
    await using store = await stockedShop()
    for await (const { items, through } of store.subscribePages({ events: Item.only("Sold"), from: "start" })) {
      expect([items.length, through]).toEqual([1, 2])
      break
    }
  })

  it("throws for a wrong place to begin", async () => {
    await using store = await stockedShop()
    const loop = store.subscribe({ events: Item, from: { position: 99 } })[Symbol.asyncIterator]()
    await expect(loop.next()).rejects.toMatchObject({ _tag: "Invalid", field: "from.position" })
  })
})

describe("a subscription that runs", () => {
  it("waits for what its handler answers, and goes on where it left off after it was stopped", async () => {
    await using store = await stockedShop()
    const seen: Array<string> = []
    const second = marker()
    const run = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: async (event) => {
        await Promise.resolve()
        seen.push(event.type)
        if (seen.length === 2) second.resolve()
      }
    })
    await second.promise
    await run.stop()
    expect(await run.ended).toBeUndefined()
    await run.stop()
    // At least the last event's; checkpoints take positions too, which may be passed as well.
    expect((await store.readCheckpoint("mailer"))?.position).toBeGreaterThanOrEqual(2)
    await store.log(Item).append("tea", sold(2, "bob"), { expected: 2 })
    const third = marker()
    await using _ = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: (event) => {
        seen.push(event.type)
        third.resolve()
      }
    })
    await third.promise
    expect(seen).toEqual(["Stocked", "Sold", "Sold"])
  })

  it.each([
    ["throws", () => {
      throw new Error("full")
    }],
    ["rejects", () => Promise.reject(new Error("full"))]
  ])("ends with the error that its handler %s, with everything before it saved", async (_, fail) => {
    await using store = await stockedShop()
    const run = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: (event) => event.type === "Sold" ? fail() : undefined
    })
    await expect(run.ended).rejects.toThrow("full")
    await run.stop()
    expect(await store.readCheckpoint("mailer")).toMatchObject({ position: 1 })
  })

  it("by the page hands over whole pages", async () => {
    await using store = await stockedShop()
    const page = marker<number>()
    await using _ = store.runSubscriptionPages({
      name: "pages",
      events: Item,
      handle: ({ items }) => page.resolve(items.length)
    })
    expect(await page.promise).toBe(2)
  })

  it("is told when somebody else has taken over", async () => {
    await using store = await stockedShop()
    const run = store.runSubscription({ name: "mailer", events: Item, handle: () => undefined })
    for await (const _ of store.changes()) {
      if (((await store.readCheckpoint("mailer"))?.position ?? 0) >= 2) break
    }
    await store.resetReader("mailer")
    await store.log(Item).append("tea", sold(1, "bob"), { expected: "any" })
    expect(await run.ended).toMatchObject({ _tag: "Fenced", name: "mailer" })
  })

  it("rejects with the signal's reason where that aborts, and is stopped where the store closes", async () => {
    const store = await stockedShop()
    const controller = new AbortController()
    const aborted = store.runSubscription({
      name: "a",
      events: Item,
      handle: () => undefined,
      signal: controller.signal
    })
    controller.abort("enough")
    await expect(aborted.ended).rejects.toBe("enough")
    await expect(
      store.runSubscription({ name: "b", events: Item, handle: () => undefined, signal: AbortSignal.abort("no") }).ended
    ).rejects.toBe("no")
    const running = store.runSubscription({ name: "c", events: Item, handle: () => undefined })
    await store.close()
    expect(await running.ended).toBeUndefined()
  })

  it("refuses a handler that is none, and options it doesn't know", async () => {
    await using store = await stockedShop()
    const wrong = "mail" as unknown as () => void // wrong on purpose
    const options = { name: "mailer", events: Item, handle: wrong }
    await expect(store.runSubscription(options).ended).rejects.toMatchObject({ _tag: "Invalid", field: "handle" })
    await expect(store.runSubscriptionPages(options).ended).rejects.toMatchObject({ _tag: "Invalid", field: "handle" })
    const unknown = { ...options, handle: () => undefined, every: 1 }
    await expect(store.runSubscription(unknown).ended).rejects.toMatchObject({ _tag: "Invalid", field: "every" })
    expect(await store.listReaders()).toEqual([])
  })
})

describe("a read model", () => {
  it("follows until it's stopped, and shows what was waited for", async () => {
    await using store = await stockedShop()
    const run = store.runReadModel(Buyers)
    const { position } = await store.log(Item).append("tea", sold(2, "ada"), { expected: "any" })
    await store.waitFor(Buyers, position)
    expect(await store.kv(Buyers).get("ada")).toBe(3)
    await run.stop()
    expect(await run.ended).toBeUndefined()
    const { position: later } = await store.log(Item).append("tea", sold(1, "bob"), { expected: "any" })
    await expect(store.waitFor(Buyers, later, { within: 1 })).rejects.toMatchObject({ _tag: "Unavailable" })
    expect(await store.rebuild(Buyers)).toMatchObject({ _tag: "CaughtUp", events: 3 })
    expect(await store.kv(Buyers).get("bob")).toBe(1)
  })

  it("ends with what it can't fold", async () => {
    await using store = await stockedShop()
    await store.log().append("mug", { type: "Sold", data: "nothing" }, { expected: 0 })
    await expect(store.runReadModel(Buyers).ended).rejects.toMatchObject({ _tag: "Corrupt" })
  })
})

describe("readers", () => {
  it("are registered, listed, reset and removed, and checkpoints move with a commit", async () => {
    await using store = await stockedShop()
    const checkpoint = await store.registerReader("export", { from: "start", prefix: "t" })
    expect(await store.slowestReader("tea")).toBe(0)
    const moved = await store.moveCheckpoint(checkpoint, 1)
    if ("_tag" in moved) throw new Error("nobody else moved it")
    const outcome = await store.commit([store.checkpointOp(moved, 2), store.kv("out").ops.put("tea", 1)])
    expect(outcome._tag).toBe("Committed")
    expect(await store.moveCheckpoint(moved, 2)).toMatchObject({ _tag: "Fenced" })
    expect(await store.listReaders()).toMatchObject([{ name: "export", position: 2 }])
    await store.resetReader("export")
    expect(await store.readCheckpoint("export")).toMatchObject({ position: 0 })
    await store.removeReader("export")
    expect(await store.readCheckpoint("export")).toBeUndefined()
    expect(await store.slowestReader("tea")).toBeUndefined()
    await store.registerProjection(Left, { stream: "tea" })
    expect(await store.listReaders()).toHaveLength(1)
  })
})

describe("catalogues", () => {
  it("with versions read old events as new", async () => {
    await using store = await open("memory:")
    const Old = Catalogue.make({ Renamed: Schema.Struct({ name: Schema.String }) })
    const New = Catalogue.make({
      Renamed: Catalogue.versions(Schema.Struct({ name: Schema.String }))
        .to(Schema.Struct({ first: Schema.String, last: Schema.String }), ({ name }) => {
          const [first = "", last = ""] = name.split(" ")
          return { first, last }
        })
    })
    await store.log(Old).append("u", { type: "Renamed", data: { name: "Ada Lovelace" } }, { expected: 0 })
    await store.log(New).append("u", { type: "Renamed", data: { first: "A", last: "L" } }, { expected: 1 })
    expect((await store.log(New).read("u").toArray()).map(({ data }) => data.last)).toEqual(["Lovelace", "L"])
  })
})
