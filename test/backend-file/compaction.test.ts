/** Compaction: the space comes back, and nobody can tell by any answer. */
import { assert, describe, it } from "@effect/vitest"
import { settle } from "@persist/backend-file/config"
import type { Disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { openForWriting } from "@persist/backend-file/write-handle"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { warningsIn } from "../core/ledger.ts"
import { churn, expectedAfter, logBytes, segmentsOf, writeChurn } from "./churn.ts"
import { contents } from "./history.ts"
import { newPath } from "./place.ts"
import { unsynced } from "./power.ts"

const segmentBytes = 4096
const batches = 120

const open = (path: string, disk: Disk = unsynced, size = segmentBytes) =>
  openForWriting(disk, settle({ path, segmentBytes: size }))

/** Opens a store, waits until it's compacted, and tells what it holds. */
const compact = (path: string, disk?: Disk, size?: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { backend, compaction } = yield* open(path, disk, size)
    yield* compaction.round
    return yield* contents(backend)
  }))

/** Tells what a store holds, with nothing compacted. */
const look = (path: string) => Effect.scoped(Effect.flatMap(makeOn(unsynced, { path, readonly: true }), contents))

/** Writes and reads a store, and follows it, while it's compacted. */
const churnBeside = (path: string) =>
  Effect.scoped(Effect.gen(function*() {
    const { backend, compaction } = yield* open(path)
    const follower = yield* makeOn(unsynced, { path, readonly: true })
    const following = yield* Effect.forkChild(Effect.gen(function*() {
      let seen = 0
      for (let head = 0; head < 400; seen++) {
        const held = yield* contents(follower)
        assert.isAtLeast(held.head, head)
        head = held.head
        yield* Effect.yieldNow
      }
      return seen
    }))
    for (let n = 0; n < batches; n++) {
      yield* backend.commit(churn(n))
      yield* Effect.yieldNow
    }
    assert.isAbove(yield* Fiber.join(following), 3)
    const expected = yield* expectedAfter(batches)
    const busy = yield* Effect.forkChild(compaction.round)
    for (let n = 0; n < 4; n++) {
      assert.deepStrictEqual(yield* contents(follower), expected)
      assert.deepStrictEqual(yield* contents(backend), expected)
    }
    yield* Fiber.join(busy)
    assert.deepStrictEqual(yield* contents(follower), expected)
  }))

describe("compaction", () => {
  it.effect("gives back the space of what isn't needed, and changes no answer, not even of an index made anew", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const expected = yield* expectedAfter(batches)
      yield* writeChurn(path, batches, segmentBytes)
      const [before, files] = [logBytes(path), segmentsOf(path).length]
      assert.isAbove(files, 20)
      assert.deepStrictEqual(yield* look(path), expected)
      assert.deepStrictEqual(yield* compact(path), expected)
      assert.isBelow(logBytes(path), before * 0.6)
      assert.isBelow(segmentsOf(path).length, files * 0.7)
      assert.deepStrictEqual(yield* look(path), expected)
      rmSync(join(path, "index"), { recursive: true })
      assert.deepStrictEqual(yield* compact(path), expected)
      const settled = segmentsOf(path)
      assert.deepStrictEqual(yield* compact(path), expected)
      assert.deepStrictEqual(segmentsOf(path), settled)
    }))

  it.effect("makes one of several small segments", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* writeChurn(path, batches, 1024)
      const files = segmentsOf(path).length
      assert.isAbove(files, 60)
      assert.deepStrictEqual(yield* compact(path, unsynced, 1024 * 1024), yield* expectedAfter(batches))
      assert.isBelow(segmentsOf(path).length, 4)
    }))

  it.effect("that is asked again and again doesn't go in circles", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* writeChurn(path, 60, 2048)
      let asked = 0
      let ask: (() => void) | undefined
      const asking: Disk = {
        ...unsynced,
        // Each segment that is looked at is opened for it.
        size: (fd) => {
          if (ask !== undefined && asked++ < 40) ask()
          return unsynced.size(fd)
        }
      }
      const { value, warnings } = yield* warningsIn(Effect.scoped(Effect.gen(function*() {
        const { backend, compaction } = yield* open(path, asking, 1024 * 1024)
        ask = compaction.lookAtSome
        yield* compaction.round
        return yield* contents(backend)
      })))
      assert.deepStrictEqual(warnings, [])
      assert.isAbove(asked, 40)
      assert.deepStrictEqual(value, yield* expectedAfter(60))
      assert.isBelow(segmentsOf(path).length, 4)
    }))

  it.effect("goes on beside whoever writes and whoever follows, and is told by neither", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const { warnings } = yield* warningsIn(churnBeside(path))
      assert.deepStrictEqual(warnings, [])
      assert.isTrue(segmentsOf(path).some((name) => !name.endsWith("-0.log")))
    }), 60_000)

  it.effect("leaves a damaged segment as it is", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* writeChurn(path, batches, segmentBytes)
      const name = segmentsOf(path)[2] ?? assert.fail("too few segments")
      const bytes = readFileSync(join(path, "log", name))
      // A little behind the header and the frame's.
      bytes[200] = (bytes[200] ?? 0) ^ 1
      writeFileSync(join(path, "log", name), bytes)
      yield* Effect.scoped(Effect.flatMap(open(path), ({ compaction }) => compaction.round))
      assert.deepStrictEqual(readFileSync(join(path, "log", name)), bytes)
      assert.isTrue(segmentsOf(path).some((each) => !each.endsWith("-0.log")))
    }))

  it.effect("leaves everything as it is on a full disk", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* writeChurn(path, batches, segmentBytes)
      const before = segmentsOf(path)
      let full = false
      const limited: Disk = {
        ...unsynced,
        write: (fd, bytes, offset) => {
          if (full) throw Object.assign(new Error("no space"), { errno: -28, code: "ENOSPC" })
          unsynced.write(fd, bytes, offset)
        }
      }
      yield* Effect.scoped(Effect.gen(function*() {
        const { backend, compaction } = yield* open(path, limited)
        full = true
        yield* compaction.round
        assert.deepStrictEqual(yield* contents(backend), yield* expectedAfter(batches))
        full = false
      }))
      assert.deepStrictEqual(segmentsOf(path).slice(0, -1), before.slice(0, -1))
      assert.deepStrictEqual(yield* compact(path), yield* expectedAfter(batches))
      assert.notDeepEqual(segmentsOf(path), before)
    }))
})
