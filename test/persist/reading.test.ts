/** Readings: pages as async iterables, lazy, repeatable, and releasing everything however a loop ends. */
import { make as makeMemory } from "@persist/backend-memory"
import { type BackendShape, Corrupt } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { open } from "persist"
import { describe, expect, it } from "vitest"
import { Item, stocked } from "./shop.ts"

/** A memory store that counts its pages and who listens to its changes; `heard` resolves once somebody does. */
const counted = async () => {
  const memory = await Effect.runPromise(makeMemory())
  const heard = Promise.withResolvers<void>()
  const seen = { pages: 0, listening: 0, heard: heard.promise }
  const listen = Effect.sync(() => {
    seen.listening++
    heard.resolve()
  })
  const backend: BackendShape = {
    ...memory,
    // A page takes a turn, as from any store that isn't in memory.
    readStream: (range) =>
      Effect.andThen(Effect.yieldNow, () => {
        seen.pages++
        return memory.readStream(range)
      }),
    changes: Stream.unwrap(Effect.as(
      // Letting go takes a turn: whoever says that it's done has waited for it.
      Effect.acquireRelease(listen, () => Effect.andThen(Effect.yieldNow, Effect.sync(() => seen.listening--))),
      memory.changes
    ))
  }
  const store = await open(Effect.succeed(backend))
  return { store, seen }
}

const filled = async (count: number) => {
  const { seen, store } = await counted()
  const log = store.log(Item)
  await log.append("tea", Array.from({ length: count }, (_, n) => stocked(n + 1)), { expected: 0 })
  return { store, log, seen }
}

describe("a reading", () => {
  it.each([
    ["all", {}, 2500],
    ["many", { limit: 2400 }, 2400]
  ])("of %s reads nothing before it's asked, and one page at a time", async (_, options, count) => {
    const { log, seen } = await filled(2500)
    const reading = log.read("tea", options)
    expect(seen.pages).toBe(0)
    let read = 0
    for await (const event of reading) {
      expect(event.seq).toBe(++read)
      expect(seen.pages).toBe(Math.ceil(read / 500))
    }
    expect(read).toBe(count)
  })

  it("reads anew in every loop", async () => {
    const { log } = await filled(2)
    const reading = log.read("tea")
    expect(await reading.toArray()).toHaveLength(2)
    await log.append("tea", stocked(3), { expected: 2 })
    let read = 0
    for await (const _ of reading) read++
    expect(read).toBe(3)
  })

  it("that is left early reads no further", async () => {
    const { log, seen } = await filled(2500)
    for await (const event of log.read("tea")) if (event.seq === 500) break
    expect(seen.pages).toBe(1)
  })

  it("answers several calls of next in their order, whenever they are made", async () => {
    const { log } = await filled(2500)
    const iterator = log.read("tea")[Symbol.asyncIterator]()
    const seqs: Array<number | undefined> = []
    const ask = async (): Promise<void> => {
      const { value } = await iterator.next()
      seqs.push(value?.seq)
      // One more at every place where a page may just be on its way.
      if (value !== undefined && value.seq % 100 === 0) asked.push(ask())
    }
    const asked = Array.from({ length: 2502 }, ask)
    for (const one of asked) await one
    expect(seqs.slice(0, 2500)).toEqual(Array.from({ length: 2500 }, (_, n) => n + 1))
    expect(seqs.slice(2500).every((seq) => seq === undefined)).toBe(true)
    expect(seqs.length).toBeGreaterThan(2502)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it("asks for the signal once, however many pages there are", async () => {
    const { log } = await filled(2500)
    const controller = new AbortController()
    const added: Array<string> = []
    const signal = new Proxy(controller.signal, {
      get: (target, key) => {
        if (key === "addEventListener") added.push(key)
        const value: unknown = Reflect.get(target, key)
        return typeof value === "function" ? value.bind(target) : value
      }
    })
    let read = 0
    for await (const _ of log.read("tea", { signal })) read++
    expect(read).toBe(2500)
    expect(added).toHaveLength(1)
  })

  it("is over once it was returned, even while a page is on its way", async () => {
    const { log } = await filled(3)
    const iterator = log.read("tea")[Symbol.asyncIterator]()
    expect(await iterator.next()).toMatchObject({ done: false })
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    const { seen, store } = await counted()
    const waiting = store.kv("n").watch()[Symbol.asyncIterator]()
    const pending = waiting.next()
    await seen.heard
    expect(seen.listening).toBe(1)
    await waiting.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
    expect(seen.listening).toBe(0)
  })

  it("is over for a page that can't be stopped, and stops one that can", async () => {
    const memory = await Effect.runPromise(makeMemory())
    const arrived = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const stopped: Array<string> = []
    const page = Effect.promise(() => {
      arrived.resolve()
      return gate.promise
    })
    const backend: BackendShape = {
      ...memory,
      readStream: (range) => Effect.andThen(Effect.uninterruptible(page), memory.readStream(range)),
      scan: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped.push("scan")))
    }
    await using store = await open(Effect.succeed(backend))
    await store.log(Item).append("tea", stocked(1), { expected: 0 })
    const reading = store.log(Item).read("tea")[Symbol.asyncIterator]()
    const first = reading.next()
    await arrived.promise
    const returned = reading.return?.()
    gate.resolve()
    expect(await Promise.all([first, returned])).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined }
    ])
    const scanning = store.kv("n").scan()[Symbol.asyncIterator]()
    const never = scanning.next()
    await scanning.return?.()
    expect(await never).toEqual({ done: true, value: undefined })
    expect(stopped).toEqual(["scan"])
  })

  it("of nothing ends at once", async () => {
    const { log } = await filled(1)
    for await (const event of log.read("none")) expect(event).toBeUndefined()
    expect(await log.read("none").toArray()).toEqual([])
  })

  it("throws what it can't read, after everything before it, and stays over", async () => {
    const { log, store } = await filled(1)
    await store.log().append("tea", { type: "Unheard", data: 1 }, { expected: 1 })
    const seqs: Array<number> = []
    const loop = async () => {
      for await (const event of store.log(Item).read("tea", { limit: 1 })) seqs.push(event.seq)
      for await (const event of store.log(Item).read("tea", { from: 2 })) seqs.push(event.seq)
    }
    await expect(loop()).rejects.toBeInstanceOf(Corrupt)
    expect(seqs).toEqual([1])
    await expect(log.read("tea").toArray()).rejects.toMatchObject({ _tag: "Corrupt" })
    const iterator = log.read("tea")[Symbol.asyncIterator]()
    await expect(iterator.next()).rejects.toBeInstanceOf(Corrupt)
    await expect(iterator.next()).rejects.toBeInstanceOf(Corrupt)
  })
})

