/** Losses of power on a real file system, where the machine lets tests mount one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { losePower, powerLossFault } from "./power-loss.ts"
import { neededShim } from "./shim.ts"
import { fileInPieces, sqlite, type TargetInFiles } from "./target.ts"

const patience = 300_000

const careless: TargetInFiles = {
  ...sqlite,
  place: Effect.map(sqlite.place, ({ files, ...place }) => ({
    ...place,
    files: { ...files, urlIn: (directory: string) => `${files.urlIn(directory)}?synchronous=NORMAL` }
  }))
}

describe("the power goes while a store is written to", () => {
  const cases = [
    { target: sqlite, name: "sqlite", loses: false },
    { target: fileInPieces, name: "file in pieces", loses: false },
    { target: careless, name: "sqlite that doesn't sync", loses: true }
  ]
  it.live.each(cases)(
    "$name: what it acknowledged is lost: $loses",
    ({ loses, target }, context) =>
      Effect.gen(function*() {
        const library = yield* neededShim(context)
        const fault = powerLossFault()
        // Few machines that run tests let them mount anything, not even in CI.
        if (fault !== undefined) return context.skip(fault)
        const { copies, found } = yield* losePower(target, { library, seed: "1", copies: 4 })
        assert.strictEqual(copies, 4)
        if (loses) assert.include(found.map(({ kind }) => kind), "lost")
        else assert.deepStrictEqual(found, [])
      }),
    patience
  )
})
