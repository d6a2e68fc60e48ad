/** What most batches are, commits of one event each: when they're asked for so, and that they come to the same. */
import { assert, describe, it } from "@effect/vitest"
import type { Commit } from "@persist/core"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, eventOf, eventsOf, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { watched } from "./watched.ts"

const named = (id: string, commit: Commit): Commit => ({ ...commit, identity: { id, digest: `digest of ${id}` } })
const one = (id: string, stream = "s"): Commit => named(id, appendOf(stream, JSON.stringify(id)))
const expecting = (id: string, expected: number, stream = "s"): Commit => ({
  ...one(id, stream),
  expect: [{ _tag: "Stream", stream, expected: Seq(expected) }]
})

/** A writer that remembers the streams `s` and `t`, which have an event each, and that it writes alone. */
const begun = Effect.gen(function*() {
  const all = yield* watched
  yield* all.tell(one("first"), one("second", "t"))
  assert.deepStrictEqual(all.called(), ["append_1"])
  const committed = Effect.fnUntraced(function*(...commits: readonly [Commit, ...ReadonlyArray<Commit>]) {
    const [, ...tags] = yield* all.tell(...commits)
    return [tags.join(), ...all.called()]
  })
  const stored = Effect.map(
    sql(
      all.url,
      `SELECT e.position::int, s.name AS stream, e.seq::int, e.data,
        r.id, r.digest, r.start::int, r.first::int, r.events
      FROM ${all.schema}.event e JOIN ${all.schema}.stream s ON s.id = e.stream
      JOIN ${all.schema}.recorded r ON r.position = e.position AND r.stream = e.stream ORDER BY 1`
    ),
    (rows) => rows.slice(2)
  )
  return { ...all, committed, stored }
})

const row = (position: number, stream: string, seq: number, id: string) => ({
  position,
  stream,
  seq,
  data: JSON.stringify(id),
  id,
  digest: `digest of ${id}`,
  start: position - 1,
  first: seq,
  events: 1
})

