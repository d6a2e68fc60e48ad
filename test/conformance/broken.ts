/** What mutants of stores break: asked of the same store, in turns of the event loop instead of time. */
import type { Core, Fixture, StoreMutant } from "@persist/conformance"
import { run, storeLaws, through } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { kept } from "./stores.ts"
import { inTurns } from "./turns.ts"

/** The names of the laws of stores that don't hold. */
export const broken = async (fixture: Fixture, core?: Core): Promise<ReadonlyArray<string>> => {
  const { laws } = await Effect.runPromise(inTurns(run(fixture, through(core, storeLaws), { concurrency: 1 })))
  return laws.filter(({ outcome }) => outcome._tag === "Failed").map(({ name }) => name)
}

/** Declares a test for each mutant: that it breaks exactly the laws it names. */
export const breaksExactly = (mutants: ReadonlyArray<StoreMutant>): unknown =>
  describe("a mutant of stores breaks exactly the laws it names", () => {
    for (const { breaks, bug, core, name } of mutants) {
      it(`${name}: ${bug}`, async () => {
        expect((await broken(kept, core)).toSorted()).toEqual(breaks.toSorted())
      })
    }
  })
