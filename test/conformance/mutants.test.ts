/** The kit proves itself: every law has a mutant that breaks it, and every mutant breaks exactly the laws it names. */
import { protocolLaws, run } from "@persist/conformance"
import { protocolMutants } from "@persist/conformance/mutants"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { kept } from "./stores.ts"

// Long enough for any law on a busy machine, short enough to wait for the mutants that never answer.
const limit = 2_000

describe("the laws of the protocol", () => {
  it("have different names", () => {
    const names = protocolLaws.map(({ name }) => name)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })

  it("are each broken by a mutant", () => {
    const broken = new Set(protocolMutants.flatMap(({ breaks }) => breaks))
    expect(protocolLaws.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([])
  })
})

describe("a mutant breaks exactly the laws it names", () => {
  for (const { breaks, bug, name, plant } of protocolMutants) {
    it(`${name}: ${bug}`, async () => {
      const report = await Effect.runPromise(run(plant(kept), protocolLaws, { limit, concurrency: 8 }))
      const failed = report.laws.filter(({ outcome }) => outcome._tag === "Failed").map((law) => law.name)
      expect(failed.sort()).toEqual([...breaks].sort())
    })
  }
})
