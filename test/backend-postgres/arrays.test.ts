/** Arrays in PostgreSQL's binary form: what the server reads is what was meant. */
import { assert, describe, it } from "@effect/vitest"
import { bools, byteArrays, int4s, int8s, numbersOf, texts } from "@persist/backend-postgres/arrays"
import * as Effect from "effect/Effect"
import { sharedPostgres, sql } from "../servers/postgres.ts"

const read = (type: string, array: Buffer) =>
  Effect.gen(function*() {
    const { url } = yield* sharedPostgres
    const rows = yield* sql(
      url,
      `SELECT array_agg(v::text ORDER BY n) AS found FROM unnest($1::${type}[]) WITH ORDINALITY u(v, n)`,
      [array]
    )
    return rows[0]?.found
  })

describe("an array", () => {
  it.live("of numbers, up to the largest", () =>
    Effect.gen(function*() {
      const small = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]
      assert.deepStrictEqual(yield* read("int", int4s(small)), small.map(String))
      const large = [0, -1, 1, 2 ** 32, -(2 ** 32), 2 ** 32 - 1, -(2 ** 32) - 1, -5, 2 ** 53 - 1, -(2 ** 53) + 1]
      assert.deepStrictEqual(yield* read("bigint", int8s(large)), large.map(String))
    }))

  it.live("of texts, with nulls, nothing and more than a byte a character", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read("text", texts(["", undefined, "\u{1f600}\u00e9", "x".repeat(70_000)])), [
        "",
        null,
        "\u{1f600}\u00e9",
        "x".repeat(70_000)
      ])
      assert.deepStrictEqual(yield* read("text", texts(["a\0b"])), ["a\x01\x01b"])
    }))

  it.live("of bytes and of truths", () =>
    Effect.gen(function*() {
      const bytes = [new Uint8Array([0, 255]), undefined, new Uint8Array(0)]
      assert.deepStrictEqual(yield* read("bytea", byteArrays(bytes)), ["\\x00ff", null, "\\x"])
      assert.deepStrictEqual(yield* read("boolean", bools([true, false])), ["true", "false"])
    }))

  it.live("that is empty, or of nothing but nulls, is an empty one", () =>
    Effect.gen(function*() {
      for (
        const [type, array] of [
          ["int", int4s([])],
          ["bigint", int8s([])],
          ["text", texts([])],
          ["text", texts([undefined])],
          ["bytea", byteArrays([undefined])],
          ["boolean", bools([])]
        ] as const
      ) {
        assert.isNull(yield* read(type, array))
      }
    }))

  it("is read from what the server answers as text", () => {
    assert.deepStrictEqual(numbersOf("{}"), [])
    assert.deepStrictEqual(numbersOf("{1,-2,9007199254740991}"), [1, -2, 9007199254740991])
  })
})
