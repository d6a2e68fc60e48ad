/** The command line on PostgreSQL: a command that only reads makes nothing there, and a password is never shown. */
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { assert, expect, test } from "vitest"
import { sharedPostgres, sql, startPostgres } from "../servers/postgres.ts"
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

test.each([["tail", "-f", "-n", "1"], ["subscribe", "--name", "follower"]])(
  "%s goes on when a server that was stopped is back, and says both",
  (...command) =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const server = yield* startPostgres()
      const url = `${server.url}?reconnectWithin=100&pollInterval=50`
      using desk = openDesk()
      const append = (type: string) =>
        Effect.promise(() => desk.run("append", "a", type, "1", "--expected", "any", "--store", url))
      yield* append("First")
      const { ended, process: running } = desk.start(...command, "--store", url)
      const linesOf = (stream: Readable) => {
        const lines = createInterface(stream)[Symbol.asyncIterator]()
        return Effect.promise(async () => String((await lines.next()).value))
      }
      const [shown, said] = [linesOf(running.stdout), linesOf(running.stderr)]
      assert.include(yield* shown, "First")
      // Whoever keeps a checkpoint has moved it, so that nothing is being written.
      const behind = "SELECT FROM persist.entry WHERE value::jsonb->>'position' = '0'"
      while ((yield* sql(url, behind)).length > 0) {}
      yield* server.stop
      // It meets the server while that stops, or once it's gone.
      const why = /^waiting: .* (can't be reached|is starting, stopping).*goes on when the store can be read again/
      assert.match(yield* said, why)
      yield* server.start
      assert.strictEqual(yield* said, "the store can be read again")
      yield* append("Second")
      assert.include(yield* shown, "Second")
      running.kill("SIGINT")
      expect(yield* Effect.promise(() => ended)).toMatchObject({ code: 130 })
    }))),
  60_000
)
