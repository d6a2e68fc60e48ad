/** What most writes to the kv are, commits of one put each: when they're asked for so, and what comes of it. */
import { assert, describe, it } from "@effect/vitest"
import type { Commit, KeyExpectation } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { watched } from "./watched.ts"

const named = (id: string, commit: Commit): Commit => ({ ...commit, identity: { id, digest: `digest of ${id}` } })
const put = (id: string, key = id, namespace = "n"): Commit =>
  named(id, commitOf({ write: [putOf(namespace, key, JSON.stringify(id))] }))
const expecting = (expected: number | "absent" | "exists", commit: Commit, key = "k"): Commit => {
  const one: KeyExpectation = {
    _tag: "Key",
    namespace: "n",
    key,
    expected: typeof expected === "number" ? Position(expected) : expected
  }
  return { ...commit, expect: [...commit.expect, one] }
}

const single = "put_one_1"
const many = "write_each_1"
const long = "commit_1"

/** A writer that remembers the namespaces `n` and `m`, where `k` has revision 1, and that it writes alone. */
const begun = Effect.gen(function*() {
  const all = yield* watched
  yield* all.tell(put("first", "k"), put("second", "k", "m"), named("third", appendOf("s", "1")))
  const committed = Effect.fnUntraced(function*(...commits: readonly [Commit, ...ReadonlyArray<Commit>]) {
    const [, ...tags] = yield* all.tell(...commits)
    return [tags.join(), ...all.called()]
  })
  const stored = Effect.map(
    sql(
      all.url,
      `SELECT n.name || ' ' || e.key AS key, e.revision::int, e.value, e.deleted,
        r.id, r.digest, r.start::int, r.revisions
      FROM ${all.schema}.entry e JOIN ${all.schema}.namespace n ON n.id = e.namespace
      JOIN ${all.schema}.recorded r ON r.position = e.revision AND r.stream IS NULL AND r.events IS NULL ORDER BY 2`
    ),
    (rows) => rows.filter(({ id }) => id !== "first" && id !== "second")
  )
  return { ...all, committed, stored }
})

const row = (revision: number, key: string, id: string) => ({
  key,
  revision,
  value: JSON.stringify(id),
  deleted: false,
  id,
  digest: `digest of ${id}`,
  start: revision - 1,
  revisions: [1]
})

