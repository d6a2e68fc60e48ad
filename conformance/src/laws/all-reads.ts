/** Laws of reading the total order: its range, its filters, and how far a page looked. */
import type { AllRange, BackendShape, StoredEvent } from "@persist/core"
import { origin, Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds, present } from "../assertion.ts"
import { appendEach, commitOne, event, putEach, readAllOf } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("reading all")

const dataOfAll = (events: ReadonlyArray<StoredEvent>) => events.map(({ data }) => data)

const page = (backend: BackendShape, range: Partial<AllRange>) =>
  backend.readAll({
    after: origin,
    to: Position(unbounded),
    prefix: "",
    types: undefined,
    limit: 1000,
    reverse: false,
    ...range
  })

const reversed = (backend: BackendShape, range: Partial<AllRange>) =>
  Effect.map(page(backend, { ...range, reverse: true }), ({ items }) => dataOfAll(items))

// Nine events in three streams, of types A, B and C in turn, with keys written in between.
const nine = Effect.fnUntraced(function*(backend: BackendShape) {
  for (const [n, stream] of ["x-1", "y-1", "x-2", "x-1", "y-1", "x-2", "x-1", "y-1", "x-2"].entries()) {
    yield* commitOne(backend, { append: [{ stream, events: [event(`${n}`, { type: "ABC"[n % 4 % 3] ?? "A" })] }] })
    if (n % 4 === 1) yield* putEach(backend, { k: `${n}` })
  }
  return yield* readAllOf(backend)
})

