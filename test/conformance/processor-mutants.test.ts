/** The kit proves itself for processors: every law has a mutant, and a store that does nothing breaks all. */
import type { Fixture, Processing } from "@persist/conformance"
import { processing, processorLaws, processorMutants, protocolLaws, run, storeLaws } from "@persist/conformance"
import { throughProcessing } from "@persist/conformance/processor-law"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { idle, kept } from "./stores.ts"
import { inTurns } from "./turns.ts"

// In turns of the event loop: several times as many as the longest law takes.
const limit = 1000

const broken = async (fixture: Fixture, through: Processing): Promise<ReadonlyArray<string>> => {
  const laws = throughProcessing(through, processorLaws)
  const report = await Effect.runPromise(inTurns(run(fixture, laws, { concurrency: 1, limit })))
  return report.laws.filter(({ outcome }) => outcome._tag === "Failed").map(({ name }) => name)
}

const repeated = (names: ReadonlyArray<string>) => names.filter((name, i) => names.indexOf(name) !== i)

describe("the laws of processors", () => {
  it("have different names, among themselves and from all others", () => {
    expect(repeated([...protocolLaws, ...storeLaws, ...processorLaws].map(({ name }) => name))).toEqual([])
  })

  it("are each broken by a mutant", () => {
    const breakable = new Set(processorMutants.flatMap(({ breaks }) => breaks))
    expect(processorLaws.map(({ name }) => name).filter((name) => !breakable.has(name))).toEqual([])
  })

  it("are each broken by a store that does nothing", async () => {
    expect(await broken(idle, processing)).toEqual(processorLaws.map(({ name }) => name))
  })

  it("have mutants of different names", () => {
    expect(repeated(processorMutants.map(({ name }) => name))).toEqual([])
  })
})

describe("a mutant of processors breaks exactly the laws it names", () => {
  for (const { breaks, bug, name, processing: wrong } of processorMutants) {
    it(`${name}: ${bug}`, async () => {
      expect((await broken(kept, wrong)).toSorted()).toEqual(breaks.toSorted())
    })
  }
})
