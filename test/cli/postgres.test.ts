/** The command line on PostgreSQL: a command that only reads makes nothing there, and a password is never shown. */
import * as Effect from "effect/Effect"
import { expect, test } from "vitest"
import { sharedPostgres, sql } from "../servers/postgres.ts"
import { errorOf, openDesk } from "./program.ts"

test(
  "a store is made by those who write, found by those who read, and renewed",
  () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const url = yield* Effect.flatMap(sharedPostgres, ({ database }) => database)
      const run = (...args: ReadonlyArray<string>) =>
        Effect.promise(async () => {
          using desk = openDesk()
          return await desk.run(...args, "--store", url, "--json")
        })
      const schemas = sql(url, "SELECT FROM pg_namespace WHERE nspname = 'persist'")
      const remedy = "correct --store or PERSIST_URL, or make the store with persist init"
      expect(errorOf(yield* run("stats"))).toMatchObject({ code: 2, field: "store", remedy })
      expect(yield* schemas).toEqual([])
      expect(yield* run("append", "a", "T", "1", "--expected", "0")).toMatchObject({ code: 0 })
      const stats = yield* run("stats")
      expect(JSON.parse(stats.stdout)).toMatchObject({ backend: "postgres", events: 1 })
      const renewed = yield* run("renew")
      expect(JSON.parse(renewed.stdout)).not.toMatchObject({ incarnation: JSON.parse(stats.stdout).incarnation })
      expect(`${stats.stdout} ${renewed.stdout}`).not.toContain(new URL(url).password)
    }))),
  60_000
)
