/** The kit proves itself at the level of stores: every law has a mutant, which breaks exactly what it names. */
import { type Core, type Fixture, protocolLaws, run, storeLaws, storeMutants, through } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { idle, kept } from "./stores.ts"
import { inTurns } from "./turns.ts"

const repeated = (names: ReadonlyArray<string>) => names.filter((name, i) => names.indexOf(name) !== i)

const ask = (fixture: Fixture, core?: Core) =>
  Effect.runPromise(inTurns(run(fixture, through(core, storeLaws), { concurrency: 1 })))

describe("the laws of stores", () => {
  it("have different names, among themselves and from the protocol's", () => {
    expect(repeated([...protocolLaws, ...storeLaws].map(({ name }) => name))).toEqual([])
  })

  it("are each broken by a mutant", () => {
    const broken = new Set(storeMutants.flatMap(({ breaks }) => breaks))
    expect(storeLaws.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([])
  })

  it("are each broken by a store that does nothing", async () => {
    const { laws } = await ask(idle)
    expect(laws).toHaveLength(storeLaws.length)
    expect(laws.filter(({ outcome }) => outcome._tag !== "Failed").map(({ name }) => name)).toEqual([])
  })
})

describe("a mutant of stores breaks exactly the laws it names", () => {
  it("and has a name of its own", () => {
    expect(repeated(storeMutants.map(({ name }) => name))).toEqual([])
  })

  for (const { breaks, bug, core, name } of storeMutants) {
    it(`${name}: ${bug}`, async () => {
      const { laws } = await ask(kept, core)
      const failed = laws.filter(({ outcome }) => outcome._tag === "Failed").map((law) => law.name)
      expect(failed.sort()).toEqual([...breaks].sort())
    })
  }
})
