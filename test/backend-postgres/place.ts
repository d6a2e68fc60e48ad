/** Places for stores in PostgreSQL, and the clients that look at them past the backend. */
import { make } from "@persist/backend-postgres"
import { type BackendShape, makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { schemaIn, sharedPostgres } from "../servers/postgres.ts"

/** Where a store may be: a database, and the name of a schema in it that isn't there yet; dropped with the scope. */
export const newPlace = Effect.gen(function*() {
  const { url } = yield* sharedPostgres
  return { url, schema: yield* schemaIn(url) }
})

/** A new store, where it is, and its backend. */
export const newStore = Effect.gen(function*() {
  const place = yield* newPlace
  const backend: BackendShape = yield* make(place)
  return { ...place, backend, store: yield* makeStore(backend) }
})

/** A client of the driver's own, connected until the scope ends. */
export const newClient = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ connectionString: url })
      // Tests may end its connection; whoever asks it is told.
      client.on("error", () => {})
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )

/** Runs a statement on a client. */
export const ask = (client: Client, text: string, values: ReadonlyArray<unknown> = []) =>
  Effect.promise(() => client.query<Record<string, unknown>>(text, values.slice()))
