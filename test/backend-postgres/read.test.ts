/** Reading: pages that are bounded by what they hold and by how far they look, and damage where it's met. */
import { assert, describe, it } from "@effect/vitest"
import { type AllRange, type BackendShape, Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, errorOf, eventsOf, everything, putOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"

const mebibyte = 2 ** 20

/** Every page of a range, forwards: how many events each has, and how far it looked. */
const pagesOf = Effect.fnUntraced(function*(backend: BackendShape, range: Partial<AllRange>, to: number) {
  const pages: Array<readonly [events: number, through: number]> = []
  for (let after = 0; after < to;) {
    const page = yield* backend.readAll({ ...everything, ...range, after: Position(after) })
    after = page.through
    pages.push([page.items.length, page.through])
  }
  return pages
})

describe("a page of all events", () => {
  it.live(
    "ends with the event by which its payloads pass 16 MiB, in the order of positions",
    () =>
      Effect.gen(function*() {
        const { backend } = yield* newStore
        const large = `"${"x".repeat(6 * mebibyte)}"`
        yield* backend.commit([appendOf("s", large, large), appendOf("t", new Uint8Array(6 * mebibyte), large, large)])
        yield* backend.commit([appendOf("s", "1", "2")])
        assert.deepStrictEqual(yield* pagesOf(backend, {}, 7), [[3, 3], [4, 7]])
        assert.deepStrictEqual(yield* pagesOf(backend, { limit: 2 }, 7), [[2, 2], [2, 4], [2, 6], [1, 7]])
        assert.deepStrictEqual(yield* pagesOf(backend, { prefix: "t" }, 7), [[3, 5], [0, 7]])
        // Whoever reads backwards goes on only after a full page.
        assert.strictEqual((yield* backend.readAll({ ...everything, reverse: true })).items.length, 7)
      }),
    60_000
  )

  it.live("with a filter looks no further than half a million positions", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([appendOf("s", "1", "2"), appendOf("t", "3")])
      // As if others had given out the positions between.
      yield* sql(url, `UPDATE ${schema}.event SET position = position + 1200000 WHERE position > 1`)
      const end = 1_200_003
      assert.deepStrictEqual(yield* pagesOf(backend, {}, end), [[3, end]])
      const looked = [[1, 500_000], [0, 1_000_000], [2, end]]
      assert.deepStrictEqual<unknown>(yield* pagesOf(backend, { types: ["Happened"] }, end), looked)
      const back = yield* backend.readAll({ ...everything, types: ["Happened"], reverse: true })
      assert.strictEqual(back.items.length, 3)
    }))

  it.live("of a few streams finds them by their names, however long the log is", () =>
    Effect.gen(function*() {
      const { backend } = yield* newStore
      const many = Array.from({ length: 40 }, (_, n) => appendOf(n % 20 === 0 ? "rare" : "often", `${n}`))
      const [first, ...rest] = many
      if (first === undefined) return
      yield* backend.commit([first, ...rest])
      const page = yield* backend.readAll({ ...everything, prefix: "rare", limit: 10 })
      assert.deepStrictEqual([page.items.map(({ data }) => data), page.through], [["0", "20"], 40])
      const wanted = { ...everything, prefix: "rare", limit: 1, types: ["Happened", "never"] }
      const one = yield* backend.readAll(wanted)
      assert.deepStrictEqual([one.items.map(({ data }) => data), one.through], [["0"], 1])
      const back = yield* backend.readAll({ ...wanted, reverse: true })
      assert.deepStrictEqual(back.items.map(({ data }) => data), ["20"])
    }))
})

describe("a list of the streams that were truncated", () => {
  it.live("leaves out all others", () =>
    Effect.gen(function*() {
      const { backend } = yield* newStore
      yield* backend.commit([appendOf("a", "1", "2"), appendOf("b", "1", "2"), appendOf("c", "1", "2")])
      yield* backend.commit([commitOf({ truncate: [{ stream: "b", before: Seq(2) }] })])
      // Whole lists before and after, by statements of their own on the same connection.
      for (const [prefix, whole] of [["", ["a", "b", "c"]], ["b", ["b"]]] as const) {
        for (const [shortened, wanted] of [[false, whole], [true, ["b"]], [false, whole]] as const) {
          const found = yield* backend.streams({ prefix, after: undefined, limit: 10, shortened })
          assert.deepStrictEqual(found.map(({ stream }) => stream), [...wanted])
        }
      }
    }))
})

describe("damage", () => {
  it.live("a payload that is missing is Corrupt, with the place", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([{ ...appendOf("s", "1"), write: [putOf("n", "k", "1")] }])
      yield* sql(
        url,
        `ALTER TABLE ${schema}.event DROP CONSTRAINT event_check; UPDATE ${schema}.event SET data = NULL;
        ALTER TABLE ${schema}.entry DROP CONSTRAINT entry_check; UPDATE ${schema}.entry SET value = NULL`
      )
      assert.deepInclude(yield* errorOf(eventsOf(backend, "s")), { _tag: "Corrupt", where: "event at position 1" })
      const key = backend.get([{ namespace: "n", key: "k" }])
      assert.deepInclude(yield* errorOf(key), { _tag: "Corrupt", where: "key \"k\"" })
    }))

  it.live("a table that is gone is Corrupt, and a schema that is gone is denied", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* sql(url, `DROP TABLE ${schema}.event`)
      const error = yield* errorOf(backend.head)
      assert.match(error.message, /^the schema, in connect: a table is missing \(42P01\); restore a backup/)
      assert.strictEqual((yield* errorOf(backend.commit([appendOf("s", "1")])))._tag, "Corrupt")
    }))
})

describe("a read that is in the server's way", () => {
  it.live("as on a standby that has to go on, is done again", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      yield* backend.commit([appendOf("s", "1")])
      assert.strictEqual((yield* eventsOf(backend, "s")).length, 1)
      yield* sql(
        url,
        `CREATE SEQUENCE ${schema}.tries; ALTER TABLE ${schema}.event RENAME TO kept;
        CREATE FUNCTION ${schema}.conflict() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('${schema}.tries') = 1 THEN RAISE 'in the way' USING ERRCODE = '40001'; END IF;
          RETURN true;
        END $$;
        CREATE VIEW ${schema}.event AS SELECT * FROM ${schema}.kept WHERE ${schema}.conflict()`
      )
      assert.strictEqual((yield* eventsOf(backend, "s")).length, 1)
      const [tries] = yield* sql(url, `SELECT last_value::int AS n FROM ${schema}.tries`)
      assert.strictEqual(tries?.n, 2)
    }))
})
