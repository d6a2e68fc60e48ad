/** Runs that aren't what was written: each is told as damage, and never answers wrongly. */
import { assert, describe, it } from "@effect/vitest"
import { disk } from "@persist/backend-file/disk"
import { type Key, keyOf } from "@persist/backend-file/key"
import { openView } from "@persist/backend-file/tree/open-tree"
import { DamagedRun, type RunInfo, type TreeView } from "@persist/backend-file/tree/tree"
import * as Effect from "effect/Effect"
import { closeSync, copyFileSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { entriesOf, type Listed, newPlace, open, valueOf } from "./tree-place.ts"

const keys = Array.from({ length: 160 }, (_, n) => keyOf("E", `stream-${n % 7}`, n)).sort()
// So many keys apart are those that are asked for by themselves.
const every = 40
const absent = Array.from({ length: 2 }, (_, n) => keyOf("E", `stream-${n % 7}`, 1000 + n))

/** A tree of one run in several blocks, its values marked. */
const oneRun = Effect.fnUntraced(function*(mark: string, of: ReadonlyArray<Key> = keys) {
  const place = yield* newPlace
  yield* Effect.scoped(Effect.gen(function*() {
    const tree = yield* open(place)
    for (const key of of) tree.put(key, valueOf(mark + key.length))
    tree.seal(1)
    yield* tree.sealed
  }))
  return { place, path: join(place.directory, place.change.runs[0]?.file ?? "") }
})

const viewOf = ({ change, directory }: Listed, runs: ReadonlyArray<RunInfo> = change.runs): TreeView =>
  openView({ directory, disk, runs })

/** What a use answers, or "damaged" where it throws that; anything else it throws fails the test. */
const orDamaged = <A>(use: () => A): A | "damaged" => {
  try {
    return use()
  } catch (cause) {
    if (cause instanceof DamagedRun) return "damaged"
    throw cause
  }
}

/** Asks everything of a run; how many of the answers were that it's damaged. Any other must be right. */
const interrogate = (place: Listed, expected: ReadonlyArray<readonly [string, string]>): number => {
  const view = orDamaged(() => viewOf(place))
  if (view === "damaged") return 1
  let damaged = 0
  const ask = (use: () => unknown, right: unknown): void => {
    const answer = orDamaged(use)
    if (answer === "damaged") damaged++
    else if (answer !== right) assert.deepStrictEqual(answer, right)
  }
  ask(() => JSON.stringify(entriesOf(view)), JSON.stringify(expected))
  for (let n = 0; n < keys.length; n += every) ask(() => textOf(view, keys[n] ?? keyOf("E")), expected[n]?.[1])
  for (const key of absent) ask(() => textOf(view, key), undefined)
  view.close()
  return damaged
}

const textOf = (view: TreeView, key: Key): string | undefined => {
  const value = view.get(key)
  return value === undefined ? undefined : Buffer.from(value).toString()
}

describe("a run", () => {
  it.effect(
    "with any one byte flipped is damaged where that is read, and right everywhere else",
    () =>
      Effect.gen(function*() {
        const { path, place } = yield* oneRun("v")
        const whole = readFileSync(path)
        const expected = entriesOf(viewOf(place))
        assert.strictEqual(expected.length, keys.length)
        assert.strictEqual(interrogate(place, expected), 0)
        const fd = openSync(path, "r+")
        for (let at = 0; at < whole.byteLength; at++) {
          const byte = whole[at] ?? 0
          writeSync(fd, Uint8Array.of(byte ^ (1 << (at % 8))), 0, 1, at)
          if (interrogate(place, expected) === 0) assert.fail(`byte ${at} may be anything`)
          writeSync(fd, Uint8Array.of(byte), 0, 1, at)
        }
        closeSync(fd)
        assert.strictEqual(interrogate(place, expected), 0)
      }),
    60_000
  )

  it.effect("cut anywhere, grown, or missing is damaged", () =>
    Effect.gen(function*() {
      const { path, place } = yield* oneRun("v")
      const whole = readFileSync(path)
      for (let length = whole.byteLength - 1; length > 0; length -= 97) {
        truncateSync(path, length)
        assert.throws(() => viewOf(place), DamagedRun, `has ${length} bytes`)
      }
      writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]))
      assert.throws(() => viewOf(place), DamagedRun)
      const [info = assert.fail("no run")] = place.change.runs
      const elsewhere = { ...info, file: "0000000042.run" }
      const error = yield* Effect.flip(Effect.scoped(open({ ...place, change: { runs: [elsewhere], through: 1 } })))
      assert.instanceOf(error, DamagedRun)
      assert.isTrue(error.missing)
    }))

  it.effect("in the place of another is damaged, whole or in part", () =>
    Effect.gen(function*() {
      const { path, place } = yield* oneRun("v")
      const other = yield* oneRun("w")
      const expected = entriesOf(viewOf(place))
      const [own, foreign] = [readFileSync(path), readFileSync(other.path)]
      assert.strictEqual(own.byteLength, foreign.byteLength)
      copyFileSync(other.path, path)
      assert.throws(() => viewOf(place), DamagedRun, "another run's")
      // Its blocks, under this run's footer.
      const footer = own.byteLength - 64
      writeFileSync(path, Buffer.concat([foreign.subarray(0, footer), own.subarray(footer)]))
      assert.strictEqual(interrogate(place, expected), 1 + keys.length / every + absent.length)
    }))

  it.effect("whose parts have changed places is damaged", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 4000 }, (_, n) => keyOf("S", `stream-${n}`))
      const { path, place } = yield* oneRun("v", many)
      const bytes = readFileSync(path)
      const [pages, from] = [bytes.byteLength - 64 - 2 * 4096, bytes.byteLength - 64]
      const swapped = [bytes.subarray(pages + 4096, from), bytes.subarray(pages, pages + 4096)]
      writeFileSync(path, Buffer.concat([bytes.subarray(0, pages), ...swapped, bytes.subarray(from)]))
      const view = viewOf(place)
      let damaged = 0
      for (const key of many) {
        const answer = orDamaged(() => textOf(view, key))
        if (answer === "damaged") damaged++
        else assert.strictEqual(answer, `v${key.length}`)
      }
      assert.isAbove(damaged, 1000)
    }))
})
