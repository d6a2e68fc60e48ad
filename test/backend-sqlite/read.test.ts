/** Reading: payloads and names come back as they were, and every way to filter finds the same events. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { type BackendShape, type Payload, Position, prefixEnd } from "@persist/core"
import * as Effect from "effect/Effect"
import { appendOf, commitOf, eventOf, eventsOf, everything, newPath, putOf, visit } from "./place.ts"

const payloads: ReadonlyArray<Payload> = [
  "null",
  "\"\"",
  "",
  "{\"nul\":\"a\0b\"}",
  "\"🦜 \\ud800 \\udc00\"",
  "9007199254740993",
  new Uint8Array(0),
  Uint8Array.from({ length: 256 }, (_, i) => i),
  new Uint8Array(100_000).fill(7),
  // A view into a larger buffer, of which only the view is the payload.
  new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4),
  Buffer.from("from a pool")
]

describe("fidelity", () => {
  it.effect("text stays text and bytes stay bytes, in events and keys, across closing", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          const [first = "", ...rest] = payloads
          yield* backend.commit([appendOf("s", first, ...rest)])
          yield* backend.commit([commitOf({ write: payloads.map((value, i) => putOf("n", `k${i}`, value)) })])
        }))
      const backend = yield* make({ path })
      const events = yield* eventsOf(backend, "s")
      const entries = yield* backend.get(payloads.map((_, i) => ({ namespace: "n", key: `k${i}` })))
      const plain = payloads.map((payload) => typeof payload === "string" ? payload : new Uint8Array(payload))
      assert.deepStrictEqual(events.map(({ data }) => data), plain)
      assert.deepStrictEqual(entries.map((entry) => entry?.value), plain)
      for (const { data } of events) {
        if (typeof data === "string") continue
        assert.strictEqual(Object.getPrototypeOf(data), Uint8Array.prototype)
        assert.strictEqual(data.buffer.byteLength, data.byteLength)
      }
    }))

  it.effect("bytes are shared neither with who wrote them nor with who read them", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: ":memory:" })
      const bytes = Uint8Array.from([1, 2, 3])
      yield* backend.commit([appendOf("s", bytes)])
      bytes.fill(0)
      const [read] = yield* eventsOf(backend, "s")
      assert.deepStrictEqual(read?.data, Uint8Array.from([1, 2, 3]))
      if (read?.data instanceof Uint8Array) read.data.fill(9)
      assert.deepStrictEqual((yield* eventsOf(backend, "s"))[0]?.data, Uint8Array.from([1, 2, 3]))
    }))

  it.effect("times need not be whole milliseconds, nor meta and ids be there", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: ":memory:" })
      const given = [
        { at: 0, meta: undefined, id: undefined },
        { at: 0.25, meta: "{}", id: "an id" },
        { at: -1, meta: "\"\0\"", id: "\0" },
        { at: 8_640_000_000_000_000, meta: "", id: "" }
      ]
      yield* backend.commit([commitOf({
        append: [{ stream: "s", events: [eventOf("1"), ...given.map((parts) => eventOf("1", parts))] }]
      })])
      const events = yield* eventsOf(backend, "s")
      assert.deepStrictEqual(events.slice(1).map(({ at, id, meta }) => ({ at, meta, id })), given)
    }))
})

/** A log of many streams, some of them rare, with every third event of another type and some positions without one. */
const fill = Effect.fnUntraced(function*(backend: BackendShape) {
  const names = ["rare", "rare\0", "rare 🦜", "rar", "rarf", "\u{10ffff}", "\u{10ffff}\u{10ffff}x"]
  for (let n = 0; n < 400; n++) {
    const stream = n % 40 === 7 ? names[Math.floor(n / 40) % names.length] ?? "" : `user-${n % 90}`
    const type = n % 3 === 0 ? "Third" : "Other"
    yield* backend.commit([
      commitOf({ append: [{ stream, events: [eventOf(String(n), { type })] }] }),
      ...(n % 5 === 0 ? [commitOf({ write: [putOf("n", "k", "1")] })] : [])
    ])
  }
})

