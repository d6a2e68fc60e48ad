/** Bytes that aren't what was written: an answer is right, or it's an error that names the place. */
import { assert, describe, it } from "@effect/vitest"
import type { Disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { statSync } from "node:fs"
import { relative } from "node:path"
import { flipped, written } from "./flipped.ts"
import { contents } from "./history.ts"

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
        // Of the manifest there's another copy.
        if (relative(path, file).startsWith("manifest")) continue
        assert.isAbove(noticed.get(relative(path, file)) ?? 0, statSync(file).size * 0.1, relative(path, file))
      }
    }), 120_000)
})
