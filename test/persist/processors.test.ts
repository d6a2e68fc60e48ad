/** Processors with Promises: what runners' own tests prove of them, reached by ordinary functions. */
import { Invalid, open, ReadModel, Schema, type Store } from "persist"
import * as processors from "persist/processors"
import {
  adopt,
  compareVersions,
  dropParked,
  forget,
  health,
  inspectParked,
  listParked,
  listStale,
  pause,
  type Processor,
  reaction,
  readModel,
  reset,
  resume,
  retryParked,
  run,
  type RunOptions,
  subscription,
  switchLive,
  watchHealth,
  whenProcessed
} from "persist/processors"
import { describe, expect, it } from "vitest"
import { quick, stockedShop, until } from "./running-shop.ts"
import { Buyers, Item, sold, stocked } from "./shop.ts"

/** A processor that notes what it is given, and fails at what is in `fails`, which may change. */
const noting = (fails: Set<number> = new Set()) => {
  const seen: Array<string> = []
  const processor = subscription({
    name: "noting",
    events: Item,
    failure: { retries: 1, delay: 1, finally: "park" },
    key: ({ position }) => String(position),
    handle: async ({ position, type }, { attempt, key }) => {
      await new Promise(setImmediate)
      if (fails.has(position)) throw new Error(`no ${position}`)
      seen.push(`${type} ${key.split("/").at(-1)} ${attempt}`)
    }
  })
  return { seen, processor, fails }
}

