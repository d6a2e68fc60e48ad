/** A tree whose writing stops anywhere: every file is whole, and the next run makes it what it should be. */
import { open, type Store } from "persist"
import { exportTree } from "persist/tree"
import { expect, test } from "vitest"
import { failFrom } from "./failing-files.ts"
import { makePlace, type Place } from "./place.ts"

const event = { type: "T", data: { text: "some of it" } }

/** A store, the tree of what it held before, and what has changed since. */
const prepare = async () => {
  const store = await open("memory:")
  const [log, kv] = [store.log(), store.kv("a")]
  await kv.putMany([["x", 1], ["y/z", 2], ["w", 3]])
  await store.kv("b").put("only", 1)
  await log.append("s", Array.from({ length: 1002 }, () => event), { expected: 0 })
  await log.append("t", [event, event], { expected: 0 })
  const place = makePlace()
  await exportTree(store, place.path)
  const before = place.files()
  await kv.putMany([["x", 10], ["new/deep", 11]])
  await kv.put("w", new Uint8Array([1]))
  await kv.delete("y/z")
  await store.kv("b").clear()
  await log.append("s", event, { expected: 1002 })
  await log.truncate("s", 1001)
  await log.delete("t", { expected: "exists" })
  using fresh = makePlace()
  await exportTree(store, fresh.path)
  return { store, place, before, after: fresh.files() }
}

const stopEverywhere = async (
  { after, before, place, store }: Awaited<ReturnType<typeof prepare>>,
  write: (store: Store, place: Place) => Promise<unknown>,
  code: string
): Promise<number> => {
  let stops = 0
  for (let call = 1;; call++) {
    using copy = place.copy()
    const failed = await stopped(call, code, () => write(store, copy))
    if (failed === undefined) break
    stops++
    expect(failed).toMatchObject({ _tag: "Unavailable", remedy: expect.stringContaining("run it again") })
    for (const [path, content] of Object.entries(copy.files())) {
      // The marker says in between that the tree isn't whole.
      if (path !== "persist-tree.json") expect([before[path], after[path]], `${path} at ${call}`).toContain(content)
    }
    await write(store, copy)
    expect(copy.files(), `stopped at ${call}`).toEqual(after)
  }
  return stops
}

const stopped = async (call: number, code: string, work: () => Promise<unknown>): Promise<unknown> => {
  using _ = failFrom(call, code)
  return await work().then(() => undefined, (error: unknown) => error)
}

test.each(["EIO", "ENOSPC"])("brought up to date, %s at any call", async (code) => {
  const prepared = await prepare()
  const stops = await stopEverywhere(prepared, (store, place) => exportTree(store, place.path), code)
  expect(stops).toBeGreaterThan(30)
  prepared.place[Symbol.dispose]()
  await prepared.store.close()
})

test("written anew, stopped at any call", async () => {
  const prepared = await prepare()
  const replace = (store: Store, place: Place) => exportTree(store, place.path, { replace: true })
  const stops = await stopEverywhere(prepared, replace, "EIO")
  expect(stops).toBeGreaterThan(30)
  prepared.place[Symbol.dispose]()
  await prepared.store.close()
})

test("begun and stopped, it is begun again by whoever exports next, and whole then", async () => {
  const { after, place, store } = await prepare()
  place[Symbol.dispose]()
  let stops = 0
  for (let call = 1;; call++) {
    using made = makePlace()
    if (await stopped(call, "EIO", () => exportTree(store, made.path)) === undefined) break
    stops++
    await exportTree(store, made.path)
    expect(made.files(), `stopped at ${call}`).toEqual(after)
  }
  expect(stops).toBeGreaterThan(20)
  await store.close()
})
