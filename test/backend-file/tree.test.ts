/** The index's tree: found through many levels, opened cheaply, and the same whatever goes on beside. */
import { assert, describe, it } from "@effect/vitest"
import { disk } from "@persist/backend-file/disk"
import { everyKey, type Key, keyOf } from "@persist/backend-file/key"
import { openView } from "@persist/backend-file/tree/open-tree"
import { DamagedRun } from "@persist/backend-file/tree/tree"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { unsynced } from "./power.ts"
import { entriesOf, newPlace, numbered, open, valueOf } from "./tree-place.ts"

describe("a tree", () => {
  it.effect("finds each of many keys through several levels of blocks, and none that isn't there", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const keys = numbered("E", 20_000)
      const tree = yield* open(place)
      for (const each of keys) tree.put(each, valueOf(each))
      tree.seal(1)
      yield* tree.settled
      assert.isAtLeast(place.change.runs[0]?.bytes ?? 0, 500_000)
      for (const each of keys) {
        const found = Buffer.from(tree.get(each) ?? "").toString()
        if (found !== each) assert.strictEqual(found, each)
      }
      for (let n = 0; n < 1000; n++) assert.isUndefined(tree.get(keyOf("E", `stream-${n % 7}`, 20_000 + n)))
      const sorted = [...keys].sort()
      const keysOf = (reverse: boolean) => Array.from(tree.range({ ...everyKey, reverse }), (entry) => entry.key).join()
      assert.isTrue(keysOf(false) === sorted.join())
      assert.isTrue(keysOf(true) === sorted.toReversed().join())
      for (let n = 0; n < 20_000; n += 997) {
        const bounds = { gte: sorted[n] ?? keyOf("E"), lt: keyOf("F") }
        assert.deepStrictEqual([...tree.range(bounds)].slice(0, 3).map((entry) => entry.key), sorted.slice(n, n + 3))
        const [before] = tree.range({ gte: keyOf("A"), lt: bounds.gte, reverse: true })
        assert.strictEqual(before?.key, sorted[n - 1])
      }
    }))

  it.effect("has ever fewer blocks on each level, however long its keys are", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const longest = "\0".repeat(1024)
      const keys = Array.from({ length: 50 }, (_, n) => keyOf("K", longest, longest.slice(n))).sort()
      let left = 1024 * 1024
      const small: typeof disk = {
        ...unsynced,
        write: (fd, bytes, offset) => {
          left -= bytes.byteLength
          if (left < 0) throw new Error("the run grows and grows")
          disk.write(fd, bytes, offset)
        }
      }
      const tree = yield* open(place, small)
      for (const each of keys) tree.put(each, valueOf("value"))
      tree.seal(1)
      yield* tree.sealed
      assert.deepStrictEqual(Array.from(tree.range(everyKey), ({ key }) => key), keys)
      for (const each of keys) assert.isDefined(tree.get(each))
    }))

  it.effect("opens by the ends of its runs alone", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const first = yield* Scope.make()
      const tree = yield* Scope.provide(open(place), first)
      for (let n = 0; n < 3; n++) {
        for (const each of numbered(`${n}`, 10_000)) tree.put(each, valueOf("value"))
        tree.seal(n)
      }
      yield* tree.settled
      yield* Scope.close(first, Exit.void)
      let read = 0
      const counting: typeof disk = {
        ...disk,
        read: (fd, into, offset) => {
          read += into.byteLength
          return disk.read(fd, into, offset)
        }
      }
      const again = yield* open(place, counting)
      assert.isBelow(read, 1000)
      assert.isDefined(again.get(keyOf("1", "stream-1", 1)))
      // A page of a filter, and a block of each level, and no more.
      assert.isBelow(read, 40_000)
    }))

  it.effect("answers the same before, while and after what was sealed is written", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const tree = yield* open(place)
      const [a, b, c] = [keyOf("K", "a"), keyOf("K", "b"), keyOf("K", "c")]
      tree.put(a, valueOf("1"))
      tree.put(b, valueOf("1"))
      tree.seal(1)
      tree.put(b, valueOf("2"))
      tree.delete(a)
      tree.seal(2)
      tree.put(c, valueOf("3"))
      const expected: ReadonlyArray<readonly [Key, string]> = [[b, "2"], [c, "3"]]
      assert.deepStrictEqual(entriesOf(tree), expected)
      assert.isUndefined(tree.get(a))
      yield* tree.sealed
      assert.strictEqual(place.change.through, 2)
      assert.deepStrictEqual(entriesOf(tree), expected)
      assert.isUndefined(tree.get(a))
    }))

  it.effect("refuses to go on with a range after a change", () =>
    Effect.gen(function*() {
      const tree = yield* open(yield* newPlace)
      for (const each of numbered("E", 10)) tree.put(each, valueOf("v"))
      const entries = tree.range(everyKey)[Symbol.iterator]()
      assert.isFalse(entries.next().done)
      tree.seal(1)
      assert.throws(() => entries.next(), "the tree has changed since this range was begun")
    }))

  it.effect("forgets deletions with the oldest runs, and a run that nothing is left in", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const tree = yield* open(place)
      const keys = numbered("E", 100)
      for (let n = 0; n < 8; n++) {
        for (const each of keys) {
          if (n % 2 === 0) tree.put(each, valueOf("v"))
          else tree.delete(each)
        }
        tree.seal(n)
      }
      yield* tree.settled
      assert.deepStrictEqual(place.change, { runs: [], through: 7 })
      assert.deepStrictEqual(readdirSync(place.directory), [])
      assert.deepStrictEqual(entriesOf(tree), [])
    }))

  it.effect("keeps deletions as long as an older run tells of their keys", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const tree = yield* open(place, unsynced)
      const [gone, other] = [keyOf("K", "gone"), keyOf("K", "other")]
      tree.put(gone, valueOf("1"))
      // Large enough not to be merged with the small ones.
      tree.put(keyOf("K", "large"), new Uint8Array(2_000_000))
      tree.seal(0)
      tree.delete(gone)
      for (let n = 1; n <= 8; n++) {
        tree.put(other, valueOf(`${n}`))
        tree.seal(n)
      }
      yield* tree.settled
      assert.strictEqual(place.change.runs.length, 2)
      assert.isUndefined(tree.get(gone))
      assert.deepStrictEqual(Array.from(tree.range(everyKey), ({ key }) => key), [keyOf("K", "large"), other])
    }))

  it.effect("removes files of runs that no list names when it's opened", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      writeFileSync(join(place.directory, "0000000001.run"), "left behind")
      const tree = yield* open(place)
      tree.put(keyOf("K", "a"), valueOf("1"))
      tree.seal(1)
      yield* tree.settled
      assert.deepStrictEqual(readdirSync(place.directory), place.change.runs.map(({ file }) => file))
      assert.strictEqual(place.change.runs.length, 1)
    }))

  it.effect("that was closed while it wrote a run has lost the run alone, and answers no more", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const scope = yield* Scope.make()
      const tree = yield* Scope.provide(open(place), scope)
      for (const each of numbered("E", 30_000)) tree.put(each, valueOf("v"))
      tree.seal(1)
      // It has begun by then, and isn't done in one slice.
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      assert.strictEqual(readdirSync(place.directory).length, 1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(readdirSync(place.directory), [])
      assert.throws(() => tree.get(keyOf("E", "stream-1", 1)), "the tree is closed")
      assert.throws(() => tree.put(keyOf("E", "stream-1", 1), valueOf("v")), "the tree is closed")
      assert.throws(() => [...tree.range(everyKey)], "the tree is closed")
      assert.strictEqual(place.change.through, 0)
    }))
})

