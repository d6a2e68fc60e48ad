/** A store's end, and a backend's: what was waiting is flushed, what was running ends, what comes after is refused. */
import { make as makeMemory } from "@persist/backend-memory"
import * as Effect from "effect/Effect"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open, Unavailable } from "persist"
import { describe, expect, it } from "vitest"
import { makeGate } from "../core/gate.ts"
import { Buyers } from "./shop.ts"

describe("a backend in place of a URL", () => {
  it("is opened, and closed with the store", async () => {
    const log: Array<string> = []
    const backend = Effect.andThen(
      Effect.acquireRelease(Effect.sync(() => log.push("opened")), () => Effect.sync(() => log.push("closed"))),
      makeMemory()
    )
    {
      await using store = await open(backend)
      await store.kv("n").put("a", 1)
      expect(log).toEqual(["opened"])
    }
    expect(log).toEqual(["opened", "closed"])
  })

  it("that fails to open is cleared away", async () => {
    const log: Array<string> = []
    const error = new Unavailable({ operation: "open", reason: "no line", remedy: "try again" })
    const backend = Effect.andThen(
      Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push("closed"))),
      Effect.fail(error)
    )
    await expect(open(backend)).rejects.toBe(error)
    expect(log).toEqual(["closed"])
  })

  it("is not opened where the signal was aborted, and given up where it aborts meanwhile", async () => {
    const log: Array<string> = []
    const backend = Effect.andThen(
      Effect.acquireRelease(Effect.sync(() => log.push("opened")), () => Effect.sync(() => log.push("closed"))),
      Effect.never
    )
    await expect(open(backend, { signal: AbortSignal.abort("no") })).rejects.toBe("no")
    expect(log).toEqual([])
    const controller = new AbortController()
    const opening = open(backend, { signal: controller.signal })
    controller.abort("enough")
    await expect(opening).rejects.toBe("enough")
    expect(log).toEqual(["opened", "closed"])
  })
})

describe("closing", () => {
  it("again is done when the first closing is", async () => {
    const gate = await Effect.runPromise(makeGate)
    const store = await open(Effect.succeed(gate.backend))
    const order: Array<string> = []
    const putting = store.kv("n").put("a", 1).then(() => order.push("flushed"))
    await Effect.runPromise(gate.arrived)
    const closing = [store.close(), store.close(), store[Symbol.asyncDispose]()]
    const closed = Promise.all(closing.map((each) => each.then(() => order.push("closed"))))
    await Effect.runPromise(gate.open())
    await Promise.all([putting, closed])
    expect(order).toEqual(["flushed", "closed", "closed", "closed"])
  })

  it("ends what runs, and what is started afterwards is refused", async () => {
    const store = await open("memory:")
    const run = store.runReadModel(Buyers)
    await store.close()
    expect(await run.ended).toBeUndefined()
    await expect(store.runReadModel(Buyers).ended).rejects.toMatchObject({ _tag: "Invalid", field: "store" })
  })

  it("flushes what waits, is done once, and refuses what comes after", async () => {
    const directory = mkdtempSync(join(tmpdir(), "persist-close-"))
    const store = await open(`sqlite:${join(directory, "app.db")}`)
    const kv = store.kv("n")
    const writing = [kv.put("a", 1), kv.put("b", 2)]
    const closing = [store.close(), store.close()]
    expect((await Promise.all(writing)).map(({ _tag }) => _tag)).toEqual(["Committed", "Committed"])
    await Promise.all(closing)
    await store.close()
    await store[Symbol.asyncDispose]()
    const closed = { _tag: "Invalid", field: "store" }
    await expect(kv.put("c", 3)).rejects.toMatchObject(closed)
    await expect(kv.get("a")).rejects.toMatchObject(closed)
    await expect(kv.scan().toArray()).rejects.toMatchObject(closed)
    await expect(store.head()).rejects.toMatchObject(closed)
    await expect(store.commit([kv.ops.put("d", 4)])).rejects.toMatchObject(closed)
    expect(readdirSync(directory), "the file was let go").toEqual(["app.db"])
    rmSync(directory, { recursive: true })
  })

  it("ends a loop whose page is on its way, without waiting for that", async () => {
    const memory = await Effect.runPromise(makeMemory())
    const arrived = Promise.withResolvers<void>()
    let slow = false
    const store = await open(Effect.succeed({
      ...memory,
      changed: (range: Parameters<typeof memory.changed>[0]) =>
        Effect.suspend(() => {
          if (!slow) return memory.changed(range)
          arrived.resolve()
          return Effect.never
        })
    }))
    const kv = store.kv("n")
    await kv.put("a", 1)
    const loop = kv.watch({ after: 0 })[Symbol.asyncIterator]()
    await loop.next()
    slow = true
    const pending = loop.next()
    await kv.put("b", 2)
    await arrived.promise
    await store.close()
    expect(await pending).toEqual({ done: true, value: undefined })
  })
})
