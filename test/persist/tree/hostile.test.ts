/** Trees that somebody has tampered with, and file systems that refuse: nothing outside is touched, all is told. */
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { open, type Store } from "persist"
import { exportTree, importTree } from "persist/tree"
import { describe, expect, test } from "vitest"
import { contentsOf, makePlace, type Place } from "./place.ts"

const makeStore = async (): Promise<Store> => {
  const store = await open("memory:")
  await store.kv("settings").put("theme", "dark")
  await store.kv("settings").put("deep/down", 1)
  await store.log().append("order/1", { type: "Placed", data: 1 }, { expected: 0 })
  return store
}

/** Changes something of everything, so that an export has to write everywhere. */
const changeAll = async (store: Store): Promise<void> => {
  await store.kv("settings").put("theme", "light")
  await store.kv("settings").delete("deep/down")
  await store.log().append("order/1", { type: "Paid", data: 2 }, { expected: 1 })
}

describe("a symbolic link in a tree leads nowhere", () => {
  const links: ReadonlyArray<[string]> = [["kv"], ["kv/settings"], ["kv/settings/deep"], ["log/order"], [".persist"]]

  test.each(links)("%s, when it's exported to", async (path) => {
    await using store = await makeStore()
    using place = makePlace()
    using outside = makePlace()
    await exportTree(store, place.path)
    renameSync(join(place.path, path), join(outside.path, "moved"))
    symlinkSync(join(outside.path, "moved"), join(place.path, path))
    const before = outside.files()
    await changeAll(store)
    await expect(exportTree(store, place.path)).rejects.toMatchObject({ _tag: "Invalid", field: path })
    await expect(exportTree(store, place.path, { replace: true })).rejects.toMatchObject({ _tag: "Invalid" })
    expect(outside.files()).toEqual(before)
  })

  test.each([...links.slice(0, 4), ["kv/settings/theme.json"], ["log/order/1.ndjson"]])(
    "%s, when it's imported",
    async (path) => {
      await using store = await makeStore()
      using place = makePlace()
      using outside = makePlace()
      await exportTree(store, place.path)
      renameSync(join(place.path, path), join(outside.path, "moved"))
      symlinkSync(join(outside.path, "moved"), join(place.path, path))
      await using other = await open("memory:")
      await expect(importTree(other, place.path)).rejects.toMatchObject({ _tag: "Invalid", field: path })
      expect(await other.head()).toBe(0)
    }
  )

  test("in place of a file is itself replaced", async () => {
    await using store = await makeStore()
    using place = makePlace()
    using outside = makePlace()
    await exportTree(store, place.path)
    outside.write("secret", "kept")
    for (const path of ["kv/settings/theme.json", "log/order/1.ndjson"]) {
      rmSync(join(place.path, path))
      symlinkSync(join(outside.path, "secret"), join(place.path, path))
    }
    await changeAll(store)
    await exportTree(store, place.path)
    expect(place.read("kv/settings/theme.json")).toBe("\"light\"\n")
    expect(outside.read("secret")).toBe("kept")
  })
})

describe("what is in the way is named, and left alone", () => {
  const ways: ReadonlyArray<[string, string, (place: Place) => void]> = [
    ["a directory of somebody else's", "kv", (place) => mkdirSync(join(place.path, "kv"))],
    ["a file where directories belong", "kv", (place) => place.write("kv", "mine")],
    ["a file for the desk", ".persist", (place) => place.write(".persist", "mine")]
  ]

  test.each(ways)("%s", async (_, field, block) => {
    await using store = await makeStore()
    using place = makePlace()
    block(place)
    const before = place.files()
    await expect(exportTree(store, place.path)).rejects.toMatchObject({ _tag: "Invalid", field })
    expect(place.files()).toEqual(before)
  })

  test("within a tree", async () => {
    await using store = await makeStore()
    using place = makePlace()
    await exportTree(store, place.path)
    await changeAll(store)
    rmSync(join(place.path, "kv/settings/theme.json"))
    mkdirSync(join(place.path, "kv/settings/theme.json"))
    await expect(exportTree(store, place.path)).rejects.toMatchObject({
      _tag: "Invalid",
      field: "kv/settings/theme.json",
      remedy: expect.stringContaining("move it away")
    })
    rmSync(join(place.path, "kv/settings/theme.json"), { recursive: true })
    expect(await exportTree(store, place.path)).toMatchObject({ _tag: "Exported" })
  })

  test("a file for the tree itself, and no path at all", async () => {
    await using store = await makeStore()
    using place = makePlace()
    place.write("file", "")
    for (const path of [join(place.path, "file"), "", "a\0b"]) {
      await expect(exportTree(store, path)).rejects.toMatchObject({ _tag: "Invalid" })
    }
  })

  test("a pipe in a tree holds nobody up", async () => {
    await using store = await makeStore()
    using place = makePlace()
    await exportTree(store, place.path)
    execFileSync("mkfifo", [join(place.path, "kv/settings/pipe.json")])
    await expect(importTree(store, place.path)).rejects.toMatchObject({ field: "kv/settings/pipe.json" })
  })

  test("what lies beside a tree's directories is nobody's business", async () => {
    await using store = await makeStore()
    using place = makePlace()
    place.write("README.md", "about")
    mkdirSync(join(place.path, ".git"))
    writeFileSync(join(place.path, ".git/HEAD"), "ref")
    await exportTree(store, place.path)
    place.write("kv/.DS_Store", "")
    await exportTree(store, place.path, { replace: true })
    await using copy = await open("memory:")
    await importTree(copy, place.path)
    expect(await contentsOf(copy)).toEqual(await contentsOf(store))
    expect([place.read("README.md"), existsSync(join(place.path, ".git/HEAD"))]).toEqual(["about", true])
  })
})

const nobody = 65_534

/** Does something without the privileges that let root pass by permissions. */
const unprivileged = async <A>(work: () => Promise<A>): Promise<A> => {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

test("a directory that may not be written is Denied, and what may be is done when it may", async () => {
  await using store = await makeStore()
  using place = makePlace()
  await exportTree(store, place.path)
  await changeAll(store)
  chmodSync(place.path, 0o555)
  const before = place.files()
  const refused = await unprivileged(() => exportTree(store, place.path).catch((error) => error))
  expect(refused).toMatchObject({ _tag: "Denied", remedy: expect.stringContaining("allow it") })
  const unmade = await unprivileged(() => exportTree(store, join(place.path, "new")).catch((error) => error))
  expect(unmade).toMatchObject({ _tag: "Denied" })
  expect(place.files()).toEqual(before)
  expect(readdirSync(place.path)).not.toContain("new")
  chmodSync(place.path, 0o755)
  expect(await exportTree(store, place.path)).toMatchObject({ _tag: "Exported", written: 2 })
})