describe("processors with Promises", () => {
  it("have every function and every maker of the runner", async () => {
    const runner = await import("@persist/runner")
    // A service and metrics are Effect's own.
    const effects = new Set(["Runner", "observeHealth"])
    const functions = Object.keys(runner).filter((name) => !effects.has(name))
    expect(functions.length).toBeGreaterThan(15)
    expect(Object.keys(processors).toSorted()).toEqual(functions.toSorted())
  })

  it("run beside the program, are waited for, and are given back when they're stopped", async () => {
    await using store = await stockedShop()
    const { processor, seen } = noting()
    const running = run(store, [processor, readModel(Buyers)], quick)
    const position = await store.head()
    await whenProcessed(store, processor, position)
    await whenProcessed(store, readModel(Buyers), position, { within: 1000, signal: new AbortController().signal })
    expect(seen).toEqual(["Stocked 1 0", "Sold 2 0", "Sold 3 0"])
    expect(await store.kv(Buyers).get("bob")).toBe(2)
    const { processors: fare, runners } = await health(store)
    expect(runners).toMatchObject([{ label: "here", alive: true }])
    expect(fare).toMatchObject([{ name: "buyers@1", healthy: true }, { name: "noting", partitions: [{ lag: 0 }] }])
    await running.stop()
    expect(await running.ended).toBeUndefined()
    expect(await health(store)).toMatchObject({ runners: [], processors: [{}, { partitions: [{ state: "idle" }] }] })
  })

  it("end with the store, the signal, or the failure that they shall die of, as it was thrown", async () => {
    const store = await stockedShop()
    const failure = new Error("no tea")
    const dying = subscription({
      name: "dying",
      events: Item,
      failure: { retries: 0 },
      handle: async () => Promise.reject(failure)
    })
    await expect(run(store, [dying], { ...quick, whenStopped: "die" }).ended).rejects.toBe(failure)
    expect((await health(store)).runners).toEqual([])
    const controller = new AbortController()
    const aborted = run(store, [noting().processor], { ...quick, signal: controller.signal })
    await until(async () => (await health(store)).runners.length === 1)
    controller.abort("enough")
    await expect(aborted.ended).rejects.toBe("enough")
    expect((await health(store)).runners).toEqual([])
    const last = run(store, [noting().processor], quick)
    await store.close()
    expect(await last.ended).toBeUndefined()
  })

  it("finish what is in hand before they end", async () => {
    await using store = await stockedShop()
    const [inHand, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = subscription({
      name: "slow",
      events: Item,
      handle: async ({ position }) => {
        if (position < 3) return
        inHand.resolve()
        await goOn.promise
      }
    })
    const running = run(store, [slow], quick)
    await inHand.promise
    const stopped = running.stop()
    expect((await health(store)).runners).toHaveLength(1)
    goOn.resolve()
    await stopped
    expect((await store.readCheckpoint("slow"))?.position).toBeGreaterThanOrEqual(3)
  })

  it("refuse what no runner can run", async () => {
    await using store = await open("memory:")
    const make = (handle: unknown) => () => subscription({ name: "x", events: Item, handle: handle as () => void })
    expect(make(7)).toThrow(Invalid)
    expect(() => reaction({ name: "x", events: Item, handle: undefined as unknown as () => [] })).toThrow("handle")
    expect(() => run({} as Store, [])).toThrow(Invalid)
    for (
      const [list, options, field] of [
        [[7], {}, "processors[0]"],
        [[noting().processor, noting().processor], {}, "processors[1]"],
        [undefined, {}, "processors"],
        [[], { patience: "long" }, "patience"],
        [[], { patients: 3 }, "patients"],
        [[], { signal: 3 }, "signal"]
      ] as const
    ) {
      // What a caller without types may pass.
      const running = run(store, list as unknown as Array<Processor>, options as RunOptions)
      await expect(running.ended).rejects.toMatchObject({ _tag: "Invalid", field })
    }
    await expect(health(store, { sign: 1 } as object)).rejects.toMatchObject({ field: "sign" })
  })
})

describe("what operators say", () => {
  it("has parked events tried again or dropped, and tells what failed in its own words", async () => {
    await using store = await stockedShop()
    const { fails, processor, seen } = noting(new Set([1, 2]))
    await using _ = run(store, [processor], quick)
    const parked = () => listParked(store, "noting").toArray()
    await until(async () => (await parked()).length === 2)
    expect(await parked()).toMatchObject([
      { position: 1, state: "parked", attempts: [{ error: "Error: no 1" }, { error: "Error: no 1" }] },
      { position: 2 }
    ])
    expect(await listParked(store, undefined, { signal: new AbortController().signal }).toArray()).toHaveLength(2)
    expect(await inspectParked(store, "noting", 1)).toMatchObject({ parked: { position: 1 }, event: stocked(5) })
    fails.clear()
    await retryParked(store, "noting", 1)
    await dropParked(store, "noting", 2)
    await until(async () => (await parked()).length === 1)
    expect(await parked()).toMatchObject([{ position: 2, state: "dropped" }])
    expect(seen).toEqual(["Sold 3 0", "Stocked 1 2"])
    await expect(retryParked(store, "noting", 9)).rejects.toMatchObject({ _tag: "Invalid", field: "position" })
  })

  it("pauses, resumes, resets and forgets", async () => {
    await using store = await stockedShop()
    const { processor, seen } = noting()
    const running = run(store, [processor], quick)
    await whenProcessed(store, processor, 3)
    await pause(store, "noting")
    const state = async () => (await health(store)).processors[0]?.partitions[0]?.state
    await until(async () => await state() === "paused")
    await reset(store, "noting", { from: { position: 2 } })
    const { position } = await store.log(Item).append("tea", sold(1, "eve"), { expected: "any" })
    expect(seen).toHaveLength(3)
    await resume(store, "noting")
    await whenProcessed(store, processor, position)
    expect(seen.slice(3)).toEqual(["Sold 3 0", `Sold ${position} 0`])
    expect(await listStale(store)).toEqual([])
    expect(await adopt(store, "noting", { dryRun: true })).toMatchObject({ kind: "subscription", partitions: [] })
    await expect(adopt(store, "noting", { from: "end" })).rejects.toMatchObject({ _tag: "Invalid", field: "from" })
    await expect(pause(store, "nothing")).rejects.toMatchObject({ _tag: "Invalid", field: "name" })
    expect(await watchHealth(store)()).toMatchObject({ processors: [{ name: "noting", healthy: true }] })
    await expect(forget(store, "noting")).rejects.toMatchObject({ _tag: "Invalid", field: "name" })
    await running.stop()
    await forget(store, "noting")
    expect((await health(store)).processors).toEqual([])
  })

  it("switches versions of a read model, and shows where they differ", async () => {
    await using store = await stockedShop()
    const spent = (version: number, times: number) =>
      ReadModel.make({
        name: "spent",
        version,
        events: Item,
        keys: (event) => event.type === "Sold" ? event.data.to : [],
        seed: 0,
        value: Schema.Int,
        step: (sum: number, event) => event.type === "Sold" ? sum + times * event.data.count : sum
      })
    const [one, two] = [spent(1, 1), spent(2, 10)]
    await using _ = run(store, [readModel(one)], quick)
    const building = run(store, [readModel(two, { goLive: "by hand" })], quick)
    const position = await store.head()
    await whenProcessed(store, readModel(one), position)
    await whenProcessed(store, readModel(two), position)
    expect((await store.live([one, two])).version).toBe(1)
    const { after, before, differences } = await compareVersions(store, "spent", 1, 2)
    expect([before.version, after.version]).toEqual([1, 2])
    expect([before.position, after.position].every((reached) => reached >= position)).toBe(true)
    expect(await differences.toArray()).toEqual([
      { key: "ada", before: 1, after: 10 },
      { key: "bob", before: 2, after: 20 }
    ])
    await building.stop()
    const more = await store.log(Item).append("tea", sold(1, "eve"), { expected: "any" })
    await whenProcessed(store, readModel(one), more.position)
    await expect(switchLive(store, "spent", 2)).rejects.toMatchObject({ _tag: "Invalid", field: "version" })
    await switchLive(store, "spent", 2, { anyway: true })
    expect(await store.kv(await store.live([one, two])).get("bob")).toBe(20)
  })
})
