/** Compaction that is stopped between any two file operations, or by a stopped handle: nothing is lost by it. */
import { assert, describe, it } from "@effect/vitest"
import { settle } from "@persist/backend-file/config"
import type { Disk } from "@persist/backend-file/disk"
import { latestManifest } from "@persist/backend-file/manifest"
import { openForWriting } from "@persist/backend-file/write-handle"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { churn, expectedAfter, segmentsOf, writeChurn } from "./churn.ts"
import { contents } from "./history.ts"
import { breakLock, directory, newPath } from "./place.ts"
import { makePower, unsynced } from "./power.ts"

const segmentBytes = 4096
const batches = 30

const compact = (path: string, disk: Disk) =>
  Effect.scoped(Effect.gen(function*() {
    const { backend, compaction } = yield* openForWriting(disk, settle({ path, segmentBytes }))
    yield* compaction.round
    return yield* contents(backend)
  }))

// By turns lost and not, another way for each stop.
const byTurns = (seed: number): () => boolean => {
  let n = seed
  return () => (n = (n * 1103515245 + 12345) % 2 ** 31) % 2 === 0
}

describe("compaction that is stopped", () => {
  const losses: ReadonlyArray<readonly [name: string, chance: (stop: number) => () => boolean]> = [
    ["as by kill -9", () => () => false],
    ["as by a loss of power, all lost that wasn't made durable", () => () => true],
    ["as by a loss of power, some of that lost", byTurns]
  ]
  it.effect.each(losses)(
    "between any two file operations, %s: all is there, and it's done the next time",
    ([, chance]) =>
      Effect.gen(function*() {
        const from = yield* newPath
        yield* writeChurn(from, batches, segmentBytes)
        const expected = JSON.stringify(yield* expectedAfter(batches))
        const seen = new Set<string>()
        for (let stop = 1;; stop++) {
          const path = join(yield* directory, "data")
          cpSync(from, path, { recursive: true })
          const power = makePower()
          const exit = yield* Effect.exit(Effect.scoped(Effect.gen(function*() {
            const { compaction } = yield* openForWriting(power.disk, settle({ path, segmentBytes }))
            const last = power.count() + stop
            power.stopAt(last)
            yield* Effect.exit(compaction.round)
            if (power.count() < last) return "done"
          })))
          power.lose(chance(stop))
          breakLock(path)
          seen.add(segmentsOf(path).join())
          assert.strictEqual(JSON.stringify(yield* compact(path, unsynced)), expected, `stopped at operation ${stop}`)
          const listed = latestManifest(unsynced, path) ?? assert.fail("no manifest")
          assert.strictEqual(segmentsOf(path).length, listed.sealed.length + 1)
          if (Exit.isSuccess(exit) && exit.value === "done") break
        }
        // It was stopped before, between and after its changes.
        assert.isAbove(seen.size, 2)
      }),
    60_000
  )

  it.effect("by a flush that fails meanwhile replaces nothing: its handle may believe what the disk doesn't hold", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* writeChurn(path, batches, segmentBytes)
      let fails = false
      let meanwhile: Effect.Effect<void> = Effect.void
      const broken: Disk = {
        ...unsynced,
        sync: () => {
          if (fails) throw Object.assign(new Error("broken"), { errno: -5, code: "EIO" })
        },
        syncBeside: () => Effect.suspend(() => meanwhile)
      }
      const before = segmentsOf(path)
      const outcomes: Array<string> = []
      yield* Effect.scoped(Effect.gen(function*() {
        const { backend, compaction } = yield* openForWriting(broken, settle({ path, segmentBytes }))
        // What is needed is written anew by then, and about to take the place of the rest.
        meanwhile = Effect.gen(function*() {
          fails = true
          outcomes.push((yield* Effect.orDie(Effect.flip(backend.commit(churn(batches)))))._tag)
          fails = false
        })
        yield* compaction.round
      }))
      assert.deepStrictEqual(outcomes, ["OutcomeUnknown"])
      assert.deepStrictEqual(segmentsOf(path).slice(0, -1), before.slice(0, -1))
    }))
})
