/** What kill -9 and a loss of power leave of every store in files, at every system call there is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { openUrl } from "persist/effect"
import { contents } from "../backend-sqlite/place.ts"
import { sampleContents, sampleHead } from "../backend-sqlite/sample.ts"
import { breach } from "./breach.ts"
import type { SceneName } from "./child/script.ts"
import { momentsOf } from "./moments.ts"
import { type Call, neededShim } from "./shim.ts"
import { everyEnding, inTurn, sweep } from "./sweep.ts"
import { fileInPieces, sqlite } from "./target.ts"

const patience = 300_000
const scenes: ReadonlyArray<SceneName> = ["commit", "group", "keys", "mixture", "model", "snapshot", "compaction"]
const cases = [sqlite, fileInPieces].map((target) => ({ target, name: target.name }))

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

describe("SQLite", () => {
  it.live(
    "moves its write-ahead log into the file: killed or without power on the way",
    (context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const { files } = yield* sqlite.place
        // The log has grown past four thousand pages by then, each of which is a write.
        const at = (call: Call, nth: number) => call.path.endsWith(".db") && (call.name !== "write" || nth % 600 === 0)
        const moments = yield* momentsOf({ files, library, name: "s", scenes: ["keys", "bulk", "commit"], at })
        const { counts, found } = yield* sweep(files, moments, inTurn)
        assert.deepStrictEqual(found, [])
        assert.isAbove(counts.get("bulk") ?? 0, 5)
      }),
    patience
  )

  it.live(
    "migrates a file of an older format: killed or without power on the way",
    (context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const { files } = yield* sqlite.place
        copyFileSync(join(import.meta.dirname, "../backend-sqlite/format/v1.db"), join(files.directory, "app.db"))
        const moments = yield* momentsOf({ files, library, name: "s", scenes: [] })
        const { counts, found } = yield* sweep(files, moments, everyEnding, (url) =>
          Effect.scoped(Effect.flatMap(openUrl(url), contents)).pipe(
            Effect.catch((error) =>
              Effect.succeed(error)
            ),
            Effect.map((actual) =>
              isDeepStrictEqual(actual, sampleContents(sampleHead)) ? [] : [
                breach("altered", JSON.stringify(actual))
              ]
            )
          ))
        assert.deepStrictEqual(found, [])
        assert.isAbove(counts.get("opening") ?? 0, 50)
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
        const { found } = yield* sweep(careless, moments.slice(-24), everyEnding)
        assert.include(found.map(({ kind }) => kind), "lost")
        for (const { when } of found) assert.include(when, "Unpowered")
      }),
    patience
  )
})
