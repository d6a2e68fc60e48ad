/** Ten thousand appends of each of two writers in each of two processes, to one stream. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { startTogether } from "./child.ts"
import { newPath } from "./place.ts"

const Told = Schema.fromJsonString(Schema.Struct({ a: Schema.Array(Schema.Int), b: Schema.Array(Schema.Int) }))
const [processes, each] = [2, 10_000]

describe("several writers in several processes", () => {
  it.live("are told the seqs 1 to N exactly, and each finds its own events there in its order", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const children = yield* startTogether(processes, "append-many.ts", (n) => [path, `p${n}`, String(each)])
      const told = new Map<string, ReadonlyArray<number>>()
      for (const [n, { line }] of children.entries()) {
        const { a, b } = yield* Schema.decodeUnknownEffect(Told)(yield* line)
        told.set(`p${n}/a`, a).set(`p${n}/b`, b)
      }
      const log = (yield* makeStore(yield* make({ path }))).log()
      const events = yield* Stream.runCollect(log.read("shared"))
      // Compared as one text each: of 40,000 numbers nobody wants to see every one that is wrong.
      const counted = Array.from({ length: processes * 2 * each }, (_, i) => i + 1)
      assert.isTrue(events.map(({ seq }) => seq).join() === counted.join(), "the seqs are 1 to N")
      assert.strictEqual(told.size, 4)
      for (const [writer, seqs] of told) {
        const own = events.filter(({ type }) => type === writer)
        assert.isTrue(own.map(({ seq }) => seq).join() === seqs.join(), `${writer} finds its events where it was told`)
        assert.isTrue(
          JSON.stringify(own.map(({ data }) => data)) === JSON.stringify(counted.slice(0, each)),
          `${writer}'s are in order`
        )
      }
    }))
})
