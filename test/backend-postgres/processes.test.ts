/** Several processes that write to one store, whatever else goes on in its cluster. */
import { assert, describe, it } from "@effect/vitest"
import { within } from "@persist/backend-postgres"
import type { BackendError, BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { appendOf, putOf } from "../backend-sqlite/place.ts"
import { sharedPostgres } from "../servers/postgres.ts"
import { holdRace, reach } from "./race.ts"

/** A client with a transaction that is open, until its scope ends. */
const transaction = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query("BEGIN")
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )

/** One that has written, and so may be the oldest in its cluster. */
const longTransaction = (url: string) =>
  Effect.tap(transaction(url), (client) => Effect.promise(() => client.query("SELECT pg_current_xact_id()")))

/** Writes events that are rolled back, then a key that isn't, stalling before its end: readers go on all the while. */
const aside = Effect.fnUntraced(function*(url: string, backend: BackendShape) {
  for (let n = 0; n < 3; n++) {
    const client = yield* transaction(url)
    const inner = yield* within(client)
    yield* inner.commit([{ ...appendOf("aside", "1"), write: [putOf("n", "turn", "nobody's")] }])
    yield* Effect.promise(() => client.query("ROLLBACK"))
  }
  const client = yield* transaction(url)
  const inner = yield* within(client)
  yield* inner.commit([{ ...appendOf("aside", "1"), append: [], write: [putOf("n", "aside", "1")] }])
  const before = yield* backend.head
  // Every writer waits for this one, so nothing comes while it stalls; and nobody who reads waits.
  for (let n = 0; n < 20; n++) assert.strictEqual(yield* backend.head, before)
  yield* Effect.promise(() => client.query("COMMIT"))
  yield* reach(backend, before + 1)
}, Effect.scoped)

describe("processes that write at once", () => {
  it.live(
    "stall no reader and overtake none, among transactions that last, stall or are rolled back",
    () =>
      Effect.gen(function*() {
        const { database } = yield* sharedPostgres
        const url = yield* database
        for (const one of [url, yield* database]) yield* longTransaction(one)
        const { lost, unknown } = yield* holdRace({
          url,
          processes: 3,
          rounds: 30,
          meanwhile: Effect.fnUntraced(function*(backend): Effect.fn.Return<void, BackendError> {
            for (const head of [10, 30]) {
              yield* reach(backend, head)
              yield* Effect.orDie(aside(url, backend))
            }
          })
        })
        assert.deepStrictEqual({ lost, unknown }, { lost: 0, unknown: 0 })
      }),
    60_000
  )
})
