/** The format: kept stores of every one are read as they were written, and the page that describes it is right. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-file"
import { verify } from "@persist/backend-file"
import { currentFormat } from "@persist/backend-file/log/segment"
import { make as makeMemory } from "@persist/backend-memory"
import { append, commit } from "@persist/conformance/given"
import * as Effect from "effect/Effect"
import { cpSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readStore } from "./format/reader.ts"
import { sampleSessions } from "./format/sample.ts"
import { contents, ids } from "./history.ts"
import { newPath, visit } from "./place.ts"

const formats = Array.from({ length: currentFormat }, (_, i) => i + 1)
const keptAt = (format: number): string => fileURLToPath(new URL(`format/v${format}`, import.meta.url))

/** A copy of the kept store of a format. */
const kept = (format: number) =>
  Effect.tap(newPath, (path) => Effect.sync(() => cpSync(keptAt(format), path, { recursive: true })))

const expected = Effect.gen(function*() {
  const memory = yield* makeMemory()
  for (const batch of sampleSessions.flat()) yield* memory.commit(batch)
  return yield* contents(memory)
})

describe("a store of an older format", () => {
  it.effect.each(formats)("format %d holds what it held, and takes more", (format) =>
    Effect.gen(function*() {
      const path = yield* kept(format)
      const held = yield* expected
      const reader = yield* make({ path, readonly: true })
      assert.deepStrictEqual(yield* contents(reader), held)
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* contents(backend), held)
          const [more] = yield* backend.commit([commit({ append: [append("a", "more")] })])
          assert.strictEqual(more._tag === "Committed" && Number(more.appended[0]?.first), 5)
        }))
      assert.deepStrictEqual((yield* verify(path)).damages, [])
      assert.strictEqual(yield* reader.head, held.head + 1)
    }))
})

describe("docs/format.md", () => {
  it.effect("tells enough for another reader to find the same", () =>
    Effect.gen(function*() {
      const { entries, events, head } = yield* expected
      const told = readStore(keptAt(currentFormat))
      assert.deepStrictEqual(told.events, events.items.map(({ position, seq, stream }) => ({ position, stream, seq })))
      assert.deepStrictEqual(told.data, events.items.map(({ data }) => data))
      assert.deepStrictEqual(
        new Map(told.keys),
        new Map(entries.flat().map(({ key, namespace, value }) => [`${namespace}/${key}`, value]))
      )
      assert.deepStrictEqual(told.ids, ids)
      assert.strictEqual(told.head, head)
    }))
})
