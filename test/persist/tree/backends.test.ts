/** A tree carries what a store holds from any backend to any other. */
import { make as makeFile } from "@persist/backend-file"
import { make as makeMemory } from "@persist/backend-memory"
import { make as makePostgres } from "@persist/backend-postgres"
import { make as makeSqlite } from "@persist/backend-sqlite"
import { appendRaw, type BackendShape, makeStore, putRaw, type StoreError, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exportTree, importTree } from "persist/effect/tree"
import { expect, test, vi } from "vitest"
import { atOnce } from "../../backend-minimal/functions.ts"
import { using } from "../../backend-minimal/store.ts"
import { schemaIn, sharedPostgres } from "../../servers/postgres.ts"
import { contentsOf, makePlace, withoutPlaces } from "./place.ts"

// A server is started for it.
vi.setConfig({ testTimeout: 60_000 })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-tree-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const backends: ReadonlyArray<Effect.Effect<BackendShape, StoreError, Scope>> = [
  makeMemory(),
  Effect.flatMap(directory, (path) => makeSqlite({ path: join(path, "app.db") })),
  Effect.flatMap(directory, (path) => makeFile({ path: join(path, "data") })),
  Effect.flatMap(
    sharedPostgres,
    ({ url }) => Effect.flatMap(schemaIn(url), (schema) => makePostgres({ url, schema }))
  ),
  makeMemory()
]

const event = { type: "T", data: `{"a":1.0}`, at: 1, meta: `{"by":"ada"}`, id: "e" }

const fill = (store: StoreShape) =>
  Effect.gen(function*() {
    const entry = { namespace: "N/n", key: "users/@alice", value: "12345678901234567890", meta: `{"by":"ada"}` }
    yield* store.commit([putRaw(entry, { expected: "absent" })])
    yield* store.commit([
      putRaw({ ...entry, key: "\0", value: new Uint8Array([0, 255]), meta: undefined }, { expected: "any" })
    ])
    yield* store.commit([appendRaw("s", Array.from({ length: 1001 }, () => event), { expected: 0 })])
    yield* store.commit([appendRaw("t/1", [event, { ...event, data: new Uint8Array([1]) }], { expected: 0 })])
    yield* store.commit([appendRaw("s", [event], { expected: 1001 })])
    yield* store.log().truncate("s", 1000)
    yield* store.log().delete("t/1", { expected: 2 })
    // One that is whole.
    yield* store.commit([appendRaw("u", [event], { expected: 0 })])
  })

test("from one to the next, it's all there, and the tree of each is the tree of the first", () =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const [first, ...others] = yield* Effect.forEach(
      backends,
      (backend) => Effect.flatMap(backend, (one) => makeStore(one))
    )
    if (first === undefined) return yield* Effect.die("there is none")
    yield* fill(first)
    const contents = yield* Effect.promise(() => contentsOf(first))
    let before = first
    let files: unknown
    for (const store of [...others, first]) {
      using place = makePlace()
      yield* exportTree(before, place.path)
      files ??= withoutPlaces(place.files())
      expect(withoutPlaces(place.files())).toEqual(files)
      expect(yield* importTree(store, place.path)).toMatchObject({ _tag: "Imported" })
      expect(yield* Effect.promise(() => contentsOf(store))).toEqual(contents)
      before = store
    }
    expect(contents.events).toHaveLength(4)
  }))))

test("a store that can't list what it holds says so, and no tree is begun", () =>
  using(atOnce(), (store) =>
    Effect.gen(function*() {
      yield* store.kv("n").put("k", 1)
      using place = makePlace()
      expect(yield* Effect.flip(exportTree(store, place.path))).toMatchObject({ _tag: "Unsupported" })
      expect(readdirSync(place.path)).toEqual([])
    })))
