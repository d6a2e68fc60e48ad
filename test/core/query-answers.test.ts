/** Random queries over random states are answered as a plain filter and sort of all states answers them. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-memory"
import { answersRightly, tickets } from "./tickets.ts"

describe("queries", () => {
  it("find what a filter and a sort of all states give, page by page, with indexes and without", async () => {
    const used = await answersRightly(make(), 60)
    for (const name of [undefined, ...tickets.readIndexes.map((index) => index.name)]) {
      assert.isAbove(used.get(name) ?? 0, 10, `used ${name}`)
    }
  })
})
