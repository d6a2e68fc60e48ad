/** Stores answer random commands as the plain model does, and as each other; a store with a bug is found out. */
import {
  agreesWithModel,
  differential,
  Differs,
  gapped,
  lacking,
  protocolMutants,
  tinyPages,
  wrapped,
  yielding
} from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { smallSegments } from "../backend-file/fixture.ts"
import { file } from "../backend-sqlite/fixture.ts"
import { kept, memory } from "./stores.ts"

describe("random commands are answered as by the model", () => {
  const right = [
    memory,
    kept,
    wrapped(kept, gapped, tinyPages(2), yielding),
    wrapped(kept, lacking("truncate"), lacking("resolve"), lacking("bytes"), lacking("changed"))
  ]
  for (const fixture of right) {
    it(`of ${fixture.name}`, async () => {
      expect(await Effect.runPromise(agreesWithModel(fixture, { runs: 200 }))).toBeUndefined()
    })
  }

  for (const fixture of [file, smallSegments]) {
    it(`of ${fixture.name}`, async () => {
      expect(await Effect.runPromise(agreesWithModel(fixture, { runs: 30 }))).toBeUndefined()
    })
  }
})

for (const fixture of [file, smallSegments]) {
  it(`memory and ${fixture.name} answer random commands alike`, async () => {
    expect(await Effect.runPromise(differential(memory, fixture, { runs: 30 }))).toBeUndefined()
  })
}

describe("random commands find a planted bug, and few of them show it", () => {
  const planted = [
    "0 means any",
    "always absent",
    "digests are ignored",
    "seqs from zero",
    "sorted streams",
    "stops at a conflict",
    "the end is excluded",
    "types in part",
    "deleted at 0",
    "by UTF-16",
    "deletions are no changes",
    "one too many",
    "always from 1",
    "JSON anew",
    "truncations aren't saved",
    "ids in memory"
  ]
  for (const { bug, plant } of protocolMutants.filter((mutant) => planted.includes(mutant.name))) {
    it(`of a store that ${bug}`, async () => {
      const find = Effect.flip(agreesWithModel(plant(kept), { runs: 500, seed: 1 }))
      const found = await Effect.runPromise(find)
      expect(found).toBeInstanceOf(Differs)
      const commands = found instanceof Differs ? found.commands : []
      expect(commands.length).toBeGreaterThan(0)
      expect(commands.length).toBeLessThanOrEqual(4)
      // The same seed finds the same again, down to the last command.
      expect(await Effect.runPromise(find)).toMatchObject({ commands })
    })
  }

  it("of every bug that is named here", () => {
    const names = new Set(protocolMutants.map(({ name }) => name))
    expect(planted.filter((name) => !names.has(name))).toEqual([])
  })
})