describe("readAll", () => {
  const prefixes = [
    "",
    "rare",
    "rare\0",
    "rar",
    "user-",
    "user-1",
    "user-11",
    "none",
    "\u{10ffff}",
    "\u{10ffff}\u{10ffff}"
  ]
  const typings = [undefined, ["Third"], ["Third", "never"], ["never"], []]

  it.effect("finds by prefix and type what a filter of everything finds, in pages of any size, both ways", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: ":memory:" })
      yield* fill(backend)
      const all = (yield* backend.readAll(everything)).items
      const head = yield* backend.head
      assert.strictEqual(all.length, 400)
      let found = 0
      for (const prefix of prefixes) {
        for (const types of typings) {
          const expected = all.filter(({ stream, type }) =>
            stream.startsWith(prefix) && (types?.includes(type) ?? true)
          )
          found += expected.length
          for (const limit of [1, 7, 1000]) {
            const forwards = []
            for (let after = everything.after, full = true; full;) {
              const { items, through } = yield* backend.readAll({ ...everything, prefix, types, limit, after })
              forwards.push(...items)
              full = items.length === limit
              assert.strictEqual(through, full ? items.at(-1)?.position : head)
              after = through
            }
            assert.deepStrictEqual(forwards, expected)
          }
          const range = { after: Position(100), to: Position(300), prefix, types, reverse: true, limit: 1000 }
          const within = expected.filter(({ position }) => position > 100 && position <= 300).reverse()
          assert.deepStrictEqual(yield* backend.readAll(range), { items: within, through: Position(300) })
        }
      }
      assert.isAbove(found, 1000)
    }))

  it.effect("tells how far it looked: no further than the range, nor than the head", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: ":memory:" })
      yield* backend.commit([appendOf("s", "1", "2"), commitOf({ write: [putOf("n", "k", "1")] })])
      const through = (range: Partial<typeof everything>) =>
        Effect.map(backend.readAll({ ...everything, ...range }), (page) => [page.items.length, Number(page.through)])
      assert.deepStrictEqual(yield* through({}), [2, 3])
      assert.deepStrictEqual(yield* through({ limit: 2 }), [2, 2])
      assert.deepStrictEqual(yield* through({ after: Position(2) }), [0, 3])
      assert.deepStrictEqual(yield* through({ to: Position(1) }), [1, 1])
      assert.deepStrictEqual(yield* through({ limit: 1, reverse: true }), [1, 2])
      assert.deepStrictEqual(yield* through({ prefix: "none" }), [0, 3])
    }))
})

describe("names", () => {
  it.effect("are listed by their UTF-8 bytes, and continued after any of them, whatever they hold", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: ":memory:" })
      const names = [
        "a",
        "a\0",
        "a\0\0",
        "a\u0001",
        "ab",
        "z",
        "\u00ff",
        "\ud7ff",
        "\ue000",
        "\uffff",
        "🦜",
        "\u{10ffff}"
      ]
      for (const name of names.toReversed()) {
        yield* backend.commit([
          appendOf(name, "1"),
          commitOf({ write: [putOf(name, name, "1"), putOf("n", name, "1")] })
        ])
      }
      const after = [undefined, ...names]
      for (let i = 0; i < after.length; i++) {
        const streams = yield* backend.streams({ prefix: "", after: after[i], limit: 100 })
        assert.deepStrictEqual(streams.map(({ stream }) => stream), names.slice(i))
        const namespaces = yield* backend.namespaces({ after: after[i], limit: 100 })
        assert.deepStrictEqual(
          namespaces.map(({ namespace }) => namespace).filter((name) => name !== "n"),
          names.slice(i)
        )
        const scanned = { namespace: "n", gte: after[i], lt: undefined, limit: 100, reverse: false }
        const keys = (yield* backend.scan(scanned)).map(({ key }) => key)
        assert.deepStrictEqual(keys, names.slice(Math.max(0, i - 1)))
        const below = yield* backend.scan({ ...scanned, gte: undefined, lt: after[i], reverse: true })
        assert.deepStrictEqual(below.map(({ key }) => key), names.slice(0, i === 0 ? undefined : i - 1).reverse())
      }
      for (const prefix of ["a", "a\0", "\u{10ffff}", "\ud7ff"]) {
        const within = names.filter((name) => name.startsWith(prefix))
        const from = { prefix, after: undefined, limit: 100 }
        assert.deepStrictEqual((yield* backend.streams(from)).map(({ stream }) => stream), within)
        const rest = yield* backend.streams({ ...from, after: within[0] })
        assert.deepStrictEqual(rest.map(({ stream }) => stream), within.slice(1))
        assert.deepStrictEqual(
          yield* backend.streams({ ...from, after: prefixEnd(prefix) ?? "\u{10ffff}".repeat(2) }),
          []
        )
      }
    }))
})
