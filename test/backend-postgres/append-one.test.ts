/** What most commits are, one event for a remembered stream: when it's asked for so, and that it comes to the same. */
import { assert, describe, it } from "@effect/vitest"
import type { Commit, NewEvent } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { appendOf, commitOf, eventOf, eventsOf, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { watched } from "./watched.ts"

const named = (id: string, commit: Commit): Commit => ({ ...commit, identity: { id, digest: `digest of ${id}` } })
const one = (id: string, stream = "s"): Commit => named(id, appendOf(stream, JSON.stringify(id)))
const expecting = (id: string, expected: number): Commit => ({
  ...one(id),
  expect: [{ _tag: "Stream", stream: "s", expected: Seq(expected) }]
})

/** A writer that remembers the stream `s`, which has one event, and that it writes alone. */
const begun = Effect.gen(function*() {
  const all = yield* watched
  yield* all.tell(one("first"))
  assert.deepStrictEqual(all.called(), ["append_1"])
  const committed = Effect.fnUntraced(function*(...commits: readonly [Commit, ...ReadonlyArray<Commit>]) {
    const [, ...tags] = yield* all.tell(...commits)
    return [tags.join(), ...all.called()]
  })
  return { ...all, committed }
})

describe("one event for a remembered stream", () => {
  it.live("takes the short way, whatever it's made of", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      const events: ReadonlyArray<NewEvent> = [
        eventOf("{\"a\": [1,  2]}"),
        eventOf("no\0JSON\x01", { meta: "{\"m\":1}", id: "o\0wn", at: 7 }),
        eventOf(new Uint8Array([0, 1, 255]), { meta: "null" })
      ]
      for (const [n, event] of events.entries()) {
        const commit = named(`n${n}\0`, commitOf({ append: [{ stream: "s", events: [event] }] }))
        assert.deepStrictEqual(yield* committed(commit), ["Committed", "append_one_1"])
      }
      const stored = (yield* eventsOf(other, "s")).slice(1)
      assert.deepStrictEqual(
        stored.map(({ at, data, id, meta, position, seq, type }) => ({ at, data, id, meta, position, seq, type })),
        events.map((event, n) => ({ ...event, position: n + 2, seq: n + 2 } as (typeof stored)[number]))
      )
      for (const n of events.keys()) {
        const [first, position] = [Seq(n + 2), Position(n + 2)]
        const appended = [{ stream: "s", first, last: first, firstPosition: position, lastPosition: position }]
        assert.deepStrictEqual<unknown>(
          yield* other.resolve(`n${n}\0`),
          Option.some({ _tag: "Committed", position, appended, revisions: [], repeated: false })
        )
      }
    }))

  it.live("takes the long one after others have written, until nobody else does", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      assert.deepStrictEqual(yield* committed(one("a")), ["Committed", "append_one_1"])
      for (const meanwhile of [appendOf("s", "1"), commitOf({ write: [putOf("n", "k", "1")] })]) {
        yield* other.commit([meanwhile])
        assert.deepStrictEqual(yield* committed(one(`b${meanwhile.append.length}`)), [
          "Committed",
          "append_one_1",
          "append_1"
        ])
        yield* other.commit([meanwhile])
        assert.deepStrictEqual(yield* committed(one(`c${meanwhile.append.length}`)), ["Committed", "append_1"])
        assert.deepStrictEqual(yield* committed(one(`d${meanwhile.append.length}`)), ["Committed", "append_1"])
        assert.deepStrictEqual(yield* committed(one(`e${meanwhile.append.length}`)), ["Committed", "append_one_1"])
      }
      const seqs = (yield* eventsOf(other, "s")).map(({ seq }) => seq)
      assert.deepStrictEqual<ReadonlyArray<number>>(seqs, seqs.map((_, n) => n + 1))
    }))

  it.live("happens once, and not after somebody was told that it never would", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      assert.deepStrictEqual(yield* committed(one("a")), ["Committed", "append_one_1"])
      assert.deepStrictEqual(yield* committed(one("a")), ["Committed", "append_one_1", "append_1"])
      assert.deepStrictEqual(yield* committed(one("b")), ["Committed", "append_1"])
      yield* other.resolve("c")
      assert.deepStrictEqual(yield* committed(one("c")), ["Committed", "append_one_1", "append_1", "append_1"])
      assert.lengthOf(yield* eventsOf(other, "s"), 4)
    }))

  it.live("takes the short way past the ids of others that never will", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      yield* other.resolve("nobody's")
      for (const id of ["a", "b", "c"]) {
        assert.deepStrictEqual(yield* committed(one(id)), ["Committed", "append_one_1"])
      }
    }))

  it.live("wins against others who expected the same, unless one of these has happened before", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      assert.deepStrictEqual(yield* committed(expecting("a", 1), expecting("b", 1), expecting("c", 0)), [
        "Committed,Conflict,Conflict",
        "append_one_1"
      ])
      assert.deepStrictEqual(yield* committed(expecting("d", 2), expecting("a", 1)), [
        "Committed,Committed",
        "append_one_1",
        "append_1",
        "append_1"
      ])
      assert.lengthOf(yield* eventsOf(other, "s"), 3)
    }))

  it.live("isn't what several are, another stream's, a new type's, one without an id, and one that asks for keys", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      const others: ReadonlyArray<readonly [Commit, ...ReadonlyArray<Commit>]> = [
        [one("a"), one("b")],
        [named("c", appendOf("s", "1", "2"))],
        [one("d", "new")],
        [named("e", commitOf({ append: [{ stream: "s", events: [eventOf("1", { type: "New" })] }] }))],
        [appendOf("s", "1")],
        [named("f", { ...appendOf("s", "1"), truncate: [{ stream: "s", before: Seq(2) }] })],
        [named("g", {
          ...appendOf("s", "1"),
          expect: [{ _tag: "Key", namespace: "n", key: "k", expected: "absent" }]
        })],
        [named("h", { ...appendOf("s", "1"), expect: [{ _tag: "Stream", stream: "none", expected: Seq(0) }] })]
      ]
      for (const batch of others) {
        const [tags, ...called] = yield* committed(...batch)
        assert.match(String(tags), /^Committed/)
        assert.notInclude(called, "append_one_1")
      }
      assert.lengthOf(yield* eventsOf(other, "s"), 9)
    }))

  it.live("does nothing where the store was restored under it", () =>
    Effect.gen(function*() {
      const { committed, schema, url } = yield* begun
      assert.deepStrictEqual(yield* committed(one("a")), ["Committed", "append_one_1"])
      yield* sql(url, `DELETE FROM ${schema}.event WHERE position > 1; DELETE FROM ${schema}.recorded`)
      assert.deepStrictEqual(yield* committed(one("b")), ["Committed", "append_one_1", "append_1"])
      assert.deepStrictEqual(yield* sql(url, `SELECT position::int, seq::int FROM ${schema}.event ORDER BY 1`), [
        { position: 1, seq: 1 },
        { position: 2, seq: 2 }
      ])
    }))
})
