/** A commit in the making holds as many events as its appends were begun for. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { appendRaw, makeStore, type RawEvent } from "@persist/core"
import { Draft, opOf } from "@persist/core/draft"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

const event: RawEvent = { type: "Counted", data: "1", meta: undefined, id: undefined, at: undefined }

describe("events of a commit", () => {
  it.effect("that aren't there where they are said to be are refused, and nothing of it happens", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory())
      const holes: ReadonlyArray<readonly [ReadonlyArray<RawEvent>, string]> = [
        [Array.from({ length: 1 }), "events[0]"],
        [[event, ...Array.from<RawEvent>({ length: 1 }), event], "events[1]"]
      ]
      for (const [events, field] of holes) {
        const error = yield* Effect.flip(store.commit([appendRaw("s", events, { expected: "any" })]))
        assert.deepStrictEqual([error._tag, error._tag === "Invalid" && error.field], ["Invalid", field])
      }
      assert.strictEqual(yield* store.head, 0)
    }))

  it.effect("that no append was begun for, or fewer than were begun for, are a fault of whoever drafts", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory())
      const drafts: ReadonlyArray<(draft: Draft) => ReturnType<Draft["event"]>> = [
        (draft) => draft.event(event, undefined, undefined),
        (draft) => draft.append("s", "any", 1),
        (draft) =>
          draft.append("s", "any", 1) ?? draft.event(event, undefined, undefined) ?? draft.append("s", "any", 1)
      ]
      for (const compose of drafts) {
        const cause = yield* Effect.flip(Effect.sandbox(store.commit([opOf(undefined, compose)])))
        assert.isTrue(Cause.hasDies(cause))
      }
      assert.strictEqual(yield* store.head, 0)
    }))
})