describe("commits of one event each", () => {
  it.live("take the short way together, and each stream goes on from where the one before left it", () =>
    Effect.gen(function*() {
      const { committed, stored } = yield* begun
      const batch = [one("a"), one("b", "t"), expecting("c", 2), expecting("d", 3)] as const
      assert.deepStrictEqual(yield* committed(...batch), [
        "Committed,Committed,Committed,Committed",
        "append_each_1"
      ])
      assert.deepStrictEqual(yield* committed(one("e", "t"), one("f")), ["Committed,Committed", "append_each_1"])
      assert.deepStrictEqual<unknown>(yield* stored, [
        row(3, "s", 2, "a"),
        row(4, "t", 2, "b"),
        row(5, "s", 3, "c"),
        row(6, "s", 4, "d"),
        row(7, "t", 3, "e"),
        row(8, "s", 5, "f")
      ])
    }))

  it.live("take the long way after others have written, until nobody else does", () =>
    Effect.gen(function*() {
      const { committed, other, stored } = yield* begun
      yield* other.commit([appendOf("s", "1")])
      const [short, long] = ["append_each_1", "append_1"]
      assert.deepStrictEqual(yield* committed(one("a"), one("b", "t")), ["Committed,Committed", short, long])
      yield* other.commit([commitOf({ write: [putOf("n", "k", "1")] })])
      assert.deepStrictEqual(yield* committed(one("c"), one("d", "t")), ["Committed,Committed", long])
      assert.deepStrictEqual(yield* committed(one("e"), one("f", "t")), ["Committed,Committed", long])
      assert.deepStrictEqual(yield* committed(one("g"), one("h", "t")), ["Committed,Committed", short])
      assert.deepStrictEqual<unknown>((yield* stored).at(-1), row(12, "t", 5, "h"))
    }))

  it.live("happen once, and nothing of a batch by halves", () =>
    Effect.gen(function*() {
      const { committed, other, stored } = yield* begun
      const [short, long] = ["append_each_1", "append_1"]
      assert.deepStrictEqual(yield* committed(one("a"), one("b")), ["Committed,Committed", short])
      // One that has happened before, behind one that hasn't.
      assert.deepStrictEqual(yield* committed(one("c"), one("a")), ["Committed,Committed", short, long, long])
      yield* committed(one("d"))
      // The same twice in one batch.
      assert.deepStrictEqual(yield* committed(one("e"), one("e")), ["Committed,Committed", short, long])
      assert.deepStrictEqual((yield* stored).map(({ id }) => id), ["a", "b", "c", "d", "e"])
      yield* committed(one("f"))
      yield* other.resolve("g")
      assert.deepStrictEqual(yield* committed(one("g"), one("h")), ["Committed,Committed", short, long, long])
      assert.deepStrictEqual((yield* eventsOf(other, "s")).map(({ seq }) => Number(seq)), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    }))

  it.live("take the short way with what goes with some of them", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      const carrying = (id: string, meta: string | undefined) =>
        named(id, commitOf({ append: [{ stream: "s", events: [eventOf("1", { meta })] }] }))
      const metas = ["{\"m\":1}", undefined, "no\0JSON"]
      for (const batch of [metas, [undefined, undefined]]) {
        const [first, ...rest] = batch.map((meta, n) => carrying(`${batch.length} ${n}`, meta))
        assert(first !== undefined)
        assert.include(yield* committed(first, ...rest), "append_each_1")
      }
      const stored = (yield* eventsOf(other, "s")).slice(1)
      assert.deepStrictEqual(stored.map(({ meta }) => meta), [...metas, undefined, undefined])
    }))

  it.live("take the short way past the ids of others that never will happen", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      yield* other.resolve("nobody's")
      for (const id of ["a", "b"]) {
        assert.deepStrictEqual(yield* committed(one(`${id}1`), one(`${id}2`)), ["Committed,Committed", "append_each_1"])
      }
    }))

  it.live("aren't those that conflict, of new streams or types, without an id, with more than an event of text", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      const event = (id: string, made: Parameters<typeof eventOf>) =>
        named(id, commitOf({ append: [{ stream: "s", events: [eventOf(...made)] }] }))
      const others: ReadonlyArray<Commit> = [
        one("b", "new"),
        event("c", ["1", { type: "New" }]),
        event("e", ["1", { id: "own" }]),
        event("f", [new Uint8Array([1])]),
        named("g", appendOf("s", "1", "2")),
        appendOf("s", "1"),
        named("h", { ...appendOf("s", "1"), truncate: [{ stream: "s", before: Seq(2) }] }),
        named("i", { ...appendOf("s", "1"), write: [putOf("n", "k", "1")] }),
        named("j", {
          ...appendOf("s", "1"),
          expect: [{ _tag: "Key", namespace: "n", key: "other", expected: "absent" }]
        }),
        named("k", { ...appendOf("s", "1"), expect: [{ _tag: "Stream", stream: "none", expected: Seq(0) }] })
      ]
      for (const [n, commit] of others.entries()) {
        const [tags, ...called] = yield* committed(one(`beside ${n}`, "t"), commit)
        assert.strictEqual(tags, "Committed,Committed")
        assert.notInclude(called, "append_each_1")
        yield* committed(one(`after ${n}`, "t"))
      }
      assert.deepStrictEqual(yield* committed(one("l"), one("m", "t"), expecting("n", 1)), [
        "Committed,Committed,Conflict",
        "append_1"
      ])
      const seqs = (yield* eventsOf(other, "t")).map(({ seq }) => Number(seq))
      assert.deepStrictEqual(seqs, seqs.map((_, n) => n + 1))
    }))

  it.live("do nothing where the store was restored under them", () =>
    Effect.gen(function*() {
      const { committed, schema, url } = yield* begun
      assert.deepStrictEqual(yield* committed(one("a"), one("b")), ["Committed,Committed", "append_each_1"])
      yield* sql(url, `DELETE FROM ${schema}.event WHERE position > 3; DELETE FROM ${schema}.recorded`)
      assert.deepStrictEqual(yield* committed(one("c"), one("d")), ["Committed,Committed", "append_each_1", "append_1"])
      assert.deepStrictEqual(
        yield* sql(url, `SELECT position::int, seq::int FROM ${schema}.event WHERE data LIKE '_c_' OR data LIKE '_d_'`),
        [{ position: 4, seq: 3 }, { position: 5, seq: 4 }]
      )
    }))
})