describe("a view of another process's tree", () => {
  it.effect("goes from list to list, with a memtable of its own", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const tree = yield* open(place)
      const [a, b] = [keyOf("K", "a"), keyOf("K", "b")]
      tree.put(a, valueOf("1"))
      tree.seal(1)
      yield* tree.sealed
      const older = place.change
      const view = openView({ directory: place.directory, disk, runs: older.runs })
      view.put(b, valueOf("mine"))
      assert.deepStrictEqual(entriesOf(view), [[a, "1"], [b, "mine"]])
      for (let n = 2; n < 10; n++) {
        tree.put(a, valueOf(`${n}`))
        tree.seal(n)
      }
      yield* tree.settled
      // The runs that it was opened with are merged and gone, and yet it reads them.
      assert.isFalse(readdirSync(place.directory).includes(older.runs[0]?.file ?? ""))
      assert.deepStrictEqual(entriesOf(view), [[a, "1"], [b, "mine"]])
      const missing = { ...place.change.runs[0] ?? assert.fail("no run"), file: "0000000099.run" }
      assert.throws(() => view.reload([missing]), DamagedRun, "missing")
      assert.deepStrictEqual(entriesOf(view), [[a, "1"], [b, "mine"]])
      view.reload(place.change.runs)
      assert.deepStrictEqual(entriesOf(view), [[a, "9"]])
      view.close()
      assert.throws(() => view.get(a), "the tree is closed")
    }))
})
