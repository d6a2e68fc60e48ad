/** A statement put to the driver leaves nothing behind, whatever the application has set for its own. */
import { assert, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { Asking } from "@persist/backend-postgres/asking"
import * as Effect from "effect/Effect"
import { defaults } from "pg"
import { vi } from "vitest"
import { appendOf } from "../backend-sqlite/place.ts"
import { newClient, newPlace } from "./place.ts"

/** The driver's timeout of each statement, such as nobody else waits for, and its timers that weren't cleared. */
const timed = Effect.acquireRelease(
  Effect.sync(() => {
    const timeout = 54_321
    const before = defaults.query_timeout
    const made = vi.spyOn(globalThis, "setTimeout")
    const cleared = vi.spyOn(globalThis, "clearTimeout")
    defaults.query_timeout = timeout
    const timers = () => made.mock.results.filter((_, n) => made.mock.calls[n]?.[1] === timeout)
    return {
      timers,
      left: () => timers().filter(({ value }) => cleared.mock.calls.every(([timer]) => timer !== value)),
      leave: () => {
        defaults.query_timeout = before
        vi.restoreAllMocks()
      }
    }
  }),
  ({ leave }) => Effect.sync(leave)
)

it.live("no statement leaves a timer of the driver's, where the application has it limit how long queries take", () =>
  Effect.gen(function*() {
    const { left, timers } = yield* timed
    const place = yield* newPlace
    yield* Effect.scoped(Effect.flatMap(make(place), (backend) => backend.commit([appendOf("s", "1")])))
    const client = yield* newClient(place.url)
    const asked = (text: string) =>
      Effect.callback<unknown>((resume) => {
        const settle = (answer: unknown) => resume(Effect.succeed(answer))
        client.query(new Asking({ text }, [], settle, settle))
      })
    assert.deepStrictEqual(yield* asked("SELECT 1"), [["1"]])
    assert.instanceOf(yield* asked("SELECT 1 / 0"), Error)
    assert.isNotEmpty(timers())
    assert.isEmpty(left())
  }))
