/** What a loss of power leaves, call by call. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { makeDice } from "./dice.ts"
import { Remains, writeRemainder } from "./remains.ts"
import { newDirectory } from "./target.ts"

const world = Effect.gen(function*() {
  const directory = yield* newDirectory
  const remains = new Remains(directory)
  return {
    path: (name: string) => join(directory, name),
    sync: (path: string) => remains.onCall({ name: "fsync", length: -1, offset: -1, path, to: undefined }),
    /** Every file that is left, with its content. */
    left: (seed?: string) =>
      Effect.gen(function*() {
        const [image, to] = [yield* newDirectory, yield* newDirectory]
        cpSync(directory, image, { recursive: true })
        writeRemainder(remains.at(image), to, seed === undefined ? undefined : makeDice(seed))
        const names = readdirSync(to, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
        return Object.fromEntries(
          names.map(({ name, parentPath }) => {
            const full = join(parentPath, name)
            return [full.slice(to.length + 1), readFileSync(full, "latin1")]
          })
        )
      })
  }
})

describe("what the power leaves", () => {
  it.effect("is the content that was synced, under the names that were", () =>
    Effect.gen(function*() {
      const { left, path, sync } = yield* world
      writeFileSync(path("a"), "one")
      assert.deepStrictEqual(yield* left(), {})
      sync("a")
      assert.deepStrictEqual(yield* left(), {})
      sync(".")
      appendFileSync(path("a"), " two")
      writeFileSync(path("b"), "b")
      assert.deepStrictEqual(yield* left(), { a: "one" })
      sync(".")
      assert.deepStrictEqual(yield* left(), { a: "one", b: "" })
      sync("b")
      renameSync(path("a"), path("c"))
      rmSync(path("b"))
      assert.deepStrictEqual(yield* left(), { a: "one", b: "b" })
      sync("c")
      assert.deepStrictEqual(yield* left(), { a: "one two", b: "b" })
      sync(".")
      assert.deepStrictEqual(yield* left(), { c: "one two" })
    }))

  it.effect("is nothing of a directory whose name wasn't synced", () =>
    Effect.gen(function*() {
      const { left, path, sync } = yield* world
      mkdirSync(path("inner"))
      writeFileSync(path("inner/a"), "one")
      sync("inner/a")
      sync("inner")
      assert.deepStrictEqual(yield* left(), {})
      sync(".")
      assert.deepStrictEqual(yield* left(), { "inner/a": "one" })
    }))

  it.effect("may be any sectors and names that weren't synced", () =>
    Effect.gen(function*() {
      const { left, path, sync } = yield* world
      writeFileSync(path("a"), "x".repeat(2000))
      sync("a")
      sync(".")
      writeFileSync(path("a"), "y".repeat(2000))
      writeFileSync(path("b"), "b")
      const found = yield* Effect.forEach(Array.from({ length: 60 }, (_, n) => `${n}`), left)
      const mixtures = new Set(found.map(({ a = "" }) => a.replaceAll(/(.)\1*/g, "$1")))
      for (const one of ["x", "y", "xy", "yx", "xyx"]) assert.include([...mixtures], one)
      assert.deepStrictEqual(new Set(found.map(({ b }) => b)), new Set([undefined, "", "\0", "b"]))
    }))
})
