/** What mutants of stores break: asked of the same store, in turns of the event loop instead of time. */
import type { Core, Fixture, StoreLaw, StoreMutant } from "@persist/conformance"
import { run, storeLaws, through } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { kept } from "./stores.ts"
import { inTurns } from "./turns.ts"

/** The names of the laws of stores that don't hold. */
export const broken = async (
  fixture: Fixture,
  core?: Core,
  asked: ReadonlyArray<StoreLaw> = storeLaws
): Promise<ReadonlyArray<string>> => {
  const { laws } = await Effect.runPromise(inTurns(run(fixture, through(core, asked), { concurrency: 1 })))
  return laws.filter(({ outcome }) => outcome._tag === "Failed").map(({ name }) => name)
}

/** The laws of the families in which a mutant breaks one: whatever it breaks by mistake is most often among them. */
export const near = ({ breaks }: StoreMutant): ReadonlyArray<StoreLaw> => {
  const families = new Set(storeLaws.filter(({ name }) => breaks.includes(name)).map(({ family }) => family))
  return storeLaws.filter(({ family }) => families.has(family))
}

/** Declares a test for each mutant: that of the laws it is asked it breaks exactly those it names. */
export const breaksExactly = (
  mutants: ReadonlyArray<StoreMutant>,
  asked: (mutant: StoreMutant) => ReadonlyArray<StoreLaw>
): unknown =>
  describe("a mutant of stores breaks exactly the laws it names", () => {
    for (const mutant of mutants) {
      const { breaks, bug, core, name } = mutant
      it(`${name}: ${bug}`, async () => {
        expect((await broken(kept, core, asked(mutant))).toSorted()).toEqual(breaks.toSorted())
      })
    }
  })
