/** What a store knows of processors, from the side of those who note it at the same time. */
import { assert, describe, it } from "@effect/vitest"
import { enlist } from "@persist/runner/known"
import { knownProcessors } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { newStore } from "./orders.ts"

const of = (partitions: number) => [{ name: "p", partitions, kind: "reaction", guarantee: "exactly once" }] as const

describe("a processor", () => {
  it.effect("that is known already is noted again, so that whoever is about to forget it doesn't", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* enlist(store, of(2))
      const seen = Option.getOrThrow(yield* knownProcessors(store).entry("p"))
      yield* enlist(store, of(2))
      const forgotten = yield* knownProcessors(store).delete("p", { expected: seen.revision })
      assert.strictEqual(forgotten._tag, "Conflict")
    }))

  it.effect("that some note at once with different numbers of partitions has one, and the others are refused", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const exits = yield* Effect.forEach([1, 2, 3], (partitions) => Effect.exit(enlist(store, of(partitions))), {
        concurrency: "unbounded"
      })
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 1)
    }))
})
