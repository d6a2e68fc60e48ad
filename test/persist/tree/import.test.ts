/** What people edit in a tree, on its way back into the store: taken, or in conflict with what is there. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { open, type Store } from "persist"
import { exportTree, importTree } from "persist/tree"
import { describe, expect, test } from "vitest"
import { contentsOf, makePlace, type Place } from "./place.ts"
import { exported, order, shipped, theme } from "./sample.ts"

describe("what was edited", () => {
  test("is put and appended in one commit, and nothing else is touched", async () => {
    await using at = await exported()
    const { place, store } = at
    place.edit(theme, (text) => text.replace("teal", "plum"))
    place.edit("kv/settings/size,entry.json", (text) => text.replace("20", "21").replace("ada", "eve"))
    place.write("kv/icons/logo.bin", new Uint8Array([1]))
    place.write("kv/settings/new.json", "\ufeff[1,\r\n2]\r\n")
    place.edit(order, (text) => text + shipped)
    const head = await store.head()
    const dry = await importTree(store, place.path, { dryRun: true })
    expect(dry).toEqual({ _tag: "Imported", puts: 4, deletes: 0, events: 1, unchanged: 2, commits: 0 })
    expect(await store.head()).toBe(head)
    expect(await importTree(store, place.path)).toEqual({ ...dry, commits: 1 })
    expect(await store.head()).toBe(head + 5)
    const settings = store.kv("settings")
    expect(await settings.get("theme")).toEqual({ dark: true, accent: "plum" })
    expect(await settings.entry("size")).toMatchObject({ value: 21, meta: { by: "eve" } })
    expect(await settings.get("new")).toEqual([1, 2])
    expect(await store.kv("icons").get("logo")).toEqual(new Uint8Array([1]))
    expect((await store.log().read("order/1").toArray()).at(-1)).toMatchObject({ type: "Shipped", seq: 3 })
    expect(await importTree(store, place.path)).toMatchObject({ puts: 0, events: 0, commits: 0 })
    await exportTree(store, place.path)
    expect(place.read("kv/settings/new.json")).toBe("[\n  1,\n  2\n]\n")
    expect(place.read(order).split("\n")[2]).toContain(`"position":${head + 1}`)
  })

  test("may be a part of the tree: a file that isn't there says nothing", async () => {
    await using at = await exported()
    const { place, store } = at
    rmSync(join(place.path, "log"), { recursive: true })
    rmSync(join(place.path, "kv/icons"), { recursive: true })
    place.edit(theme, (text) => text.replace("teal", "plum"))
    expect(await importTree(store, place.path)).toMatchObject({ puts: 1, deletes: 0, events: 0 })
    expect(await store.kv("icons").get("logo")).toBeDefined()
  })

  test("with delete, a removed file deletes its key, unless that was written since", async () => {
    await using at = await exported()
    const { place, store } = at
    await store.kv("settings").put("later", 1)
    await store.kv("icons").put("logo", "changed")
    rmSync(join(place.path, theme))
    rmSync(join(place.path, "kv/icons"), { recursive: true })
    expect(await importTree(store, place.path, { delete: true })).toMatchObject({ puts: 0, deletes: 1 })
    expect(await store.kv("settings").scan().toArray()).toMatchObject([{ key: "later" }, { key: "size" }])
    expect(await store.kv("icons").get("logo")).toBe("changed")
  })

  test("a tree made by hand is one", async () => {
    await using store = await open("memory:")
    using place = makePlace()
    mkdirSync(join(place.path, "kv/settings"), { recursive: true })
    place.write("persist-tree.json", `{"format":"persist tree","version":1}`)
    place.write(theme, "1")
    expect(await importTree(store, place.path)).toMatchObject({ puts: 1 })
    place.write(theme, "2")
    expect(await importTree(store, place.path)).toMatchObject({ _tag: "Conflicts" })
    await expect(exportTree(store, place.path)).rejects.toMatchObject({ _tag: "Invalid", field: "directory" })
  })
})

describe("a conflict", () => {
  const conflicts: ReadonlyArray<[string, string, (store: Store) => Promise<unknown>, (place: Place) => void]> = [
    [
      "a value changed on both sides",
      theme,
      (store) => store.kv("settings").put("theme", 0),
      (place) => place.edit(theme, (text) => text.replace("teal", "plum"))
    ],
    [
      "an edited value that was deleted",
      theme,
      (store) => store.kv("settings").delete("theme"),
      (place) => place.edit(theme, (text) => text.replace("teal", "plum"))
    ],
    [
      "a namespace that was cleared",
      "kv/icons/logo.bin",
      (store) => store.kv("icons").clear(),
      (place) => place.write("kv/icons/logo.bin", "x")
    ],
    [
      "a key that was made on both sides",
      "kv/n/k.json",
      (store) => store.kv("n").put("k", 1),
      (place) => {
        mkdirSync(join(place.path, "kv/n"))
        place.write("kv/n/k.json", "2\n")
      }
    ],
    [
      "an event appended on both sides",
      `${order}:3`,
      (store) => store.log().append("order/1", { type: "Cancelled", data: null }, { expected: 2 }),
      (place) => place.edit(order, (text) => text + shipped)
    ]
  ]

  test.each(conflicts)("%s is refused whole, and named", async (_, path, change, edit) => {
    await using at = await exported()
    const { place, store } = at
    await change(store)
    edit(place)
    place.write("kv/settings/other.json", "1")
    const before = await contentsOf(store)
    expect(await importTree(store, place.path)).toMatchObject({ _tag: "Conflicts", conflicts: [{ path }], commits: 0 })
    expect(await contentsOf(store)).toEqual(before)
  })

  test.each(conflicts.slice(0, 4))("%s is the tree's with overwrite", async (_, path, change, edit) => {
    await using at = await exported()
    const { place, store } = at
    await change(store)
    edit(place)
    expect(await importTree(store, place.path, { overwrite: true })).toMatchObject({ _tag: "Imported" })
    const content = place.files()[path]
    await exportTree(store, place.path)
    expect(place.files()[path]).toBe(content)
    expect(await importTree(store, place.path)).toMatchObject({ puts: 0 })
  })

  test("with another store is about what differs, and its deletions can't be told", async () => {
    await using at = await exported()
    await using other = await open("memory:")
    await importTree(other, at.place.path)
    await other.kv("settings").put("theme", 0)
    expect(await importTree(other, at.place.path)).toMatchObject({ _tag: "Conflicts", conflicts: [{ path: theme }] })
    await expect(importTree(other, at.place.path, { delete: true })).rejects.toMatchObject({ field: "delete" })
  })
})

test("the order of events across streams comes back, thousands of them, in commits that fit", async () => {
  await using store = await open("memory:")
  const log = store.log()
  for (let n = 0; n < 60; n++) {
    const events = Array.from({ length: 60 }, (_, i) => ({ type: "T", data: [n, i], at: n }))
    await log.append(`s/${n * 7 % 3}`, events, { expected: "any" })
  }
  await log.truncate("s/1", 1100)
  await log.delete("s/2", { expected: "exists" })
  await log.append("s/2", { type: "T", data: "again", at: 1 }, { expected: "exists" })
  using place = makePlace()
  await exportTree(store, place.path)
  const { make } = await import("@persist/backend-memory")
  await using copy = await open(make({ limits: { commitEvents: 500, commitBytes: 2000 } }))
  expect(await importTree(copy, place.path)).toMatchObject({ _tag: "Imported" })
  expect(await contentsOf(copy)).toEqual(await contentsOf(store))
})
