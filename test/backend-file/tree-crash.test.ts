/** Seals and merges that are stopped between any two file operations: what is found is the tree as it was announced. */
import { assert, describe, it } from "@effect/vitest"
import type { Disk } from "@persist/backend-file/disk"
import { type Key, keyOf } from "@persist/backend-file/key"
import { openTree } from "@persist/backend-file/tree/open-tree"
import type { RunsChange } from "@persist/backend-file/tree/tree"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { directory } from "./place.ts"
import { makePower, unsynced } from "./power.ts"
import { entriesOf, type Expected, expectedOf, valueOf } from "./tree-place.ts"

const nothing: RunsChange = { runs: [], through: 0 }

const read = (place: string): RunsChange => {
  const path = join(place, "manifest")
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : nothing
}

/** Replaces the manifest as a store does: durable when it returns. */
const write = (on: Disk, place: string, change: RunsChange): void => {
  const draft = join(place, "manifest.tmp")
  on.remove(draft)
  const fd = on.create(draft)
  on.write(fd, Buffer.from(JSON.stringify(change)), 0)
  on.sync(fd)
  on.close(fd)
  on.rename(draft, join(place, "manifest"))
  on.syncDirectory(place)
}

/** What the tree holds after each seal: some keys written again and again, some deleted. */
const history: ReadonlyArray<Expected> = Array.from({ length: 10 }, (_, seals) => {
  const held = new Map<Key, string>()
  for (let seal = 1; seal <= seals; seal++) {
    for (let n = 0; n < 30; n++) held.set(keyOf("E", `s${n % 3}`, seal + n), `${seal}`)
    held.delete(keyOf("E", "s0", seal))
    held.set(keyOf("K", "same"), `${seal}`)
  }
  return held
})

const last = history.length - 1

/** Writes the seals that are missing up to one of them. */
const writeHistory = Effect.fnUntraced(
  function*(on: Disk, place: string, to: number, announced: (through: number) => void) {
    on.makeDirectory(join(place, "index"))
    on.syncDirectory(place)
    const tree = yield* openTree({
      directory: join(place, "index"),
      disk: on,
      ...read(place),
      announce: (change) => {
        write(on, place, change)
        announced(change.through)
      }
    })
    for (let seal = read(place).through + 1; seal <= to; seal++) {
      for (let n = 0; n < 30; n++) tree.put(keyOf("E", `s${n % 3}`, seal + n), valueOf(`${seal}`))
      tree.delete(keyOf("E", "s0", seal))
      tree.put(keyOf("K", "same"), valueOf(`${seal}`))
      tree.seal(seal)
      yield* tree.settled
    }
  },
  Effect.scoped
)

/** Opens what was left, and goes on with the history, on a disk that works. */
const recover = Effect.fnUntraced(function*(place: string, acknowledged: number) {
  const { runs, through } = read(place)
  assert.isAtLeast(through, acknowledged)
  const expected = history[through] ?? assert.fail(`sealed ${through}`)
  mkdirSync(join(place, "index"), { recursive: true })
  yield* Effect.scoped(Effect.gen(function*() {
    const tree = yield* openTree({
      directory: join(place, "index"),
      disk: unsynced,
      runs,
      through,
      announce: () => assert.fail("a change")
    })
    assert.strictEqual(JSON.stringify(entriesOf(tree)), JSON.stringify(expectedOf(expected)))
    const files = readdirSync(join(place, "index"))
    assert.deepStrictEqual(files.sort(), runs.map(({ file }) => file).sort())
  }))
  const next = Math.min(through + 1, last)
  yield* writeHistory(unsynced, place, next, () => undefined)
  assert.strictEqual(read(place).through, next)
})

/** The chances of a fixed, random-looking sequence. */
const coin = (seed: number) => {
  let state = seed
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    return (state & 0x10000) === 0
  }
}

describe("a tree that is stopped", () => {
  const losses = [
    ["as by a kill", () => false],
    ["as by a loss of power, everything that wasn't made durable lost", () => true],
    ["as by a loss of power, some of it lost", undefined]
  ] as const

  it.effect.each(losses)(
    "between any two file operations, %s: is as it was announced",
    ([, chance]) =>
      Effect.gen(function*() {
        let operation = 1
        for (let stopped = true; stopped; operation++) {
          const power = makePower()
          power.stopAt(operation)
          const place = yield* directory
          let acknowledged = 0
          const exit = yield* Effect.exit(writeHistory(power.disk, place, last, (through) => {
            acknowledged = through
          }))
          stopped = power.count() >= operation
          assert.strictEqual(exit._tag, stopped ? "Failure" : "Success")
          power.lose(chance ?? coin(operation))
          yield* Effect.scoped(recover(place, acknowledged))
        }
        // Each seal takes some ten operations, a merge as many.
        assert.isAbove(operation, 90)
      }),
    60_000
  )
})