/** Laws of ranges, filters and pages of the total order. */
export const allReads = [
  law("reading all gives the events of every stream in the order they were committed", ["readAll"], function*(backend) {
    yield* nine(backend)
    yield* equal("data", dataOfAll(yield* readAllOf(backend)), ["0", "1", "2", "3", "4", "5", "6", "7", "8"])
  }),

  law("an event in the total order is the event that its stream has", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    for (const { position, stream, ...rest } of all) {
      const [own] = yield* backend.readStream({ stream, from: rest.seq, to: rest.seq, limit: 1, reverse: false })
      yield* equal(`event ${rest.seq} of ${stream}`, own, { position, stream, ...rest })
    }
    yield* holds(all.length === 9, `nine events were appended, ${all.length} read`)
  }),

  law("a range of the total order starts above `after` and includes `to`", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    const [after = 0, to = 0] = [all[2]?.position, all[5]?.position]
    yield* equal("above the third, to the sixth", dataOfAll(yield* readAllOf(backend, { after, to })), ["3", "4", "5"])
    yield* equal("above the sixth", dataOfAll(yield* readAllOf(backend, { after: to })), ["6", "7", "8"])
    yield* equal("to the third", dataOfAll(yield* readAllOf(backend, { to: after })), ["0", "1", "2"])
  }),

  law("reading above the head gives nothing", ["readAll"], function*(backend) {
    yield* nine(backend)
    const head = yield* backend.head
    yield* equal("above the head", (yield* page(backend, { after: head })).items, [])
    yield* equal("far above the head", (yield* page(backend, { after: Position(head + 1000) })).items, [])
  }),

  law("a prefix selects the streams whose names start with it", ["readAll"], function*(backend) {
    yield* nine(backend)
    yield* equal("x-", dataOfAll(yield* readAllOf(backend, { prefix: "x-" })), ["0", "2", "3", "5", "6", "8"])
    yield* equal("a whole name", dataOfAll(yield* readAllOf(backend, { prefix: "y-1" })), ["1", "4", "7"])
    yield* equal("a part from within", dataOfAll(yield* readAllOf(backend, { prefix: "-1" })), [])
  }),

  law("a prefix is no pattern: its signs stand for themselves", ["readAll"], function*(backend) {
    const signs = ["%", "_", "*", "?", "[a]", "\\", "'", ".", ">"]
    for (const sign of signs) yield* appendEach(backend, `p${sign}q`, [sign])
    yield* appendEach(backend, "paq", ["a"])
    for (const sign of signs) {
      yield* equal(`prefix p${sign}`, dataOfAll(yield* readAllOf(backend, { prefix: `p${sign}` })), [sign])
    }
  }),

  law("a prefix tells upper case from lower, and composed from decomposed", ["readAll"], function*(backend) {
    const names = ["order", "Order", "\u00e9t\u00e9", "e\u0301te\u0301", "\u00c9t\u00e9"]
    for (const name of names) yield* appendEach(backend, name, [name])
    for (const name of names) {
      const prefix = name.slice(0, -1)
      yield* equal(`prefix ${prefix}`, dataOfAll(yield* readAllOf(backend, { prefix })), [name])
    }
  }),

  law("a prefix may end in the last characters of Unicode", ["readAll"], function*(backend) {
    for (const last of ["\u{10ffff}", "\uffff", "\ud7ff", "\u007f"]) {
      yield* appendEach(backend, `${last}a`, [`${last}a`])
      yield* appendEach(backend, last + last, [last + last])
      const found = dataOfAll(yield* readAllOf(backend, { prefix: last }))
      yield* equal(`prefix U+${last.codePointAt(0)?.toString(16)}`, found, [`${last}a`, last + last])
    }
  }),

  law("types select the events of any of them", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    for (const types of [["A"], ["B", "C"], ["A", "B", "C"], ["C", "none"]]) {
      const found = yield* readAllOf(backend, { types })
      yield* every(`events of ${types.join()}`, found, ({ type }) => types.includes(type))
      yield* equal(`number of ${types.join()}`, found.length, all.filter(({ type }) => types.includes(type)).length)
    }
  }),

  law("a type that no event has selects nothing, and so does an empty list of types", ["readAll"], function*(backend) {
    yield* nine(backend)
    yield* equal("an unknown type", yield* readAllOf(backend, { types: ["none"] }), [])
    yield* equal("a part of a type", yield* readAllOf(backend, { types: ["a", "", "A "] }), [])
    yield* equal("no type", yield* readAllOf(backend, { types: [] }), [])
  }),

  law("prefix and types together select the events that meet both", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    const found = yield* readAllOf(backend, { prefix: "x-", types: ["A", "C"] })
    yield* every("events", found, ({ stream, type }) => stream.startsWith("x-") && type !== "B")
    const both = all.filter(({ stream, type }) => stream.startsWith("x-") && type !== "B")
    yield* equal("data", dataOfAll(found), dataOfAll(both))
  }),

  law("a limit counts the events that a filter lets through", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    const last = yield* present("last y", all.findLast(({ stream }) => stream === "y-1"))
    const { items, through } = yield* page(backend, { prefix: "y", limit: 3 })
    yield* equal("what is found", dataOfAll(items), ["1", "4", "7"].slice(0, items.length))
    yield* holds(
      items.length === 3 || through < last.position,
      `a page of 3 has ${items.length} of the 3 events that match, and says that it looked as far as the last of them`
    )
  }),

  law("a page of the total order has no more events than its limit", ["readAll"], function*(backend) {
    yield* nine(backend)
    for (const limit of [1, 2, 3]) {
      const { items } = yield* page(backend, { limit })
      yield* holds(items.length <= limit, `a page of ${limit} has ${items.length} events`)
      yield* equal(`the first of a page of ${limit}`, dataOfAll(items.slice(0, 1)), ["0"])
    }
  }),

  law("the total order in reverse starts with its last event", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    const [after = origin, to = origin] = [all[2]?.position, all[5]?.position]
    yield* equal("whole", yield* reversed(backend, {}), ["8", "7", "6", "5", "4", "3", "2", "1", "0"])
    yield* equal("above the third, to the sixth", yield* reversed(backend, { after, to }), ["5", "4", "3"])
  }),

  law("a limit in reverse gives the last events that a filter lets through", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    const to = all[6]?.position ?? origin
    yield* equal("two", yield* reversed(backend, { limit: 2 }), ["8", "7"])
    yield* equal("two of y", yield* reversed(backend, { prefix: "y", limit: 2 }), ["7", "4"])
    yield* equal("two of y to the seventh", yield* reversed(backend, { prefix: "y", to, limit: 2 }), ["4", "1"])
  }),

  law("pages of the total order join to the whole by `through`, whatever their size", ["readAll"], function*(backend) {
    yield* nine(backend)
    for (const filter of [{}, { prefix: "y" }, { types: ["B"] }, { prefix: "x", types: ["A", "C"] }]) {
      const whole = yield* readAllOf(backend, filter)
      for (const limit of [1, 2, 3, 8]) {
        const joined = yield* readAllOf(backend, { ...filter, limit })
        yield* equal(`pages of ${limit}`, dataOfAll(joined), dataOfAll(whole))
      }
      yield* holds(whole.length > 0, "a filter selected nothing")
    }
  }),

  law("`through` passes a stretch in which nothing matches", ["readAll"], function*(backend) {
    yield* nine(backend)
    yield* equal("events of no stream", yield* readAllOf(backend, { prefix: "none", limit: 2 }), [])
    yield* equal("events of no type", yield* readAllOf(backend, { types: ["none"], limit: 2 }), [])
  }),

  law("at the end of the range `through` is the head, or `to` where that is less", ["readAll"], function*(backend) {
    const all = yield* nine(backend)
    yield* putEach(backend, { last: "1" })
    const head = yield* backend.head
    const to = yield* present("middle", all[4]?.position)
    for (const prefix of ["", "y", "none"]) {
      yield* equal(`through of all ${prefix}`, yield* lastThrough(backend, { prefix }), head)
      yield* equal(`through to the fifth of ${prefix}`, yield* lastThrough(backend, { prefix, to }), to)
    }
    yield* equal("through above the head", yield* lastThrough(backend, { to: Position(head + 9) }), head)
  }),

  law("what is written to the kv is no event", ["readAll"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    yield* appendEach(backend, "s", ["3"])
    yield* putEach(backend, { a: "4" })
    yield* equal("data", dataOfAll(yield* readAllOf(backend)), ["3"])
  })
]

const lastThrough = Effect.fnUntraced(function*(backend: BackendShape, range: Partial<AllRange>) {
  const end = Math.min(range.to ?? unbounded, yield* backend.head)
  let after = origin
  while (after < end) {
    const { through } = yield* page(backend, { ...range, after })
    if (through <= after) return through
    after = through
  }
  return after
})
