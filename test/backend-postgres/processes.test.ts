/** Several processes that write to one store, whatever else goes on in its cluster. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { sharedPostgres } from "../servers/postgres.ts"
import { holdRace, reach } from "./race.ts"

/** A transaction that has written, in this or another database, and stays open as long as the scope. */
const longTransaction = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query("BEGIN")
      await client.query("SELECT pg_current_xact_id()")
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )

describe("processes that write at once", () => {
  it.live(
    "stall no reader and overtake none, with long transactions open in their database and another",
    () =>
      Effect.gen(function*() {
        const { database } = yield* sharedPostgres
        const url = yield* database
        for (const one of [url, yield* database]) yield* longTransaction(one)
        const { lost, unknown } = yield* holdRace({
          url,
          processes: 3,
          rounds: 30,
          // The reader gets there while the others are open.
          meanwhile: (backend) => reach(backend, 20)
        })
        assert.deepStrictEqual({ lost, unknown }, { lost: 0, unknown: 0 })
      }),
    60_000
  )
})
