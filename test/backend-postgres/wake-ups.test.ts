/** Readers that wait for commits of others: notifications wake them, and where those get lost, looking does. */
import { assert, describe, it } from "@effect/vitest"
import { type Config, make } from "@persist/backend-postgres"
import type { Commit } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { appendOf, eventsOf } from "../backend-sqlite/place.ts"
import { sharedPostgres, sql } from "../servers/postgres.ts"

const listeners = `
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND query LIKE '%; LISTEN "persist%' AND pid <> pg_backend_pid()`

const identified = (id: string): Commit => ({ ...appendOf("s", "1"), identity: { id, digest: "d" } })

/** Commits an event or two after another, each once a reader who only reads when it's woken has met those before. */
const exchange = Effect.fnUntraced(function*(
  options: Omit<Config, "url">,
  meanwhile: (url: string) => Effect.Effect<unknown>
) {
  const { database } = yield* sharedPostgres
  const url = yield* database
  const writer = yield* make({ url })
  const reader = yield* make({ url, ...options })
  const woken = yield* Queue.unbounded<void>()
  yield* Effect.forkScoped(Stream.runForEach(reader.changes, () => Queue.offer(woken, undefined)))
  yield* Queue.take(woken)
  let count = 0
  for (let n = 1; n <= 10; n++) {
    yield* meanwhile(url)
    // By each of the ways in which appends are written.
    if (n % 3 === 0) yield* writer.commit([appendOf("s", "1")])
    else if (n % 3 === 1) yield* writer.commit([identified(`${n}`)])
    else yield* writer.commit([identified(`${n}`), identified(`${n} again`)])
    count += n % 3 === 2 ? 2 : 1
    // Each commit wakes it: a wake-up is taken before it reads.
    do yield* Queue.take(woken)
    while ((yield* eventsOf(reader, "s")).length < count)
  }
  return url
})

describe("a reader that waits for what others commit", () => {
  it.live("is woken by notifications alone", () =>
    Effect.gen(function*() {
      const url = yield* exchange({ pollInterval: 1_000_000 }, (own) =>
        // The server listens before the first commit; whoever listens later is woken once it does.
        Effect.repeat(sql(own, listeners), { until: ({ length }) => length > 0 }))
      assert.strictEqual((yield* sql(url, listeners)).length, 1)
    }), 60_000)

  it.live("is woken where no notification ever comes", () =>
    Effect.gen(function*() {
      const url = yield* exchange({ pollInterval: 20, direct: false }, () => Effect.void)
      assert.deepStrictEqual(yield* sql(url, listeners), [])
    }), 60_000)

  it.live(
    "is woken though the session that listens is ended again and again",
    () =>
      exchange(
        { pollInterval: 20 },
        (url) => sql(url, `SELECT pg_terminate_backend(pid) FROM (${listeners}) AS listener`)
      ),
    60_000
  )
})
