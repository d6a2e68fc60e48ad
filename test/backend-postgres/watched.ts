/** A writer that tells which statements it took, and a handle that writes to its store beside it. */
import type { Session } from "@persist/backend-postgres/link"
import { queriesOf } from "@persist/backend-postgres/queries"
import { asText } from "@persist/backend-postgres/within"
import { Writer } from "@persist/backend-postgres/write"
import type { Commit } from "@persist/core"
import * as Effect from "effect/Effect"
import { newClient, newStore } from "./place.ts"

/**
 * A writer of a store of its own. `tell` has it write a batch, and answers how many statements that took and what came
 * of each commit; `called` are those of these statements that call functions, by their names.
 */
export const watched = Effect.gen(function*() {
  const { backend, schema, url } = yield* newStore
  let client = yield* newClient(url)
  const writer = new Writer(schema, queriesOf(schema))
  let statements: Array<string> = []
  const newSession = (): Session => ({
    names: undefined,
    run: async ({ text }, values) => {
      statements.push(text)
      const asked = { text, values: [...values], rowMode: "array" as const, types: asText }
      return (await client.query<Array<string | null>>(asked)).rows
    }
  })
  let session = newSession()
  const reconnect = Effect.gen(function*() {
    client = yield* newClient(url)
    session = newSession()
  })
  const tell = Effect.fnUntraced(function*(first: Commit, ...rest: ReadonlyArray<Commit>) {
    statements = []
    const writing = { incarnation: backend.about.incarnation, floor: 0, patience: 1000 }
    const { outcomes } = yield* Effect.promise(() => writer.write(session, [first, ...rest], writing))
    return [statements.length, ...outcomes.map(({ _tag }) => _tag)]
  })
  const called = (): ReadonlyArray<string> => statements.flatMap((text) => /\.(\w+_1)\(/.exec(text)?.[1] ?? [])
  return { other: backend, reconnect, schema, tell, url, called }
})
