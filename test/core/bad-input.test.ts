/** Bad input to the log, the kv and commits: a typed error naming the field and the remedy, and nothing half done. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, type StoreError, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const limits = { payloadBytes: 100, commitEvents: 3, commitBytes: 150, nameBytes: 20 }
const event = { type: "T", data: 1 }
const text = (length: number) => "x".repeat(length)

/** What a caller without types may send. */
// The whole point here is to get past the compiler.
const wrong = <A>(value: unknown): A => value as A

type Call = (store: StoreShape) => Effect.Effect<unknown, StoreError>
const reading = <A>(items: Stream.Stream<A, StoreError>) => Stream.runDrain(items)

const cases: ReadonlyArray<readonly [what: string, call: Call, tag: StoreError["_tag"], field: string]> = [
  ["an empty stream name", (s) => s.log().append("", event, { expected: 0 }), "Invalid", "stream"],
  ["a stream name that's no string", (s) => s.log().append(wrong(7), event, { expected: 0 }), "Invalid", "stream"],
  ["a lone surrogate", (s) => s.log().append("a\ud800", event, { expected: 0 }), "Invalid", "stream"],
  [
    "an over-long name, in bytes",
    (s) => s.log().append("é".repeat(11), event, { expected: 0 }),
    "LimitExceeded",
    "stream"
  ],
  ["no expected", (s) => s.log().append("a", event, wrong({})), "Invalid", "expected"],
  ["no options", (s) => s.log().append("a", event, wrong(undefined)), "Invalid", "expected"],
  ["a negative expected", (s) => s.log().append("a", event, { expected: -1 }), "Invalid", "expected"],
  ["a fraction expected", (s) => s.log().append("a", event, { expected: 0.5 }), "Invalid", "expected"],
  ["an unsafe integer expected", (s) => s.log().append("a", event, { expected: 2 ** 53 }), "Invalid", "expected"],
  ["expected as text", (s) => s.log().append("a", event, wrong({ expected: "0" })), "Invalid", "expected"],
  ["an unknown option", (s) => s.log().append("a", event, wrong({ expected: 0, expect: 1 })), "Invalid", "expect"],
  ["no events", (s) => s.log().append("a", [], { expected: 0 }), "Invalid", "events"],
  ["an event that's none", (s) => s.log().append("a", [event, wrong(null)], { expected: 0 }), "Invalid", "events[1]"],
  [
    "an event with an unknown field",
    (s) => s.log().append("a", wrong({ ...event, seq: 1 }), { expected: 0 }),
    "Invalid",
    "seq"
  ],
  ["an empty type", (s) => s.log().append("a", { type: "", data: 1 }, { expected: 0 }), "Invalid", "type"],
  ["an empty event id", (s) => s.log().append("a", { ...event, id: "" }, { expected: 0 }), "Invalid", "id"],
  [
    "an event time that's no time",
    (s) => s.log().append("a", { ...event, at: Number.NaN }, { expected: 0 }),
    "Invalid",
    "at"
  ],
  ["a commit time that's no time", (s) => s.log().append("a", event, { expected: 0, at: 1.5 }), "Invalid", "at"],
  ["an empty commit id", (s) => s.log().append("a", event, { expected: 0, id: "" }), "Invalid", "id"],
  [
    "data that isn't JSON",
    (s) => s.log().append("a", { type: "T", data: wrong(undefined) }, { expected: 0 }),
    "Invalid",
    "event.data"
  ],
  [
    "data over the limit",
    (s) => s.log().append("a", { type: "T", data: text(101) }, { expected: 0 }),
    "LimitExceeded",
    "data"
  ],
  [
    "meta over the limit",
    (s) => s.log().append("a", { ...event, meta: { m: text(101) } }, { expected: 0 }),
    "LimitExceeded",
    "meta"
  ],
  [
    "too many events",
    (s) => s.log().append("a", [event, event, event, event], { expected: 0 }),
    "LimitExceeded",
    "commit"
  ],
  [
    "too many bytes together",
    (s) => s.log().append("a", [{ type: "T", data: text(80) }, { type: "T", data: text(80) }], { expected: 0 }),
    "LimitExceeded",
    "commit"
  ],
  ["an empty commit", (s) => s.commit([]), "Invalid", "ops"],
  [
    "a stream named twice, apart",
    (s) => {
      const { append } = s.log().ops
      const to = (stream: string) => append(stream, event, { expected: "any" })
      return s.commit([to("a"), to("b"), to("a")])
    },
    "Invalid",
    "stream"
  ],
  [
    "an append that can't follow the one before it",
    (s) => {
      const { append } = s.log().ops
      return s.commit([append("a", event, { expected: 0 }), append("a", event, { expected: 5 })])
    },
    "Invalid",
    "expected"
  ],
  [
    "an empty append after one to the same stream",
    (s) => {
      const { append } = s.log().ops
      return s.commit([append("a", event, { expected: 0 }), append("a", [], { expected: "any" })])
    },
    "Invalid",
    "events"
  ],
  [
    "an id for a part of a commit",
    (s) => s.commit([s.log().ops.append("a", event, wrong({ expected: 0, id: "one" }))]),
    "Invalid",
    "id"
  ],
  ["a time for a part of a commit", (s) => s.commit([s.kv("n").ops.put("k", 1, wrong({ at: 5 }))]), "Invalid", "at"],
  ["a key named twice", (s) => s.commit([s.kv("n").ops.put("k", 1), s.kv("n").ops.delete("k")]), "Invalid", "key"],
  [
    "a cleared namespace written to",
    (s) => s.commit([s.kv("n").ops.clear(), s.kv("n").ops.put("k", 1)]),
    "Invalid",
    "namespace"
  ],
  [
    "a written namespace cleared",
    (s) => s.commit([s.kv("n").ops.put("k", 1), s.kv("n").ops.clear()]),
    "Invalid",
    "namespace"
  ],
  ["an unknown commit option", (s) => s.commit([s.kv("n").ops.clear()], wrong({ ids: "x" })), "Invalid", "ids"],
  ["an empty namespace", (s) => s.kv("").put("k", 1), "Invalid", "namespace"],
  ["a namespace of the store's own", (s) => s.kv("$mine").put("k", 1), "Invalid", "namespace"],
  ["clearing a namespace of the store's own", (s) => s.kv("$mine").clear(), "Invalid", "namespace"],
  ["deleting in a namespace of the store's own", (s) => s.kv("$mine").delete("k"), "Invalid", "namespace"],
  ["an empty key", (s) => s.kv("n").put("", 1), "Invalid", "key"],
  ["an empty key to read", (s) => s.kv("n").get(""), "Invalid", "key"],
  ["revision 0", (s) => s.kv("n").put("k", 1, { expected: 0 }), "Invalid", "expected"],
  ["a misspelt expectation", (s) => s.kv("n").put("k", 1, wrong({ expected: "missing" })), "Invalid", "expected"],
  ["a value over the limit", (s) => s.kv("n").put("k", text(101)), "LimitExceeded", "value"],
  ["a value that isn't JSON", (s) => s.kv("n").put("k", wrong(new Map())), "Invalid", "value"],
  ["an unknown kv option", (s) => s.kv("n").put("k", 1, wrong({ ttl: 5 })), "Invalid", "ttl"],
  ["a bad from", (s) => reading(s.log().read("a", { from: -1 })), "Invalid", "from"],
  ["a limit of 0", (s) => reading(s.log().read("a", { limit: 0 })), "Invalid", "limit"],
  ["an unknown range", (s) => reading(s.log().read("a", wrong({ form: 1 }))), "Invalid", "form"],
  ["no types", (s) => reading(s.log().readAll({ types: [] })), "Invalid", "types"],
  ["a bad after", (s) => reading(s.log().readAll({ after: 1.5 })), "Invalid", "after"],
  ["a reverse that's no flag", (s) => reading(s.log().readAll(wrong({ reverse: "yes" }))), "Invalid", "reverse"],
  ["a prefix that's no text", (s) => reading(s.kv("n").scan(wrong({ prefix: 1 }))), "Invalid", "prefix"],
  ["changes since nowhere", (s) => reading(s.kv("n").changedSince(wrong({}))), "Invalid", "after"],
  ["a truncation at 0", (s) => s.log().truncate("a", 0), "Invalid", "before"],
  ["a delete that expects nothing stated", (s) => s.log().delete("a", wrong({})), "Invalid", "expected"],
  ["an empty id to resolve", (s) => s.resolve(""), "Invalid", "id"],
  ["a bad atLeast", (s) => s.kv("n").get("k", { atLeast: -1 }), "Invalid", "atLeast"]
]

describe("bad input", () => {
  it.effect.each(cases)("%s", ([_, call, tag, field]) =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory({ limits }))
      const error = yield* Effect.flip(call(store))
      assert.strictEqual(error._tag, tag)
      assert.strictEqual("field" in error && error.field, field)
      assert.match(error.message, /; /, "the message ends with a remedy")
      assert.notInclude(error.message, "xxxxxxxxxx", "the rejected value stays out of the message")
      assert.strictEqual(yield* store.head, 0, "nothing happened")
    }))

  it.effect("a fault in the last operation leaves nothing of the ones before it", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory({ limits }))
      const ops = [store.kv("n").ops.put("k", 1), store.log().ops.append("a", event, { expected: -1 })]
      assert.strictEqual((yield* Effect.flip(store.commit(ops)))._tag, "Invalid")
      assert.strictEqual(yield* store.kv("n").has("k"), false)
    }))

  it.effect("what's just within the limits is taken", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory({ limits }))
      yield* store.log().append("x".repeat(20), { type: "T", data: text(98) }, { expected: 0 })
      yield* store.log().append("a", [event, event, event], { expected: 0 })
      assert.strictEqual(yield* store.head, 4)
    }))
})
