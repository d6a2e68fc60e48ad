/** A damaged index: who meets it is told what mends it, and that does; who reads meanwhile keeps what it had. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-file"
import { type Disk, disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { latestManifest } from "@persist/backend-file/manifest"
import { append, commit } from "@persist/conformance/given"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errorOf } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { newPath } from "./place.ts"

describe("a damaged block of the index", () => {
  const small = (path: string) => ({ path, segmentBytes: 1024 })
  const streams = (backend: BackendShape) =>
    Effect.map(backend.streams({ prefix: "", after: undefined, limit: 1000 }), (found) => found.length)

  // A store whose first run isn't what was written; answers its path.
  const damaged = Effect.gen(function*() {
    const path = yield* newPath
    yield* Effect.scoped(Effect.gen(function*() {
      const backend = yield* make(small(path))
      for (let n = 0; n < 60; n++) yield* backend.commit([commit({ append: [append(`s${n}`, "x".repeat(100))] })])
    }))
    const run = join(path, "index", latestManifest(disk, path)?.runs[0]?.file ?? "")
    const bytes = readFileSync(run)
    writeFileSync(run, bytes.with(40, (bytes[40] ?? 0) ^ 1))
    return { path, run }
  })

  it.effect("is told to who meets it, and mended by what that one is told to do", () =>
    Effect.gen(function*() {
      const { path, run } = yield* damaged
      const met = yield* errorOf(Effect.scoped(Effect.flatMap(make({ path, readonly: true }), streams)))
      assert.include(met.message, `remove ${run} and open the store again for writing`)
      rmSync(run)
      const { value, warnings } = yield* warningsIn(Effect.scoped(Effect.flatMap(make(small(path)), streams)))
      assert.strictEqual(value, 60)
      assert.match(warnings.join(), /The index of .* is made anew/)
      assert.strictEqual(yield* Effect.scoped(Effect.flatMap(make({ path, readonly: true }), streams)), 60)
    }))

  it.effect("has a writer who meets it stop, and the next opening makes the index anew", () =>
    Effect.gen(function*() {
      const { path } = yield* damaged
      assert.match((yield* errorOf(Effect.scoped(Effect.flatMap(make(small(path)), streams)))).message, /is damaged/)
      assert.strictEqual(yield* Effect.scoped(Effect.flatMap(make(small(path)), streams)), 60)
    }))

  it.effect("isn't paid for by who reads: the index before is kept, and who comes later is told to wait", () =>
    Effect.gen(function*() {
      const { path } = yield* damaged
      const scanned = new Set<string>()
      const noting: Disk = {
        ...disk,
        open: (file, access) => {
          if (/-0.log$/.test(file)) scanned.add(file)
          return disk.open(file, access)
        }
      }
      const reader = yield* makeOn(noting, { path, readonly: true })
      // Meets the damage, and stops.
      yield* errorOf(Effect.scoped(Effect.flatMap(make(small(path)), streams)))
      assert.deepStrictEqual(latestManifest(disk, path)?.runs, [])
      scanned.clear()
      assert.strictEqual(yield* reader.head, 60)
      assert.isAtMost(scanned.size, 1)
      const later = yield* errorOf(Effect.scoped(make({ path, readonly: true })))
      assert.match(later.message, /^open: the store's index was damaged and isn't made anew yet; try again once/)
      yield* Effect.scoped(make(small(path)))
      assert.strictEqual(yield* streams(reader), 60)
      assert.strictEqual(yield* streams(yield* make({ path, readonly: true })), 60)
    }))

  it.effect("is met by merging, and the next opening makes the index anew", () =>
    Effect.gen(function*() {
      const { path } = yield* damaged
      const { warnings } = yield* warningsIn(Effect.scoped(Effect.andThen(make(small(path)), Effect.yieldNow)))
      assert.match(warnings.join(), /could not be merged/)
      assert.deepStrictEqual(latestManifest(disk, path)?.runs, [])
      assert.strictEqual(yield* Effect.scoped(Effect.flatMap(make(small(path)), streams)), 60)
    }))
})
