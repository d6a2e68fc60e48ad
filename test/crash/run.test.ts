/** Every durable store under random faults: what it acknowledged is there, in order, once, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Bug } from "./bug.ts"
import { postgres, replicatedPostgres } from "./postgres.ts"
import { run } from "./run.ts"
import { neededShim } from "./shim.ts"
import { fileInPieces, sqlite, type Target } from "./target.ts"

const patience = 300_000

describe("a store whose processes are killed and whose disk fails", () => {
  const cases: ReadonlyArray<{ readonly target: Target; readonly name: string; readonly rounds: number }> = [
    { target: sqlite, name: "sqlite", rounds: 5 },
    { target: fileInPieces, name: "file in pieces", rounds: 5 },
    { target: postgres, name: "postgres, with its server and the network", rounds: 2 },
    { target: replicatedPostgres, name: "postgres, with a standby that takes its place", rounds: 2 }
  ]
  it.live.each(cases)("$name keeps its word", ({ rounds, target }, context) =>
    Effect.gen(function*() {
      const library = yield* neededShim(context)
      const { acknowledged, breaches, kills, looks, pages } = yield* run({ target, seed: "1", library, rounds })
      assert.deepStrictEqual(breaches, [])
      assert.isAbove(acknowledged, 50)
      assert.isAbove(kills, 0)
      assert.isAbove(looks, 2)
      assert.isAbove(pages, 0)
    }), patience)
})

describe("a store that breaks its word on purpose", () => {
  const bugs: ReadonlyArray<readonly [bug: Bug, kind: string]> = [
    ["early", "lost"],
    ["halves", "duplicated"],
    ["forgetful", "duplicated"]
  ]
  it.live.each(bugs)("%s: is found out", ([bug, kind]) =>
    Effect.gen(function*() {
      const { breaches } = yield* run({
        target: { ...sqlite, writers: 1 },
        seed: "1",
        library: undefined,
        rounds: 3,
        bug
      })
      assert.include([...new Set(breaches.map((one) => one.kind))], kind)
    }), patience)
})
