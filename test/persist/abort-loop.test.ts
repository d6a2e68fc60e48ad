/** Aborting loops: whoever iterates is given the signal's reason, and nothing listens to it for longer than that. */
import { open } from "persist"
import { describe, expect, it } from "vitest"
import { Buyers, Item, stocked } from "./shop.ts"

describe("a loop that is aborted", () => {
  it("throws the reason at its next turn, with elements at hand and without", async () => {
    await using store = await open("memory:")
    const log = store.log(Item)
    await log.append("tea", [stocked(1), stocked(2)], { expected: 0 })
    const controller = new AbortController()
    const seen: Array<number> = []
    const loop = async () => {
      for await (const { seq } of log.read("tea", { signal: controller.signal })) {
        seen.push(seq)
        controller.abort()
      }
    }
    await expect(loop()).rejects.toMatchObject({ name: "AbortError" })
    expect(seen).toEqual([1])
    await expect(log.read("tea", { signal: controller.signal }).toArray()).rejects.toMatchObject({ name: "AbortError" })
  })

  it("throws the reason while it waits", async () => {
    await using store = await open("memory:")
    const controller = new AbortController()
    const waiting = store.kv("n").watch({ signal: controller.signal })[Symbol.asyncIterator]()
    const pending = waiting.next()
    const reason = new Error("enough")
    controller.abort(reason)
    await expect(pending).rejects.toBe(reason)
    await expect(waiting.next()).rejects.toBe(reason)
  })

  it("was never begun where the signal was aborted before", async () => {
    await using store = await open("memory:")
    const waiting = store.changes({ signal: AbortSignal.abort("no") })[Symbol.asyncIterator]()
    await expect(waiting.next()).rejects.toBe("no")
    const wrong = { signal: 7 } as unknown as { readonly signal: AbortSignal } // wrong on purpose
    await expect(store.changes(wrong)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ field: "signal" })
  })

  it("listens to the signal no longer than it runs", async () => {
    await using store = await open("memory:")
    const { signal } = new AbortController()
    let listeners = 0
    const counting = new Proxy(signal, {
      get: (target, key) => {
        if (key === "addEventListener") listeners++
        if (key === "removeEventListener") listeners--
        const value: unknown = Reflect.get(target, key)
        return typeof value === "function" ? value.bind(target) : value
      }
    })
    for await (const _ of store.changes({ signal: counting })) {
      expect(listeners).toBe(1)
      break
    }
    expect(listeners).toBe(0)
    await store.kv("n").put("a", 1, { signal: counting })
    await store.kv("n").scan({ signal: counting }).toArray()
    await store.runReadModel(Buyers, { signal: counting }).stop()
    expect(listeners).toBe(0)
  })
})
