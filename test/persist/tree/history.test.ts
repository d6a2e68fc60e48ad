/** A real history through a tree: 38,945 events of 1,681 streams, with their order among each other. */
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { open } from "persist"
import { exportTree, importTree } from "persist/tree"
import { expect, test } from "vitest"
import { contentsOf, makePlace } from "./place.ts"

const history = new URL("../../../examples/data/repository-history.ndjson.gz", import.meta.url)

test("the repository's history comes through a tree as it was, in its order", { timeout: 90_000 }, async () => {
  const lines = gunzipSync(readFileSync(history)).toString().trimEnd().split("\n").map((line) => JSON.parse(line))
  await using store = await open("memory:")
  const log = store.log()
  const appended = lines.map(({ at, data, stream, type }) =>
    log.append(stream, { type, data, at: Date.parse(at) }, { expected: "any" })
  )
  await Promise.all(appended)
  using place = makePlace()
  expect(await exportTree(store, place.path)).toMatchObject({ written: 1694, removed: 0 })
  await using copy = await open("memory:")
  expect(await importTree(copy, place.path)).toMatchObject({ events: 38_945, unchanged: 0 })
  expect((await contentsOf(copy)).events).toEqual((await contentsOf(store)).events)
  await store.log().append("module/lsm", { type: "Noted", data: 1 }, { expected: "any" })
  expect(await exportTree(store, place.path)).toMatchObject({ written: 1 })
})
