/** Handlers that end what calls them: who waits for that is told what to do, who doesn't is stopped. */
import { Invalid, open, type Running, type Store } from "persist"
import { run as runProcessors, subscription } from "persist/processors"
import { describe, expect, it } from "vitest"
import { Item, sold, stocked } from "./shop.ts"

const stockedShop = async (): Promise<Store> => {
  const store = await open("memory:")
  await store.log(Item).append("tea", [stocked(5), sold(1, "ada")], { expected: 0 })
  return store
}

describe("a subscription's handler", () => {
  it.each([
    ["stop", (run: Running) => run.stop()],
    ["close", (_: Running, store: Store) => store.close()],
    ["stop", (run: Running) => run[Symbol.asyncDispose]()]
  ])("can't wait for its own end: %s says so to a handler that does", async (field, end) => {
    const store = await stockedShop()
    const run: Running = store.runSubscription({ name: "mailer", events: Item, handle: () => end(run, store) })
    const error = await run.ended.catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field, remedy: expect.stringMatching(/^call it without waiting for it/) })
    await store.close()
  })

  it.each([
    ["stop", (running: Running) => running.stop()],
    ["close", (_: Running, store: Store) => store.close()]
  ])("can't wait for the end of the runner that calls it: %s says so", async (field, end) => {
    const store = await stockedShop()
    const refused = Promise.withResolvers<unknown>()
    const mailer = subscription({
      name: "mailer",
      events: Item,
      handle: async () => refused.resolve(await end(running, store).catch((error: unknown) => error))
    })
    const running: Running = runProcessors(store, [mailer], { interval: 5 })
    expect(await refused.promise).toMatchObject({ _tag: "Invalid", field })
    expect(await running.ended).toBeUndefined()
    await store.close()
  })

  it("ends after the event in hand where its handler stops it and doesn't wait", async () => {
    await using store = await stockedShop()
    const seen: Array<string> = []
    const run: Running = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: ({ type }) => {
        seen.push(type)
        void run.stop()
      }
    })
    expect(await run.ended).toBeUndefined()
    expect(seen).toEqual(["Stocked"])
    expect(await store.readCheckpoint("mailer")).toMatchObject({ position: 1 })
  })

  it("is waited for and saved where it stops its run and goes on", async () => {
    await using store = await stockedShop()
    const release = Promise.withResolvers<void>()
    const seen: Array<string> = []
    const run: Running = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: async ({ type }) => {
        void run.stop()
        await release.promise
        seen.push(type)
      }
    })
    // It ends only after its handler, which the next turn lets go on.
    setImmediate(release.resolve)
    expect(await run.ended).toBeUndefined()
    expect(seen).toEqual(["Stocked"])
    expect(await store.readCheckpoint("mailer")).toMatchObject({ position: 1 })
  })

  it("may stop another one, and close another store, and wait for it", async () => {
    await using store = await stockedShop()
    const other = await stockedShop()
    const idle = store.runSubscription({ name: "idle", events: Item, from: "end", handle: () => undefined })
    const done = Promise.withResolvers<void>()
    await using _ = store.runSubscription({
      name: "mailer",
      events: Item,
      handle: async () => {
        await Promise.all([idle.stop(), other.close()])
        done.resolve()
      }
    })
    await done.promise
    expect(await idle.ended).toBeUndefined()
  })
})
