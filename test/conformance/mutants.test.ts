/** The kit proves itself: every law has a mutant that breaks it, and every mutant breaks exactly the laws it names. */
import { protocolLaws, protocolMutants, run } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { idle, kept } from "./stores.ts"
import { inTurns } from "./turns.ts"

const repeated = (names: ReadonlyArray<string>) => names.filter((name, i) => names.indexOf(name) !== i)

// One law after another: a mutant that mixes up its stores would otherwise be seen by whichever law runs beside.
const ask = (fixture: typeof kept) => Effect.runPromise(inTurns(run(fixture, protocolLaws, { concurrency: 1 })))

describe("the laws of the protocol", () => {
  it("have different names", () => {
    expect(repeated(protocolLaws.map(({ name }) => name))).toEqual([])
  })

  it("are each broken by a mutant", () => {
    const broken = new Set(protocolMutants.flatMap(({ breaks }) => breaks))
    expect(protocolLaws.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([])
  })

  it("are each broken by a store that does nothing", async () => {
    const { laws } = await ask(idle)
    expect(laws).toHaveLength(protocolLaws.length)
    expect(laws.filter(({ outcome }) => outcome._tag !== "Failed").map(({ name }) => name)).toEqual([])
  })
})

describe("a mutant breaks exactly the laws it names", () => {
  it("and has a name of its own", () => {
    expect(repeated(protocolMutants.map(({ name }) => name))).toEqual([])
  })

  for (const { breaks, bug, name, plant } of protocolMutants) {
    it(`${name}: ${bug}`, async () => {
      const { laws } = await ask(plant(kept))
      const failed = laws.filter(({ outcome }) => outcome._tag === "Failed").map((law) => law.name)
      expect(failed.sort()).toEqual([...breaks].sort())
    })
  }
})
