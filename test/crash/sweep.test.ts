/** What kill -9 and a loss of power leave of every store in files, at every system call there is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { SceneName } from "./child/script.ts"
import { momentsOf } from "./moments.ts"
import { neededShim } from "./shim.ts"
import { everyEnding, inTurn, sweep } from "./sweep.ts"
import { sqlite, targetsInFiles } from "./target.ts"

const patience = 300_000
const scenes: ReadonlyArray<SceneName> = ["commit", "group", "keys", "mixture", "model", "snapshot", "compaction"]
const cases = targetsInFiles.map((target) => ({ target, name: target.name }))

describe("killed or without power", () => {
  it.live.each(cases)(
    "$name: at every system call from a store's creation to its closing",
    ({ target }, context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const { files } = yield* target.place
        const moments = yield* momentsOf({ files, library, name: "s", scenes })
        const { counts, found } = yield* sweep(files, moments, inTurn)
        assert.deepStrictEqual(found, [])
        for (const scene of ["opening", ...scenes]) assert.isAbove(counts.get(scene) ?? 0, 1, scene)
      }),
    patience
  )

  it.live.each(cases)(
    "$name: at every system call after a crash, with what was shown in between",
    ({ target }, context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const { files } = yield* target.place
        const moments = yield* momentsOf({ files, library, name: "s", scenes: ["commit", "group"] })
        // Everything is written, and nothing of it is synced.
        const from = moments.find(({ call, scene }) => scene === "group" && call?.name.endsWith("sync") === true)
        assert.isDefined(from)
        const { files: again } = yield* target.place
        const after = yield* momentsOf({ files: again, library, name: "r", scenes: ["read", "commit", "read"], from })
        const { counts, found } = yield* sweep(again, after, inTurn)
        assert.deepStrictEqual(found, [])
        assert.isAbove(counts.get("commit") ?? 0, 1)
      }),
    patience
  )
})

describe("a store that doesn't sync", () => {
  it.live(
    "is found to lose what it acknowledged when the power goes, and to keep it when it's killed",
    (context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const { files } = yield* sqlite.place
        const careless = { ...files, urlIn: (directory: string) => `${files.urlIn(directory)}?synchronous=NORMAL` }
        const moments = yield* momentsOf({ files: careless, library, name: "s", scenes: ["commit", "commit"] })
        const { found } = yield* sweep(careless, moments.slice(-40), everyEnding)
        assert.include(found.map(({ kind }) => kind), "lost")
        for (const { when } of found) assert.include(when, "Unpowered")
      }),
    patience
  )
})
