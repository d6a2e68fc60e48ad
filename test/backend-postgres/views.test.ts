/** Views by event type: what people who know SQL see of the log. */
import { assert, describe, it } from "@effect/vitest"
import { createViews } from "@persist/backend-postgres"
import type { Commit } from "@persist/core"
import * as Effect from "effect/Effect"
import { commitOf, errorOf, eventOf } from "../backend-sqlite/place.ts"
import { schemaIn, sql } from "../servers/postgres.ts"
import { newStore } from "./place.ts"

const of = (type: string, data: string | Uint8Array, more = {}): Commit =>
  commitOf({ append: [{ stream: "order-1", events: [eventOf(data, { type, ...more })] }] })

describe("views", () => {
  it.live("show the events of a type with their content exactly as it was given", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      const views = yield* schemaIn(url)
      yield* backend.commit([
        of("OrderPlaced", "{\"total\": 1.50,  \"lines\":[{\"sku\":\"a\"}]}", {
          at: 1_700_000_000_123,
          meta: "{\"by\":\"ada\"}"
        }),
        of("OrderPaid", "7", { id: "p-1", at: 8_640_000_000_000_000 }),
        of("OrderPlaced", new Uint8Array([1, 2]))
      ])
      assert.deepStrictEqual(yield* createViews({ url, schema }, { views }), [
        { type: "OrderPlaced", name: "order_placed" },
        { type: "OrderPaid", name: "order_paid" }
      ])
      const placed = yield* sql(
        url,
        `SELECT stream, seq::int, position::int, at, data::text AS data, data->'lines'->0->>'sku' AS sku,
          meta->>'by' AS by, encode(bytes, 'hex') AS bytes FROM ${views}.order_placed ORDER BY position`
      )
      assert.deepStrictEqual(placed, [
        {
          stream: "order-1",
          seq: 1,
          position: 1,
          at: new Date(1_700_000_000_123),
          data: "{\"total\": 1.50,  \"lines\":[{\"sku\":\"a\"}]}",
          sku: "a",
          by: "ada",
          bytes: null
        },
        { stream: "order-1", seq: 3, position: 3, at: new Date(1000), data: null, sku: null, by: null, bytes: "0102" }
      ])
      const paid = yield* sql(url, `SELECT at, data::text, id FROM ${views}.order_paid`)
      assert.deepStrictEqual(paid, [{ at: null, data: "7", id: "p-1" }])
    }))

  it.live("have readable names, each its own, that later types don't change", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      const views = yield* schemaIn(url)
      const names = [
        ["HTTPRequestSeen", "http_request_seen"],
        ["order.placed.v2", "order_placed_v2"],
        ["Order Placed V2", "order_placed_v2_3"],
        ["2nd", "event_2nd"],
        ["\u00fcber", "ber"],
        ["\u{1f600}", "event"],
        ["\0", "event_7"],
        ["x".repeat(100), "x".repeat(63)],
        ["x".repeat(101), `${"x".repeat(61)}_9`],
        ["quote\"d", "quote_d"],
        ["select", "select"],
        ["select_13", "select_13"],
        ["SELECT", "select_13_13"]
      ] as const
      const [first, ...rest] = names.map(([type]) => of(type, JSON.stringify(type)))
      if (first === undefined) return
      yield* backend.commit([first, ...rest])
      const made = yield* createViews({ url, schema }, { views })
      assert.deepStrictEqual(made.map(({ name, type }) => [type, name]), names.map(([type, name]) => [type, name]))
      for (const { name, type } of made) {
        const rows = yield* sql(url, `SELECT data::text AS data FROM ${views}."${name}"`)
        assert.deepStrictEqual(rows, [{ data: JSON.stringify(type) }])
      }
      yield* backend.commit([of("2-nd", "1")])
      const again = yield* createViews({ url, schema }, { views })
      assert.deepStrictEqual(again.slice(0, -1), made)
    }))

  it.live("are made of the types that are asked for, and by nobody who may not", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* newStore
      const views = yield* schemaIn(url)
      yield* backend.commit([of("A", "1"), of("B", "1")])
      assert.deepStrictEqual(yield* createViews({ url, schema }, { views, types: ["B", "C"] }), [{
        type: "B",
        name: "b"
      }])
      const role = schema
      yield* sql(
        url,
        `CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA ${schema} TO ${role};
        GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}`
      )
      const poor = new URL(url)
      poor.username = role
      poor.password = "p"
      const error = yield* errorOf(createViews({ url: poor.href, schema }, { views: `${views}_2` }))
      assert.deepInclude(error, { _tag: "Denied", operation: "createViews" })
      yield* sql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }))
})
