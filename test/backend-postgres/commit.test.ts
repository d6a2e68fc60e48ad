/** Commits: what is assumed of the store before it's asked, and how often it has to be asked. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { Memory } from "@persist/backend-postgres/memory"
import { type BackendShape, type Commit, Position, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, contents, errorOf, eventsOf, everything, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"
import { watched } from "./watched.ts"

const expecting = (stream: string, expected: number | "exists", more: Partial<Commit> = {}): Commit =>
  commitOf({
    ...appendOf(stream, "1"),
    expect: [{ _tag: "Stream", stream, expected: expected === "exists" ? expected : Seq(expected) }],
    ...more
  })

const keyed = (key: string, expected: number | "absent" | "exists"): Commit =>
  commitOf({
    expect: [{
      _tag: "Key",
      namespace: "n",
      key,
      expected: typeof expected === "number" ? Position(expected) : expected
    }],
    write: [putOf("n", key, "1")]
  })

describe("a batch takes one statement", () => {
  it.live("whether its streams are new, remembered, or as it expects", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      yield* other.commit([appendOf("a", "1", "2"), appendOf("b", "1"), appendOf("c", "1"), appendOf("d", "1")])
      const one = [1, "Committed"]
      assert.deepStrictEqual(yield* tell(expecting("new", 0)), one)
      assert.deepStrictEqual(yield* tell(expecting("new", 1)), one)
      assert.deepStrictEqual(yield* tell(appendOf("new", "1")), one)
      assert.deepStrictEqual(yield* tell(expecting("a", 2)), one)
      assert.deepStrictEqual(yield* tell(appendOf("b", "1")), one)
      assert.deepStrictEqual(yield* tell(expecting("c", "exists")), one)
      assert.deepStrictEqual(yield* tell(commitOf({ truncate: [{ stream: "d", before: Seq(2) }] })), one)
      assert.deepStrictEqual(yield* tell(commitOf({ expect: expecting("a", 3).expect })), one)
    }))

  it.live("also where another handle has written to the same streams meanwhile", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      for (const n of [1, 2, 3]) {
        assert.deepStrictEqual(yield* tell(appendOf("s", "mine"), appendOf("t", "mine")), [1, "Committed", "Committed"])
        yield* other.commit([appendOf("s", "other's"), commitOf({ write: [putOf("n", `k${n}`, "1")] })])
      }
      const seqs = (yield* eventsOf(other, "s")).map((
        { data, position, seq }
      ) => [Number(seq), Number(position), data])
      assert.deepStrictEqual(seqs, [
        [1, 1, "mine"],
        [2, 3, "other's"],
        [3, 5, "mine"],
        [4, 7, "other's"],
        [5, 9, "mine"],
        [6, 11, "other's"]
      ])
    }))

  it.live("where it writes keys, whatever it expects of them", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      yield* other.commit([keyed("there", "absent")])
      assert.deepStrictEqual(yield* tell(keyed("new", "absent")), [1, "Committed"])
      assert.deepStrictEqual(yield* tell(keyed("there", "exists")), [1, "Committed"])
      assert.deepStrictEqual(yield* tell(keyed("new", 2)), [1, "Committed"])
      assert.deepStrictEqual(yield* tell(commitOf({ write: [{ _tag: "Delete", namespace: "n", key: "new" }] })), [
        1,
        "Committed"
      ])
    }))

  it.live("and where nothing can be written", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      yield* other.commit([appendOf("s", "1"), keyed("k", "absent")])
      assert.deepStrictEqual(yield* tell(expecting("s", 0), keyed("k", "absent")), [1, "Conflict", "Conflict"])
      assert.deepStrictEqual(yield* tell(expecting("none", "exists")), [1, "Conflict"])
    }))
})

describe("a batch takes another statement", () => {
  it.live("where some of it conflicts, and some of it doesn't", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      yield* other.commit([appendOf("s", "1")])
      assert.deepStrictEqual(yield* tell(expecting("s", 0), appendOf("t", "1"), expecting("s", 1)), [
        2,
        "Conflict",
        "Committed",
        "Committed"
      ])
    }))

  it.live("for the number of keys that it clears, and for ids that were used before", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      const named = { ...appendOf("s", "1"), identity: { id: "i", digest: "d" } }
      yield* other.commit([keyed("a", "absent"), keyed("b", "absent"), named])
      const clear = commitOf({ write: [{ _tag: "Clear", namespace: "n" }] })
      assert.deepStrictEqual(yield* tell(clear), [2, "Committed"])
      assert.deepStrictEqual(yield* tell(clear), [1, "Committed"])
      assert.deepStrictEqual(yield* tell(named), [2, "Committed"])
      assert.deepStrictEqual(yield* tell(named, appendOf("t", "1")), [3, "Committed", "Committed"])
    }))

  it.live("where a key's revision is expected that its own batch gives", () =>
    Effect.gen(function*() {
      const { other, tell } = yield* watched
      yield* tell(appendOf("s", "1"))
      yield* other.commit([appendOf("s", "1"), appendOf("s", "1")])
      // Whoever remembers the head at 1 takes the put for revision 2; it's 4.
      assert.deepStrictEqual(yield* tell(keyed("k", "absent"), keyed("k", 4)), [2, "Committed", "Committed"])
      assert.deepStrictEqual(yield* tell(keyed("l", "absent"), keyed("l", 4)), [1, "Committed", "Conflict"])
      assert.strictEqual(yield* other.head, 6)
    }))
})

describe("what a batch does with keys", () => {
  const del = (key: string): Commit => commitOf({ write: [{ _tag: "Delete", namespace: "n", key }] })
  const put = (key: string, value: string): Commit => commitOf({ write: [putOf("n", key, value)] })
  const clear = commitOf({ write: [{ _tag: "Clear", namespace: "n" }] })

  it.live("is the same in one batch as in one for each commit", () =>
    Effect.gen(function*() {
      const commits = [
        put("a", "1"),
        put("a", "2"),
        del("a"),
        del("a"),
        put("b", "3"),
        clear,
        del("b"),
        put("b", "4"),
        put("c", "5"),
        clear,
        put("d", "6"),
        del("d"),
        put("d", "7")
      ] as const
      const { backend: together } = yield* newStore
      const { backend: apart } = yield* newStore
      const outcomes = yield* together.commit(commits)
      const each = yield* Effect.forEach(commits, (commit) => Effect.map(apart.commit([commit]), ([one]) => one))
      assert.deepStrictEqual<unknown>(outcomes, each)
      assert.deepStrictEqual(yield* contents(together), yield* contents(apart))
    }))
})

describe("a lock that other applications hold", () => {
  it.live("on keys of their own stops no writer", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      const [row] = yield* sql(url, `SELECT '${schema}.store'::regclass::oid::int AS id`)
      // Within one statement, so that the lock is held until the answer.
      yield* sql(url, `SELECT pg_advisory_lock(1), pg_advisory_lock(${String(row?.id)})`)
      yield* backend.commit([appendOf("s", "1")])
    }))
})

describe("what is remembered of a store", () => {
  it.live("isn't believed on another connection: a server that doesn't flush may have lost it in a crash", () =>
    Effect.gen(function*() {
      const { other, reconnect, schema, tell, url } = yield* watched
      yield* tell(appendOf("mine", "1"))
      yield* sql(url, `DELETE FROM ${schema}.event; DELETE FROM ${schema}.stream`)
      yield* other.commit([appendOf("other's", "1")])
      yield* reconnect
      yield* tell(appendOf("mine", "2"))
      const streams = yield* other.streams({ prefix: "", after: undefined, limit: 9 })
      assert.deepStrictEqual<unknown>(streams, [
        { stream: "mine", first: 1, last: 1 },
        { stream: "other's", first: 1, last: 1 }
      ])
    }))

  it.live("isn't taken for what another store holds that was put in its place and has come as far", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([appendOf("s", "1")])
      yield* sql(url, `DROP SCHEMA ${schema} CASCADE`)
      const next = yield* make({ url, schema })
      yield* next.commit([appendOf("t", "1")])
      assert.strictEqual((yield* errorOf(backend.commit([appendOf("s", "2")])))._tag, "Corrupt")
      assert.strictEqual(yield* next.head, 1)
    }))
})

describe("memory", () => {
  it("of streams and types holds for one server and head, and is bounded", () => {
    const memory = new Memory()
    memory.meet("a", 5)
    memory.keepStream("s", { id: 1, last: 2 })
    memory.keepType("T", 1)
    memory.meet("a", 5)
    assert.deepStrictEqual([memory.stream("s"), memory.type("T")], [{ id: 1, last: 2 }, 1])
    memory.meet("a", 6)
    assert.deepStrictEqual([memory.stream("s"), memory.type("T")], [undefined, 1])
    memory.keepStream("s", { id: 1, last: 2 })
    memory.meet("b", 6)
    assert.deepStrictEqual([memory.stream("s"), memory.type("T")], [undefined, undefined])
    for (let n = 0; n < 100_001; n++) {
      memory.keepStream(`s${n}`, { id: n, last: 1 })
      memory.keepType(`t${n}`, n)
    }
    assert.deepStrictEqual([memory.type("t0"), memory.type("t100000")], [undefined, 100_000])
    memory.meet("b", 6)
    assert.isUndefined(memory.stream("s100000"))
  })
})

describe("a large batch", () => {
  it.live("of ten thousand events in as many streams is in its order", () =>
    Effect.gen(function*() {
      const { backend } = yield* newStore
      const streams = Array.from({ length: 10_000 }, (_, n) => `s${n}`)
      const [first, ...rest] = streams.map((stream) => appendOf(stream, `"${stream}"`))
      if (first === undefined) return
      yield* backend.commit([first, ...rest])
      const read = (after: number): ReturnType<BackendShape["readAll"]> =>
        backend.readAll({ ...everything, after: Position(after), to: Position(unbounded) })
      const { items, through } = yield* read(0)
      assert.deepStrictEqual([items.length, through], [10_000, 10_000])
      assert.isTrue(items.every(({ position, stream }, n) => position === n + 1 && stream === `s${n}`))
    }), 60_000)
})