describe("commits of one put each", () => {
  it.live("take the short ways, alone and together, and the head goes on with them", () =>
    Effect.gen(function*() {
      const { committed, other, stored, tell } = yield* begun
      assert.deepStrictEqual(yield* committed(put("a")), ["Committed", single])
      assert.deepStrictEqual(yield* committed(put("b", "k"), put("c", "k", "m")), ["Committed,Committed", many])
      // The namespaces are asked for once.
      assert.deepStrictEqual(yield* tell(put("d", "k")), [1, "Committed"])
      assert.strictEqual(yield* other.head, Position(7))
      assert.deepStrictEqual(yield* committed(named("e", appendOf("s", "2"))), ["Committed", "append_one_1"])
      assert.deepStrictEqual(yield* committed(put("f"), put("g")), ["Committed,Committed", many])
      assert.strictEqual(yield* other.head, Position(10))
      assert.deepStrictEqual<unknown>(yield* stored, [
        row(4, "n a", "a"),
        row(6, "m k", "c"),
        row(7, "n k", "d"),
        row(9, "n f", "f"),
        row(10, "n g", "g")
      ])
    }))

  it.live("go together with commits of one event each, in their order", () =>
    Effect.gen(function*() {
      const { committed, other, schema, stored, tell, url } = yield* begun
      const event = (id: string, expected?: number): Commit => ({
        ...named(id, appendOf("s", JSON.stringify(id))),
        expect: expected === undefined ? [] : [{ _tag: "Stream", stream: "s", expected: Seq(expected) }]
      })
      yield* committed(put("a"))
      const both = ["Committed,Committed,Committed,Committed", many]
      assert.deepStrictEqual(
        yield* committed(event("b"), put("c", "k"), event("d", 2), expecting(4, put("e", "a"), "a")),
        both
      )
      assert.deepStrictEqual(yield* committed(put("f"), event("g"), put("h"), event("i", 4)), both)
      assert.strictEqual(yield* other.head, Position(12))
      assert.deepStrictEqual(yield* tell(put("j")), [1, "Committed"])
      assert.deepStrictEqual<unknown>(yield* stored, [
        row(6, "n k", "c"),
        row(8, "n a", "e"),
        row(9, "n f", "f"),
        row(11, "n h", "h"),
        row(13, "n j", "j")
      ])
      const events = yield* sql(
        url,
        `SELECT e.position::int, e.seq::int, e.data, r.start::int, r.first::int, r.events, r.revisions
        FROM ${schema}.event e JOIN ${schema}.recorded r ON r.position = e.position WHERE e.seq > 1 ORDER BY 1`
      )
      const found = ([[5, "b"], [7, "d"], [10, "g"], [12, "i"]] as const).map(([position, id], n) => ({
        position,
        seq: n + 2,
        data: JSON.stringify(id),
        start: position - 1,
        first: n + 2,
        events: 1,
        revisions: null
      }))
      assert.deepStrictEqual<unknown>(events, found)
      // One that conflicts, or was there before, takes all of them the long way.
      assert.include(yield* committed(event("k"), put("l"), event("m", 1)), "Committed,Committed,Conflict")
      assert.deepStrictEqual(yield* committed(event("n"), put("l")), ["Committed,Committed", many, long, long])
    }))

  it.live("take them with the revision that they expect, and conflict by the long way", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      assert.deepStrictEqual(yield* committed(expecting(1, put("a", "k"))), ["Committed", single])
      assert.deepStrictEqual(yield* committed(expecting("absent", put("b"), "b")), ["Committed", single])
      const batch = [expecting(4, put("c", "k")), put("d"), expecting("absent", put("e"), "e")] as const
      assert.deepStrictEqual(yield* committed(...batch), ["Committed,Committed,Committed", many])
      for (const [n, expected] of ([1, "absent"] as const).entries()) {
        const one = expecting(expected, put(`f${n}`, "k"))
        assert.deepStrictEqual(yield* committed(one), ["Conflict", single, long])
        assert.deepStrictEqual(yield* committed(put(`g${n}`)), ["Committed", long])
        assert.deepStrictEqual(yield* committed(put(`h${n}`), one), ["Committed,Conflict", many, long, long])
        assert.deepStrictEqual(yield* committed(put(`i${n}`)), ["Committed", single])
      }
      yield* other.commit([commitOf({ write: [{ _tag: "Delete", namespace: "n", key: "k" }] })])
      yield* committed(put("j1"))
      yield* committed(put("j2"))
      yield* committed(put("j3"))
      // Deleted is absent.
      assert.deepStrictEqual(yield* committed(expecting("absent", put("m", "k"))), ["Committed", single])
      const [entry] = yield* other.get([{ namespace: "n", key: "k" }])
      assert.strictEqual(entry?.value, JSON.stringify("m"))
    }))

  it.live("take the long way after others have written, until nobody else does", () =>
    Effect.gen(function*() {
      const { committed, other, stored } = yield* begun
      for (const meanwhile of [appendOf("s", "2"), commitOf({ write: [putOf("n", "k", "1")] })]) {
        const id = String(meanwhile.append.length)
        yield* other.commit([meanwhile])
        assert.deepStrictEqual(yield* committed(put(`a${id}`)), ["Committed", single, long])
        yield* other.commit([meanwhile])
        assert.deepStrictEqual(yield* committed(put(`b${id}`), put(`c${id}`)), ["Committed,Committed", long])
        assert.deepStrictEqual(yield* committed(put(`d${id}`)), ["Committed", long])
        assert.deepStrictEqual(yield* committed(put(`e${id}`)), ["Committed", single])
      }
      assert.strictEqual((yield* stored).at(-1)?.revision, Number(yield* other.head))
    }))

  it.live("happen once, and nothing of a batch by halves", () =>
    Effect.gen(function*() {
      const { committed, other, stored } = yield* begun
      assert.deepStrictEqual(yield* committed(put("a")), ["Committed", single])
      assert.deepStrictEqual(yield* committed(put("a")), ["Committed", single, long])
      yield* committed(put("b"))
      assert.deepStrictEqual(yield* committed(put("c"), put("a")), ["Committed,Committed", many, long, long])
      yield* committed(put("d"))
      yield* other.resolve("e")
      assert.deepStrictEqual(yield* committed(put("e")), ["Committed", single, long, long])
      yield* committed(put("f"))
      yield* other.resolve("g")
      assert.deepStrictEqual(yield* committed(put("g"), put("h")), ["Committed,Committed", many, long, long])
      const found = yield* stored
      assert.strictEqual(found.map(({ id }) => id).join(""), "abcdefgh")
      assert.deepStrictEqual(found.map(({ revision }) => revision), found.map((_, n) => n + 4))
    }))

  it.live("keep bytes, what goes with them, and names with any characters", () =>
    Effect.gen(function*() {
      const { committed, other } = yield* begun
      const bytes = new Uint8Array([0, 1, 255])
      const odd = "no\0 \u0001 😀"
      const one = (key: string, parts: Partial<ReturnType<typeof putOf>>) =>
        named(`${key} ${JSON.stringify(parts)}`, commitOf({ write: [{ ...putOf("n", key, "1"), ...parts }] }))
      const parts = [{ value: bytes }, { meta: odd }, { value: bytes, meta: "{}" }, { value: JSON.stringify(odd) }]
      for (const [n, part] of parts.entries()) {
        assert.include(yield* committed(one(`${odd} ${n}`, part)), single)
      }
      assert.include(yield* committed(one("x0", parts[0] ?? {}), ...parts.map((part, n) => one(`y${n}`, part))), many)
      for (const prefix of [`${odd} `, "y"]) {
        const found = yield* other.get(parts.map((_, n) => ({ namespace: "n", key: `${prefix}${n}` })))
        assert.deepStrictEqual(
          found.map((entry) => [entry?.value, entry?.meta]),
          parts.map(({ meta, value = "1" }: { meta?: string; value?: string | Uint8Array }) => [value, meta])
        )
      }
      yield* other.commit([commitOf({ write: [putOf(odd, "k", "1")] })])
      for (const id of ["a", "b", "c"]) yield* committed(put(id, id, odd))
      assert.deepStrictEqual(yield* committed(put("d", "d", odd)), ["Committed", single])
    }))

  it.live("aren't those of the same key, of new namespaces, without an id, that do more or expect something else", () =>
    Effect.gen(function*() {
      const { committed, other, tell } = yield* begun
      const others: ReadonlyArray<Commit> = [
        put("beside 0", "beside 0"),
        put("b", "b", "new"),
        commitOf({ write: [putOf("n", "c", "1")] }),
        named("d", commitOf({ write: [putOf("n", "d", "1"), putOf("n", "d2", "1")] })),
        named("e", commitOf({ write: [{ _tag: "Delete", namespace: "n", key: "k" }] })),
        named("f", commitOf({ write: [{ _tag: "Clear", namespace: "m" }] })),
        { ...put("g"), append: appendOf("s", "1").append },
        { ...put("h"), truncate: [{ stream: "s", before: Seq(1) }] },
        expecting("exists", put("i", "a"), "a"),
        expecting("absent", put("j"), "other"),
        { ...put("l"), expect: [{ _tag: "Stream", stream: "s", expected: "exists" }] },
        expecting("absent", { ...put("m", "m", "m") }, "m")
      ]
      yield* committed(put("a"))
      for (const [n, commit] of others.entries()) {
        const [tags, ...called] = yield* committed(put(n === 0 ? "zero" : `beside ${n}`, `beside ${n}`), commit)
        assert.strictEqual(tags, "Committed,Committed")
        assert.notInclude(called, many)
        yield* tell(put(`after ${n}`, "after"))
      }
      const head = Number(yield* other.head)
      assert.deepStrictEqual(
        yield* committed(expecting(head, expecting(head + 1, put("o", "after"), "after"), "after")),
        [
          "Conflict",
          long
        ]
      )
    }))

  it.live("ask for namespaces again where the server is another", () =>
    Effect.gen(function*() {
      const { committed, reconnect, tell } = yield* begun
      yield* committed(put("a"))
      yield* reconnect
      assert.deepStrictEqual(yield* committed(put("b")), ["Committed", long])
      assert.deepStrictEqual(yield* committed(put("c")), ["Committed", long])
      assert.deepStrictEqual(yield* tell(put("d")), [2, "Committed"])
      assert.deepStrictEqual(yield* tell(put("e")), [1, "Committed"])
    }))

  it.live("do nothing where the store was restored under them", () =>
    Effect.gen(function*() {
      const { committed, schema, stored, url } = yield* begun
      yield* committed(put("a"))
      yield* committed(put("b"))
      yield* sql(
        url,
        `DELETE FROM ${schema}.entry WHERE revision > 4; UPDATE ${schema}.head SET position = 4;
        DELETE FROM ${schema}.recorded WHERE position > 4`
      )
      assert.deepStrictEqual(yield* committed(put("c")), ["Committed", single, long])
      assert.deepStrictEqual((yield* stored).map(({ id, revision }) => [id, revision]), [["a", 4], ["c", 5]])
    }))
})
