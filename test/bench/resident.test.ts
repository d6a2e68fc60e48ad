/** What the bench tells of memory: what a piece of work makes resident, also where it never lets go of the thread. */
import { expect, test } from "vitest"
import { growthOf } from "../../bench/harness/resident.ts"

/** Fills memory, so that it's resident, and lets go of it. */
const fill = (mebibytes: number) => async () => {
  for (let round = 0; round < 4; round++) Buffer.alloc(mebibytes * 2 ** 20, round)
}

test("memory that is there only while something runs is seen", async () => {
  expect(await growthOf(fill(100))).toBeGreaterThan(90)
  expect(await growthOf(async () => undefined)).toBeLessThan(50)
})
