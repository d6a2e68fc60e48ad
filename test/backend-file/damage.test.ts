/** Bytes that aren't what was written: whatever is flipped, an answer is right or it's an error that names the place. */
import { assert, describe, it } from "@effect/vitest"
import { type Disk, disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { append, commit } from "@persist/conformance/given"
import { isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readdirSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import { contents, history } from "./history.ts"
import { newPath } from "./place.ts"
import { unsynced } from "./power.ts"

/** A disk on which one byte of one file reads as another. */
const flipped = (path: string, byte: number, mask: number): Disk => {
  const fds = new Set<number>()
  return {
    ...unsynced,
    open: (at, access) => {
      const fd = disk.open(at, access)
      if (at === path) fds.add(fd)
      return fd
    },
    close: (fd) => {
      fds.delete(fd)
      disk.close(fd)
    },
    read: (fd, into, offset) => {
      const count = disk.read(fd, into, offset)
      const at = byte - offset
      if (fds.has(fd) && at >= 0 && at < count) into[at] = (into[at] ?? 0) ^ mask
      return count
    }
  }
}

const filesOf = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name))
    .filter((file) => statSync(file).isFile()).toSorted()

/** A store of several segments and runs, and an open one. */
const written = Effect.gen(function*() {
  const path = yield* newPath
  const truth = yield* Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeOn(unsynced, { path, segmentBytes: 1024 })
    for (const batch of history) yield* backend.commit(batch)
    for (let n = 0; n < 2; n++) yield* backend.commit([commit({ append: [append("many", `${n}`)] })])
    return yield* contents(backend)
  }))
  return { path, truth, files: filesOf(path).filter((file) => !file.includes("/lock/")) }
})

const reading = (on: Disk, path: string) =>
  Effect.exit(Effect.scoped(Effect.flatMap(makeOn(on, { path, readonly: true }), contents)))

describe("a flipped bit", () => {
  it.effect("in any byte of any file: never another answer", () =>
    Effect.gen(function*() {
      const { files, path, truth } = yield* written
      const noticed = new Map<string, number>()
      for (const file of files) {
        const name = relative(path, file)
        // Every byte of a run is flipped where the index is tested.
        const step = name.startsWith("index") ? 7 : 1
        for (let byte = 0; byte < statSync(file).size; byte += step) {
          const exit = yield* reading(flipped(file, byte, 1 << byte % 8), path)
          if (Exit.isSuccess(exit)) {
            assert.deepStrictEqual(exit.value, truth, `byte ${byte} of ${name}`)
            continue
          }
          const error = Exit.findErrorOption(exit)
          const failure = error._tag === "Some" ? error.value : exit.cause
          assert.isTrue(isStoreError(failure), `byte ${byte} of ${name}: ${String(failure)}`)
          assert.include(String(failure), file)
          noticed.set(name, (noticed.get(name) ?? 0) + 1)
        }
      }
      // What no read comes by is found by verifying: headers and hashes of frames, of which records have their own.
      assert.strictEqual(files.length, 5)
      for (const file of files) {
        assert.isAbove(noticed.get(relative(path, file)) ?? 0, statSync(file).size * 0.1, relative(path, file))
      }
    }), 120_000)
})
