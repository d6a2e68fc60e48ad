/** The laws as tests of a runner such as vitest: one test for each, in one `describe` for each family. */
import * as Effect from "effect/Effect"
import type { Fixture } from "./fixture.ts"
import type { Law } from "./law.ts"
import { asker } from "./runner.ts"

/** The two functions of a test runner that are needed; vitest, jest and `node:test` all have them. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** Declares one test for each law; `limit` is how long one may take, in milliseconds: 4,000, less than most runners. */
export const suite = (
  { describe, it }: TestRunner,
  fixture: Fixture,
  laws: ReadonlyArray<Law>,
  limit = 4_000
): void => {
  const ask = asker(fixture, limit)
  for (const [family, members] of Map.groupBy(laws, (law) => law.family)) {
    describe(`${fixture.name}: ${family}`, () => {
      for (const law of members) {
        it(law.name, async () => {
          const verdict = await Effect.runPromise(ask(law))
          if (verdict._tag === "Failed") throw new Error(verdict.reason)
        })
      }
    })
  }
}
