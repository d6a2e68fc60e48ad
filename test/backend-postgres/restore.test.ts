/** A server whose old backup was restored: whoever knew more than it now has is told so, and doesn't go on. */
import { assert, describe, it } from "@effect/vitest"
import { make, renewIncarnation } from "@persist/backend-postgres"
import type { BackendError } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, errorOf, eventsOf } from "../backend-sqlite/place.ts"
import { startPostgres } from "../servers/postgres.ts"

describe("a store whose backup was restored", () => {
  it.live(
    "is refused by every handle that has seen more, and is another history once it's renewed",
    () =>
      Effect.gen(function*() {
        const server = yield* startPostgres()
        const { url } = server
        const writer = yield* make({ url })
        const reader = yield* make({ url, readonly: true })
        for (const data of ["1", "2"]) yield* writer.commit([appendOf("s", data)])
        const restore = yield* server.backup
        for (const data of ["3", "4"]) yield* writer.commit([appendOf("s", data)])
        assert.strictEqual(yield* reader.head, 4)
        yield* restore

        const calls = [writer.commit([appendOf("s", "5")]), reader.head, eventsOf(reader, "s")].map((call) =>
          Effect.asVoid<unknown, BackendError, never>(call)
        )
        for (const call of calls) {
          const error = yield* errorOf(call)
          assert.strictEqual(error._tag, "Corrupt")
          assert.match(error.message, /history went back.*renewIncarnation/)
        }
        const before = yield* make({ url })
        assert.deepStrictEqual((yield* eventsOf(before, "s")).map(({ data }) => data), ["1", "2"])
        assert.strictEqual(before.about.incarnation, writer.about.incarnation)

        const renewed = yield* renewIncarnation({ url })
        assert.notStrictEqual(renewed, writer.about.incarnation)
        // Those that have it open don't mistake the new history for theirs, though it may overtake what they knew.
        const after = yield* make({ url })
        assert.strictEqual(after.about.incarnation, renewed)
        for (const data of ["6", "7", "8", "9"]) yield* after.commit([appendOf("s", data)])
        for (const handle of [writer, before]) {
          const error = yield* errorOf(handle.commit([appendOf("s", "10")]))
          assert.strictEqual(error._tag, "Corrupt")
        }
        assert.strictEqual((yield* eventsOf(after, "s")).length, 6)
      }),
    60_000
  )
})
