/** A tree that is kept up to date: by one process at a time, through deletions and truncations, whatever ends it. */
import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Catalogue, open, ReadModel, Schema, type Store } from "persist"
import { type Exported, exportTree, followTree, importTree } from "persist/tree"
import { describe, expect, test } from "vitest"
import { makePlace } from "./place.ts"

/** Waits until a tree has come to where its store is, as the function that is told of each pass says. */
const makeWatch = () => {
  const waiting: Array<{ readonly position: number; readonly resolve: () => void }> = []
  let last = -1
  return {
    onExported: ({ position }: Exported) => {
      last = position
      for (const { position: wanted, resolve } of waiting) if (wanted <= last) resolve()
    },
    until: async (store: Store) => {
      const position = await store.head()
      if (last < position) await new Promise<void>((resolve) => waiting.push({ position, resolve }))
    }
  }
}

const fresh = async (store: Store) => {
  using place = makePlace()
  await exportTree(store, place.path)
  return place.files()
}

const event = { type: "T", data: 1 }

test("it is what a fresh export is after every change: deletions, clears and truncations too", async () => {
  await using store = await open("memory:")
  using place = makePlace()
  const watch = makeWatch()
  const running = followTree(store, place.path, { onExported: watch.onExported })
  const log = store.log()
  const kv = store.kv("a")
  const changes: ReadonlyArray<() => Promise<unknown>> = [
    () => kv.putMany([["x", 1], ["y/z", 2], ["b", new Uint8Array([1])]]),
    () => kv.put("x", new Uint8Array([2])),
    () => kv.put("x", 1, { meta: { by: "ada" } }),
    () => kv.delete("y/z"),
    () => log.append("s", Array.from({ length: 2500 }, () => event), { expected: 0 }),
    () => log.append("t", event, { expected: 0 }),
    () => log.truncate("s", 3),
    () => log.truncate("s", 1500),
    () => log.append("s", event, { expected: 2500 }),
    () => log.delete("s", { expected: "exists" }),
    () => log.append("s", event, { expected: 2501 }),
    () => log.truncate("t", 2),
    () => kv.clear(),
    () => store.kv("b").put("again", 1)
  ]
  for (const change of changes) {
    await change()
    await watch.until(store)
    expect(place.files()).toEqual(await fresh(store))
  }
  expect(readdirSync(join(place.path, "kv"))).toEqual([".gitattributes", "b"])
  await running.stop()
})

test("it goes on where it stopped, and touches nothing that hasn't changed", async () => {
  await using store = await open("memory:")
  await store.kv("a").putMany([["x", 1], ["y", 1]])
  await store.log().append("s", [event, event, event], { expected: 0 })
  await store.log().truncate("s", 2)
  using place = makePlace()
  await exportTree(store, place.path)
  place.write("kv/a/x.json", "edited")
  await store.kv("a").put("y", 2)
  expect(await exportTree(store, place.path)).toMatchObject({ written: 1, removed: 0 })
  expect(place.read("kv/a/x.json")).toBe("edited")
  await exportTree(store, place.path, { replace: true })
  expect(place.files()).toEqual(await fresh(store))
})

test("another process that begins to write a tree takes it over", async () => {
  await using store = await open("memory:")
  using place = makePlace()
  const [first, second] = [makeWatch(), makeWatch()]
  const one = followTree(store, place.path, { onExported: first.onExported })
  await first.until(store)
  const two = followTree(store, place.path, { onExported: second.onExported })
  await second.until(store)
  await store.kv("a").put("x", 1)
  expect(await one.ended).toMatchObject({ _tag: "Fenced", name: place.path })
  await second.until(store)
  expect(place.files()).toEqual(await fresh(store))
  await two.stop()
  expect(await two.ended).toBeUndefined()
})

test("a tree that somebody else has taken over is left, also where that one has written everything", async () => {
  await using store = await open("memory:")
  using place = makePlace()
  const [first, second] = [makeWatch(), makeWatch()]
  const overtaken = Promise.withResolvers<void>()
  const one = followTree(store, place.path, {
    onExported: async (done) => {
      first.onExported(done)
      await overtaken.promise
    }
  })
  await first.until(store)
  const two = followTree(store, place.path, { onExported: second.onExported })
  await second.until(store)
  await store.kv("a").put("x", 1)
  await second.until(store)
  overtaken.resolve()
  expect(await one.ended).toMatchObject({ _tag: "Fenced", name: place.path })
  await two.stop()
})

test("what is told of a pass may fail, and then so does the run", async () => {
  await using store = await open("memory:")
  using place = makePlace()
  const told = () => Promise.reject(new Error("no commit"))
  await expect(followTree(store, place.path, { onExported: told }).ended).rejects.toThrow("no commit")
})

test("closing the store ends it", async () => {
  const store = await open("memory:")
  using place = makePlace()
  const watch = makeWatch()
  const running = followTree(store, place.path, { onExported: watch.onExported })
  await watch.until(store)
  await store.close()
  expect(await running.ended).toBeUndefined()
})

test("the states of a read model are left out, and never imported over", async () => {
  const events = Catalogue.make({ T: Schema.Int })
  const definition = { name: "sum", version: 1, events, keys: () => "all", seed: 0, value: Schema.Int }
  const sum = ReadModel.make({ ...definition, step: (n: number, { data }) => n + data })
  await using store = await open("memory:")
  using place = makePlace()
  await store.log(events).append("s", { type: "T", data: 2 }, { expected: 0 })
  await exportTree(store, place.path)
  await store.catchUp(sum)
  await exportTree(store, place.path)
  expect(Object.keys(place.files()).filter((path) => path.includes("sum"))).toEqual([])
  mkdirSync(join(place.path, "kv", sum.namespace))
  place.write(`kv/${sum.namespace}/all.json`, "3")
  await expect(importTree(store, place.path)).rejects.toMatchObject({ _tag: "Invalid" })
  expect(await store.kv(sum).get("all")).toBe(2)
})

describe("the tree of another store", () => {
  test("is left alone, unless it's to be replaced", async () => {
    await using one = await open("memory:")
    await using other = await open("memory:")
    await one.kv("a").put("x", 1)
    await one.log().append("s", event, { expected: 0 })
    await other.kv("b").put("y", 1)
    using place = makePlace()
    await exportTree(one, place.path)
    const files = place.files()
    await expect(exportTree(other, place.path)).rejects.toMatchObject({ _tag: "Invalid", field: "directory" })
    expect(place.files()).toEqual(files)
    expect(await exportTree(other, place.path, { replace: true })).toMatchObject({ written: 1, removed: 2 })
    expect(place.files()).toEqual(await fresh(other))
  })
})
