/** Pages of a stream: the one after a full page is read before it's asked for, and none after another. */
import { assert, describe, it } from "@effect/vitest"
import { pages } from "@persist/core/pages"
import { unbounded } from "@persist/core/sequence"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

describe("pages", () => {
  for (const limit of [unbounded, 100_000]) {
    for (const [name, lacks, ahead] of [["full", 0, 1], ["short", 1, 0]] as const) {
      it.effect(`that are ${name}, of ${limit} items at most, are followed by ${ahead} that are read ahead`, () =>
        Effect.gen(function*() {
          let [reads, size] = [0, 0]
          const read = (cursor: number, wanted: number) =>
            Effect.sync(() => {
              reads++
              size = wanted - lacks
              return { items: Array.from({ length: size }, () => cursor), next: cursor + 1 }
            })
          let seen = 0
          // Up to within the second page, from which on pages are read ahead.
          yield* Stream.runForEachWhile(
            pages(limit, 0, read, Effect.succeed),
            () => Effect.sync(() => ++seen <= size)
          )
          assert.deepStrictEqual([seen, reads], [size + 1, 2 + ahead])
        }))
    }
  }
})
