/** A store whose power goes between any two file operations: what was acknowledged is there, and nothing by halves. */
import { assert, describe, it } from "@effect/vitest"
import { makeOn } from "@persist/backend-file/layer"
import * as Effect from "effect/Effect"
import { appendOf, eventsOf } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { contents, expected, history } from "./history.ts"
import { breakLock, newPath } from "./place.ts"
import { makePower, unsynced } from "./power.ts"

// Small enough for the history to seal some, and for the index to get as many runs.
const segmentBytes = 1024

// By turns lost and not, another way for each stop.
const byTurns = (seed: number): () => boolean => {
  let n = seed
  return () => (n = (n * 1103515245 + 12345) % 2 ** 31) % 2 === 0
}

describe("a store whose power goes at any file operation", () => {
  const losses: ReadonlyArray<readonly [name: string, chance: (stop: number) => () => boolean]> = [
    ["and nothing is lost, as by kill -9", () => () => false],
    ["and all is lost that wasn't made durable", () => () => true],
    ["and some of it is lost", byTurns]
  ]
  it.effect.each(losses)(
    "%s: holds what was acknowledged, and at most the next commit",
    ([, chance]) =>
      Effect.gen(function*() {
        const { after } = yield* expected
        const found = new Set<string>()
        for (let stop = 1;; stop++) {
          const path = yield* newPath
          const power = makePower()
          power.stopAt(stop)
          let acknowledged = 0
          const session = Effect.gen(function*() {
            const backend = yield* makeOn(power.disk, { path, segmentBytes })
            for (const batch of history) {
              yield* backend.commit(batch)
              acknowledged++
            }
          })
          yield* Effect.exit(Effect.scoped(session))
          power.lose(chance(stop))
          breakLock(path)
          if (power.count() < stop) break
          const { value: left } = yield* warningsIn(Effect.scoped(Effect.gen(function*() {
            const backend = yield* makeOn(unsynced, { path, segmentBytes })
            const { head } = yield* contents(backend)
            const next = head === after[acknowledged]?.head ? acknowledged : acknowledged + 1
            assert.deepStrictEqual(yield* contents(backend), after[next], `stopped at operation ${stop}`)
            for (const batch of history.slice(next)) yield* backend.commit(batch)
            return next - acknowledged
          })))
          found.add(acknowledged === history.length ? "closing" : left === 0 ? "no more" : "one more")
          const whole = yield* Effect.scoped(Effect.flatMap(makeOn(unsynced, { path, readonly: true }), contents))
          assert.deepStrictEqual(whole, after.at(-1), `stopped at operation ${stop}`)
        }
        assert.include([...found], "no more")
        assert.include([...found], "closing")
      }),
    60_000
  )

  // A frame of 64 KiB and more makes the file longer by itself, where a shorter one finds its place there.
  it.effect("holds each event that was acknowledged, however long it is", () =>
    Effect.gen(function*() {
      const lengths = [10, 70_000, 10, 300_000]
      for (let acknowledged = 1; acknowledged <= lengths.length; acknowledged++) {
        const path = yield* newPath
        const power = makePower()
        const session = Effect.gen(function*() {
          const backend = yield* makeOn(power.disk, { path })
          for (const length of lengths.slice(0, acknowledged)) {
            yield* backend.commit([appendOf("s", "x".repeat(length))])
          }
          power.stopAt(power.count() + 1)
        })
        yield* Effect.exit(Effect.scoped(session))
        power.lose(() => true)
        breakLock(path)
        const held = yield* Effect.scoped(
          Effect.flatMap(makeOn(unsynced, { path, readonly: true }), (backend) => eventsOf(backend, "s"))
        )
        assert.deepStrictEqual(held.map(({ data }) => data.length), lengths.slice(0, acknowledged))
      }
    }))
})
