/** Handles that open at the same moment a store that isn't there yet. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import { schemaIn, sharedPostgres } from "../servers/postgres.ts"

describe("several who open a new store at once", () => {
  it.live("make it once, and all have it", () =>
    Effect.gen(function*() {
      const { url } = yield* sharedPostgres
      for (let n = 0; n < 5; n++) {
        const schema = yield* schemaIn(url)
        const open = Effect.map(make({ url, schema }), ({ about }) => about.incarnation)
        const found = yield* Effect.all([open, open, open, open], { concurrency: "unbounded" })
        assert.strictEqual(new Set(found).size, 1)
      }
    }))
})
