/** What goes wrong beside a tree's owner: nothing is lost by it, it's told to whoever waits, and tried again. */
import { assert, describe, it } from "@effect/vitest"
import { type Disk, disk } from "@persist/backend-file/disk"
import { classify } from "@persist/backend-file/error"
import { keyOf } from "@persist/backend-file/key"
import { openTree } from "@persist/backend-file/tree/open-tree"
import { DamagedRun, DiskFault } from "@persist/backend-file/tree/tree"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { systemError } from "./faults.ts"
import { unsynced } from "./power.ts"
import { entriesOf, newPlace, open, valueOf } from "./tree-place.ts"

const key = keyOf("K", "a")

/** A disk whose writes fail as long as it's full. */
const makeFull = () => {
  const state = { full: true }
  const refuse = (): void => {
    if (state.full) throw Object.assign(new Error("no space"), { code: "ENOSPC" })
  }
  const limited: Disk = {
    ...unsynced,
    write: (fd, bytes, offset) => {
      refuse()
      disk.write(fd, bytes, offset)
    }
  }
  return { state, limited }
}

describe("a tree on a full disk", () => {
  it.effect("keeps what was sealed in memory, and writes it once there is space", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const { limited, state } = makeFull()
      const tree = yield* open(place, limited)
      tree.put(key, valueOf("1"))
      tree.seal(1)
      const fault = yield* Effect.flip(tree.sealed)
      assert.instanceOf(fault, DiskFault)
      assert.propertyVal(fault.cause, "code", "ENOSPC")
      assert.deepStrictEqual(readdirSync(place.directory), [])
      assert.deepStrictEqual(entriesOf(tree), [[key, "1"]])
      assert.instanceOf(yield* Effect.flip(tree.settled), DiskFault)
      state.full = false
      yield* tree.sealed
      assert.strictEqual(place.change.through, 1)
      assert.deepStrictEqual(entriesOf(tree), [[key, "1"]])
    }))
})

describe("a tree that is closed", () => {
  it.effect("while somebody waits for what was sealed: it's told so", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const writing = yield* Deferred.make<void>()
      const slow: Disk = {
        ...unsynced,
        syncBeside: () => Effect.andThen(Deferred.succeed(writing, undefined), Effect.never)
      }
      const scope = yield* Scope.make()
      const tree = yield* Scope.provide(open(place, slow), scope)
      tree.put(key, valueOf("1"))
      tree.seal(1)
      const waiting = yield* Effect.forkChild(Effect.flip(tree.sealed))
      yield* Deferred.await(writing)
      yield* Scope.close(scope, Exit.void)
      const fault = yield* Fiber.join(waiting)
      assert.match(classify("commit", place.directory, fault).message, /^commit: the store is closed; open it again$/)
    }))
})

describe("a tree whose owner can't take a change", () => {
  it.effect("removes nothing, answers as before, and asks again", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const refused = { seal: 0, merge: 0 }
      const tree = yield* openTree({
        directory: place.directory,
        disk: unsynced,
        ...place.change,
        announce: (change) => {
          // It may get there all the same, as a manifest does whose directory could not be synced.
          place.change = change
          const what = change.runs.length === 1 && change.through === 8 ? "merge" : "seal"
          if (change.through === 8 && refused[what]++ === 0) throw new Error(`can't take the ${what}`)
        }
      })
      for (let n = 1; n <= 8; n++) {
        tree.put(key, valueOf(`${n}`))
        tree.seal(n)
      }
      assert.instanceOf(yield* Effect.flip(tree.sealed), DiskFault)
      assert.deepStrictEqual(entriesOf(tree), [[key, "8"]])
      assert.strictEqual(place.change.runs.length, 8)
      for (const { file } of place.change.runs) assert.include(readdirSync(place.directory), file)
      yield* tree.sealed
      assert.instanceOf(yield* Effect.flip(tree.settled), DiskFault)
      assert.strictEqual(place.change.runs.length, 1)
      // The eight runs before the merge, its result, and the eighth as it was announced first.
      assert.strictEqual(readdirSync(place.directory).length, 10)
      yield* tree.settled
      assert.deepStrictEqual(refused, { seal: 2, merge: 2 })
      assert.strictEqual(place.change.runs.length, 1)
      assert.deepStrictEqual(entriesOf(tree), [[key, "8"]])
    }))
})

describe("a tree whose run can't be read", () => {
  it.effect("isn't opened, and leaves no file open", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      yield* Effect.scoped(Effect.gen(function*() {
        const tree = yield* open(place, unsynced)
        tree.put(key, valueOf("1"))
        tree.seal(1)
        yield* tree.sealed
      }))
      const opened = new Set<number>()
      const failing: Disk = {
        ...unsynced,
        open: (path, access) => {
          const fd = disk.open(path, access)
          opened.add(fd)
          return fd
        },
        read: () => {
          throw systemError("EIO", "read")
        },
        close: (fd) => {
          opened.delete(fd)
          disk.close(fd)
        }
      }
      assert.instanceOf(yield* Effect.flip(open(place, failing)), DiskFault)
      assert.deepStrictEqual([...opened], [])
    }))
})

describe("a tree with a damaged run", () => {
  it.effect("merges it with no other, and goes on sealing", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const tree = yield* open(place, unsynced)
      tree.put(key, valueOf("1"))
      tree.seal(1)
      yield* tree.sealed
      const path = join(place.directory, place.change.runs[0]?.file ?? "")
      const bytes = readFileSync(path)
      bytes[3] = (bytes[3] ?? 0) ^ 1
      writeFileSync(path, bytes)
      for (let n = 2; n <= 9; n++) {
        tree.put(keyOf("K", "b"), valueOf(`${n}`))
        tree.seal(n)
        yield* tree.sealed
      }
      const fault = yield* Effect.flip(tree.settled)
      assert.instanceOf(fault, DamagedRun)
      assert.strictEqual(fault.path, path)
      assert.deepStrictEqual([place.change.runs.length, place.change.through], [9, 9])
      assert.strictEqual(Buffer.from(tree.get(keyOf("K", "b")) ?? "").toString(), "9")
      assert.throws(() => tree.get(key), DamagedRun)
    }))
})
