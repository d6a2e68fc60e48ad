/** Writing: what a handle remembers between batches never outlives its truth, and the head never goes back. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { type Commit, origin, type Outcome, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  appendOf,
  commitOf,
  contents,
  driver,
  errorOf,
  eventOf,
  eventsOf,
  everything,
  newPath,
  putOf,
  visit
} from "./place.ts"

const expecting = (stream: string, seq: number, commit: Commit): Commit => ({
  ...commit,
  expect: [{ _tag: "Stream", stream, expected: Seq(seq) }]
})

const tags = (outcomes: ReadonlyArray<Outcome>) => outcomes.map(({ _tag }) => _tag)

/** Makes every later event with this payload fail in the database itself, after it was judged. */
const forbid = (path: string, payload: string) =>
  driver(path, (db) =>
    db.exec(`
      CREATE TRIGGER forbidden BEFORE INSERT ON event WHEN NEW.data = '${payload}'
      BEGIN SELECT RAISE(ABORT, 'forbidden'); END`))

describe("what a handle remembers", () => {
  it.effect("gives way to what another handle committed: last seqs, head, keys, ids", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const one = yield* make({ path })
      const two = yield* make({ path })
      for (let n = 0; n < 6; n++) {
        const [writer, other] = n % 2 === 0 ? [one, two] : [two, one]
        const [outcome] = yield* writer.commit([expecting("s", n, appendOf("s", String(n)))])
        assert.strictEqual(outcome._tag, "Committed")
        const [late, fresh] = yield* other.commit([
          expecting("s", n, appendOf("s", "late")),
          appendOf(`by ${n}`, "1")
        ])
        assert.deepStrictEqual<unknown>(late, {
          _tag: "Conflict",
          expectation: { _tag: "Stream", stream: "s", expected: n },
          actual: n + 1
        })
        assert.strictEqual(fresh?._tag === "Committed" && Number(fresh.position), 2 * n + 2)
      }
      assert.deepStrictEqual(yield* contents(one), yield* contents(two))
      assert.strictEqual((yield* one.readAll(everything)).items.length, 12)
    }))

  it.effect("is dropped with a batch that failed, of which nothing happened", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      yield* backend.commit([appendOf("s", "1")])
      const before = yield* contents(backend)
      forbid(path, "bad")
      const error = yield* errorOf(backend.commit([
        commitOf({
          append: [{ stream: "new", events: [eventOf("1", { type: "NewType" })] }],
          write: [putOf("new namespace", "k", "1")],
          identity: { id: "id", digest: "d" }
        }),
        commitOf({ truncate: [{ stream: "s", before: Seq(2) }] }),
        appendOf("s", "bad")
      ]))
      assert.strictEqual(error._tag, "Corrupt")
      assert.match(error.message, /SQLITE_CONSTRAINT_TRIGGER/)
      assert.deepStrictEqual(yield* contents(backend), before)
      assert.deepStrictEqual((yield* backend.resolve("id"))._tag, "None")
      // The ids that the failed batch gave out now go to other names.
      const outcomes = yield* backend.commit([
        expecting("s", 1, commitOf({ append: [{ stream: "s", events: [eventOf("2", { type: "OtherType" })] }] })),
        expecting(
          "other",
          0,
          commitOf({ append: [{ stream: "other", events: [eventOf("3", { type: "ThirdType" })] }] })
        ),
        commitOf({ write: [putOf("other namespace", "k", "2")] }),
        expecting("new", 0, commitOf({ append: [{ stream: "new", events: [eventOf("4", { type: "NewType" })] }] })),
        commitOf({ write: [putOf("new namespace", "k", "3")] })
      ])
      assert.deepStrictEqual(tags(outcomes), Array.from(outcomes, () => "Committed"))
      const { items } = yield* backend.readAll(everything)
      assert.deepStrictEqual(items.map(({ data, position, stream, type }) => [Number(position), stream, type, data]), [
        [1, "s", "Happened", "1"],
        [2, "s", "OtherType", "2"],
        [3, "other", "ThirdType", "3"],
        [5, "new", "NewType", "4"]
      ])
      const entries = yield* backend.get([
        { namespace: "other namespace", key: "k" },
        { namespace: "new namespace", key: "k" }
      ])
      assert.deepStrictEqual(entries.map((entry) => entry?.value), ["2", "3"])
      assert.deepStrictEqual(yield* contents(backend), yield* visit(path, contents))
    }))
})

describe("a commit under an id", () => {
  it.effect("is resolved to its first outcome by every handle, however often it is sent", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      const commit = commitOf({
        identity: { id: "once\0 🦜", digest: "d" },
        append: [{ stream: "a\0", events: [eventOf("1"), eventOf("2")] }, { stream: "b", events: [eventOf("3")] }],
        write: [putOf("n", "k", "1"), putOf("n", "l", "1")]
      })
      const [first, second] = yield* backend.commit([commit, commit])
      assert.strictEqual(first._tag === "Committed" && Number(first.position), 5)
      assert.deepStrictEqual<unknown>(second, { ...first, repeated: true })
      for (const handle of [backend, yield* make({ path }), yield* make({ path, readonly: true })]) {
        assert.deepStrictEqual<unknown>(Option.getOrUndefined(yield* handle.resolve("once\0 🦜")), first)
        assert.isTrue(Option.isNone(yield* handle.resolve("once")))
      }
      const [other] = yield* backend.commit([{ ...commit, identity: { id: "once\0 🦜", digest: "e" } }])
      assert.strictEqual(other._tag === "Refused" && other.error._tag, "Invalid")
      assert.strictEqual(yield* backend.head, 5)
    }))
})