describe("a loop that waits", () => {
  it("gets what is there and what comes", async () => {
    const { seen, store } = await counted()
    const kv = store.kv("n")
    await kv.put("a", 1)
    const keys: Array<string> = []
    for await (const change of kv.watch({ after: 0 })) {
      keys.push(change.key)
      if (change.key === "b") break
      await kv.put("b", 2)
    }
    expect(keys).toEqual(["a", "b"])
    expect(seen.listening, "leaving the loop stops listening").toBe(0)
  })

  it("stops listening where the body throws", async () => {
    const { seen, store } = await counted()
    const loop = async () => {
      for await (const _ of store.changes()) {
        expect(seen.listening).toBe(1)
        throw new Error("the body")
      }
    }
    await expect(loop()).rejects.toThrow("the body")
    expect(seen.listening).toBe(0)
  })

  it("ends where its body closes the store, and can't begin after that", async () => {
    await using store = await open("memory:")
    const kv = store.kv("n")
    await kv.putMany([["a", 1], ["b", 2]])
    const keys: Array<string> = []
    for await (const { key } of kv.watch({ after: 0 })) {
      keys.push(key)
      await store.close()
    }
    expect(keys).toEqual(["a", "b"])
    const late = kv.watch({ after: 0 })[Symbol.asyncIterator]()
    await expect(late.next()).rejects.toMatchObject({ _tag: "Invalid", field: "store" })
  })

  it("ends where the store is closed, and a read that isn't finished is refused", async () => {
    const { log, seen, store } = await filled(1500)
    const waiting = store.changes()[Symbol.asyncIterator]()
    expect(await waiting.next()).toEqual({ done: false, value: undefined })
    const pending = [waiting.next(), waiting.next()]
    const reading = log.read("tea")[Symbol.asyncIterator]()
    await reading.next()
    await store.close()
    expect(await Promise.all(pending)).toEqual([{ done: true, value: undefined }, { done: true, value: undefined }])
    expect(seen.listening).toBe(0)
    // The page at hand is still given; to end after it as if there were no more would be a lie.
    for (let seq = 2; seq <= 500; seq++) expect(await reading.next()).toMatchObject({ value: { seq } })
    await expect(reading.next()).rejects.toMatchObject({ _tag: "Invalid", field: "store" })
  })
})
