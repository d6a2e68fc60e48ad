/** Gets that find every connection busy: they share a statement, and each has its own answer. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Client } from "pg"
import { vi } from "vitest"
import { commitOf, errorOf, putOf } from "../backend-sqlite/place.ts"
import { sharedPostgres, sql } from "../servers/postgres.ts"
import { startProxy } from "../servers/proxy.ts"
import { newPlace } from "./place.ts"

/** A store with keys k0 to k99, read by one connection, and the statements that it asks from now on. */
const store = Effect.gen(function*() {
  const place = yield* newPlace
  const backend = yield* make({ ...place, readers: 1 })
  yield* backend.commit([commitOf({ write: Array.from({ length: 100 }, (_, n) => putOf("n", `k${n}`, `${n}`)) })])
  yield* backend.head
  const spy = yield* Effect.acquireRelease(
    Effect.sync(() => vi.spyOn(Client.prototype, "query")),
    (made) => Effect.sync(() => made.mockRestore())
  )
  const asked = () =>
    spy.mock.calls.flatMap(([one]) => /entry|entries_shared|entries/.exec(String(Object(one).name))?.[0] ?? [])
  return { ...place, backend, asked }
})

const key = (n: number) => ({ namespace: "n", key: `k${n}` })

describe("many gets at once", () => {
  it.live("share statements of at most 64 keys, and each is answered what it asked for", () =>
    Effect.gen(function*() {
      const { asked, backend } = yield* store
      const calls = Array.from({ length: 60 }, (_, n) => n % 3 === 0 ? [key(n), key(200), key(n + 1)] : [key(n)])
      const answers = yield* Effect.forEach(calls, backend.get, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        answers.map((found) => found.map((entry) => entry?.value)),
        calls.map((keys) => keys.map(({ key: name }) => name === "k200" ? undefined : name.slice(1)))
      )
      assert.deepStrictEqual(yield* backend.get([]), [])
      // The first three keys at once, the other 97 when the connection is free.
      assert.deepStrictEqual(asked(), ["entries", "entries_shared", "entries_shared"])
    }))

  it.live("one alone is a statement of its own, and one that comes after an answer isn't answered from before", () =>
    Effect.gen(function*() {
      const { asked, backend } = yield* store
      for (let n = 0; n < 3; n++) {
        yield* backend.commit([commitOf({ write: [putOf("n", "k1", `again ${n}`)] })])
        const gets = Effect.forEach([1, 1, 1], (which) => backend.get([key(which)]), { concurrency: "unbounded" })
        for (const [entry] of yield* gets) assert.strictEqual(entry?.value, `again ${n}`)
      }
      assert.deepStrictEqual(asked(), ["entry", "entries_shared", "entry", "entries_shared", "entry", "entries_shared"])
    }))

  it.live("damage in one key is told to whoever asked for it, and to nobody else", () =>
    Effect.gen(function*() {
      const { backend, schema, url } = yield* store
      yield* sql(url, `ALTER TABLE ${schema}.entry DROP CONSTRAINT entry_check`)
      yield* sql(url, `UPDATE ${schema}.entry SET value = NULL WHERE key = 'k2'`)
      const [first, second, third] = yield* Effect.forEach(
        [1, 2, 3],
        (n) => Effect.result(backend.get([key(n)])),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(first?._tag, "Success")
      assert.strictEqual(second?._tag, "Failure")
      assert.strictEqual(third?._tag, "Success")
    }))

  it.live("what is large is asked for by itself, and all of it by whoever asks for several", () =>
    Effect.gen(function*() {
      const { asked, backend } = yield* store
      const large = "x".repeat(2 ** 16 + 1)
      const bytes = new Uint8Array(2 ** 16 + 1).fill(7)
      const write = [putOf("n", "k1", large), putOf("n", "k2", bytes), putOf("n", "k3", large.slice(1))]
      yield* backend.commit([commitOf({ write })])
      const calls = [[key(0)], [key(1)], [key(2), key(4)], [key(3)], [key(5), key(6)]]
      const answers = yield* Effect.forEach(calls, backend.get, { concurrency: "unbounded" })
      const values = answers.map((found) => found.map((entry) => entry?.value))
      assert.deepStrictEqual(values, [["0"], [large], [bytes, "4"], [large.slice(1)], ["5", "6"]])
      assert.deepStrictEqual(asked(), ["entry", "entries_shared", "entry", "entries"])
      // Who shares with nobody isn't held up.
      assert.deepStrictEqual((yield* backend.get([key(1), key(4)])).map((entry) => entry?.value), [large, "4"])
      assert.deepStrictEqual(asked().slice(4), ["entries"])
    }))

  it.live("whoever comes while statements are on their way joins the last that isn't", () =>
    Effect.gen(function*() {
      const { asked, backend } = yield* store
      const numbers = Array.from({ length: 80 }, (_, n) => n)
      // As the first is answered the next 64 are on their way, and the other 15 aren't.
      const late = Effect.andThen(backend.get([key(0)]), backend.get([key(99)]))
      const answers = yield* Effect.forEach(numbers, (n) => n === 0 ? late : backend.get([key(n)]), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers.map(([entry]) => entry?.value), ["99", ...numbers.slice(1).map(String)])
      assert.deepStrictEqual(asked(), ["entry", "entries_shared", "entries_shared"])
    }))

  it.live("those who came a tenth of a second after others share the next statement with them all the same", () =>
    Effect.gen(function*() {
      const { asked, backend } = yield* store
      const clock = yield* Effect.acquireRelease(
        Effect.sync(() => vi.spyOn(performance, "now")),
        (made) => Effect.sync(() => made.mockRestore())
      )
      const at = (time: number, n: number) => {
        clock.mockReturnValue(time)
        return Effect.forkChild(backend.get([key(n)]), { startImmediately: true })
      }
      // The first has the connection; all others come before it's answered.
      const gets = [yield* at(0, 0), yield* at(0, 1), yield* at(100, 2), yield* at(101, 3), yield* at(201, 4)]
      const answers = yield* Effect.forEach(gets, Fiber.join)
      assert.deepStrictEqual(answers.map(([entry]) => entry?.value), ["0", "1", "2", "3", "4"])
      assert.deepStrictEqual(asked(), ["entry", "entries_shared"])
    }))

  it.live("all are told where no connection is to be had, and the next are asked anew", () =>
    Effect.gen(function*() {
      const { database } = yield* sharedPostgres
      const url = yield* database
      const port = Number(new URL(url).port)
      const proxy = yield* startProxy(port)
      const backend = yield* make({ url: proxy.through(url), readers: 1, reconnectWithin: 0 })
      yield* backend.commit([commitOf({ write: [putOf("n", "k1", "1")] })])
      yield* backend.head
      yield* proxy.hold
      const told = yield* Effect.forkChild(
        Effect.forEach([1, 1, 1], (n) => errorOf(backend.get([key(n)])), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* proxy.lead(1) // Where nobody listens.
      yield* proxy.cutAll()
      for (const error of yield* Fiber.join(told)) assert.strictEqual(error._tag, "Unavailable")
      yield* proxy.lead(port)
      yield* proxy.heal
      const [entry] = yield* backend.get([key(1)])
      assert.strictEqual(entry?.value, "1")
    }))
})