describe("the head", () => {
  const last: ReadonlyArray<readonly [name: string, head: number, batch: readonly [Commit, ...ReadonlyArray<Commit>]]> =
    [
      ["an event", 4, [appendOf("s", "4")]],
      ["a key", 4, [commitOf({ write: [putOf("n", "k", "2")] })]],
      ["a deleted key", 4, [commitOf({ write: [{ _tag: "Delete", namespace: "n", key: "k" }] })]],
      ["a key that never was", 4, [commitOf({ write: [{ _tag: "Delete", namespace: "none", key: "k" }] })]],
      ["a cleared namespace", 4, [commitOf({ write: [{ _tag: "Clear", namespace: "n" }] })]],
      ["a truncation of all", 4, [commitOf({ truncate: [{ stream: "s", before: Seq(99) }] })]],
      ["a truncation of nothing", 4, [commitOf({ truncate: [{ stream: "none", before: Seq(2) }] })]],
      ["an event that's truncated at once", 5, [
        commitOf({ append: [{ stream: "s", events: [eventOf("4")] }], truncate: [{ stream: "s", before: Seq(99) }] })
      ]],
      ["a key before an event that follows", 5, [commitOf({ write: [putOf("n", "k", "2")] }), appendOf("s", "5")]],
      ["an event before a truncation that follows", 5, [
        appendOf("s", "4"),
        commitOf({ truncate: [{ stream: "s", before: Seq(99) }] })
      ]]
    ]
  it.effect.each(last)(
    "is kept across closing where the last position went to %s",
    ([, head, batch]) =>
      Effect.gen(function*() {
        const path = yield* newPath
        yield* visit(path, (backend) =>
          Effect.gen(function*() {
            yield* backend.commit([appendOf("s", "1", "2"), commitOf({ write: [putOf("n", "k", "1")] })])
            yield* backend.commit(batch)
            assert.strictEqual(yield* backend.head, head)
          }))
        yield* visit(path, (backend) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* backend.head, head)
            const [info] = yield* backend.streams({ prefix: "s", after: undefined, limit: 1 })
            const left = (yield* eventsOf(backend, "s")).map(({ seq }) => Number(seq))
            assert.deepStrictEqual(left, Array.from(left, (_, i) => (info?.first ?? 0) + i))
            assert.strictEqual(left.length, (info?.last ?? 0) - (info?.first ?? 0) + 1)
            const [outcome] = yield* backend.commit([appendOf("t", "1")])
            assert.strictEqual(outcome._tag === "Committed" && Number(outcome.position), head + 1)
          }))
      })
  )

  it.effect("and last seqs outlive every event and key", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          yield* backend.commit([appendOf("s", "1", "2", "3"), commitOf({ write: [putOf("n", "k", "1")] })])
          yield* backend.commit([commitOf({
            write: [{ _tag: "Clear", namespace: "n" }],
            truncate: [{ stream: "s", before: Seq(Number.MAX_SAFE_INTEGER) }]
          })])
        }))
      const backend = yield* make({ path })
      assert.deepStrictEqual(yield* backend.readAll(everything), { items: [], through: yield* backend.head })
      assert.deepStrictEqual<unknown>(yield* backend.streams({ prefix: "", after: undefined, limit: 9 }), [
        { stream: "s", first: 4, last: 3 }
      ])
      const [conflict, appended] = yield* backend.commit([expecting("s", 0, appendOf("s", "x")), appendOf("s", "4")])
      assert.strictEqual(conflict._tag === "Conflict" && conflict.actual, 3)
      assert.strictEqual(appended?._tag === "Committed" && Number(appended.position), 7)
      assert.deepStrictEqual((yield* eventsOf(backend, "s")).map(({ seq }) => Number(seq)), [4])
    }))
})

describe("deleted keys", () => {
  it.effect("keep their first tombstone, and one that never was leaves none", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: yield* newPath })
      const gone = (key: string) => commitOf({ at: 7, write: [{ _tag: "Delete", namespace: "n", key }] })
      yield* backend.commit([commitOf({ write: [putOf("n", "k", "1")] }), gone("k"), gone("k"), gone("never")])
      assert.deepStrictEqual<unknown>(yield* backend.changed({ namespace: "n", after: origin, limit: 9 }), {
        items: [{ _tag: "Tombstone", namespace: "n", key: "k", revision: 2, at: 7 }],
        through: 4
      })
    }))

  it.effect("of a cleared namespace take their positions in the order of their UTF-8 bytes", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: yield* newPath })
      const keys = ["\uffff", "🦜", "a", "a\0", "Z"]
      yield* backend.commit([commitOf({ write: keys.map((key) => putOf("n", key, "1")) })])
      const [outcome] = yield* backend.commit([commitOf({ write: [{ _tag: "Clear", namespace: "n" }] })])
      assert.deepStrictEqual(outcome._tag === "Committed" && outcome.revisions.map(Number), [10])
      const { items } = yield* backend.changed({ namespace: "n", after: origin, limit: 9 })
      assert.deepStrictEqual(items.map(({ _tag, key, revision }) => [_tag, key, Number(revision)]), [
        ["Tombstone", "Z", 6],
        ["Tombstone", "a", 7],
        ["Tombstone", "a\0", 8],
        ["Tombstone", "\uffff", 9],
        ["Tombstone", "🦜", 10]
      ])
    }))
})
