/** Laws of bad input: a typed error that names the field and the remedy, and nothing half done. */
import type { EventHandler, Op, StoreError, StoreShape, SubscribeOptions, SubscriptionOptions } from "@persist/core"
import { anyEvents, Catalogue, SnapshotPolicy } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, holds } from "../assertion.ts"
import { history } from "../ledger.ts"
import { dataOf, done, failing, fill, input, untyped } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store bad input")

type Case = readonly [what: string, call: Effect.Effect<unknown, unknown>, field: string, tag?: StoreError["_tag"]]

const drained = <A, E>(items: Stream.Stream<A, E>): Effect.Effect<void, E> => Stream.runDrain(items)
const any = { expected: "any" } as const

const text = (length: number) => "x".repeat(length)

// Every call must be refused, say what is wrong and what to do, and leave the store as it was.
const refused = Effect.fnUntraced(function*(store: StoreShape, cases: ReadonlyArray<Case>) {
  const head = yield* store.head
  for (const [what, call, field, tag = "Invalid"] of cases) {
    const error = yield* failing(what, call, tag, field)
    yield* holds("remedy" in error && error.remedy !== "", `${what}: no remedy is told`)
  }
  yield* equal("head after all of them", yield* store.head, head)
  yield* holds(cases.length > 0, "nothing was tried")
})

/** Laws of what is refused. */
export const storeBadInput = [
  law("an append that is wrong in any part is refused by that part's name", [], function*(store) {
    const { append } = store.log()
    yield* fill(store, "s", [1])
    yield* refused(store, [
      ["an empty name", append("", input(2), any), "stream"],
      ["a name that is none", append(untyped(7), input(2), any), "stream"],
      ["half a character in a name", append("s\ud800", input(2), any), "stream"],
      ["no expectation", append("s", input(2), untyped({})), "expected"],
      ["a negative seq", append("s", input(2), { expected: -1 }), "expected"],
      ["an expectation of no kind", append("s", input(2), untyped({ expected: "none" })), "expected"],
      ["an option it doesn't know", append("s", input(2), untyped({ ...any, expect: 1 })), "expect"],
      ["no events", append("s", [], any), "events"],
      ["an event that is none", append("s", [input(2), untyped(null)], any), "events[1]"],
      ["a field it doesn't know", append("s", untyped({ ...input(2), seq: 2 }), any), "seq"],
      ["an empty type", append("s", input(2, ""), any), "type"],
      ["data that is no JSON", append("s", { type: "T", data: untyped(undefined) }, any), "event.data"],
      ["a number that is no JSON", append("s", { type: "T", data: { n: Number.NaN } }, any), "event.data.n"],
      ["metadata that is none", append("s", { ...input(2), meta: untyped([]) }, any), "event.meta"],
      ["a time that is none", append("s", { ...input(2), at: 0.5 }, any), "at"],
      ["a commit's time that is none", append("s", input(2), { ...any, at: Number.NaN }), "at"]
    ])
    yield* done(append("s", input(2), { expected: 1 }))
    yield* equal("data", yield* dataOf(store, "s"), [1, 2])
  }),

  law("a read of the log that is wrong in any part is refused by that part's name", ["readAll", "streams"], function*(
    store
  ) {
    const log = store.log()
    yield* fill(store, "s", [1])
    yield* refused(store, [
      ["an empty name", drained(log.read("")), "stream"],
      ["a negative seq", drained(log.read("s", { from: -1 })), "from"],
      ["a seq that is none", drained(log.read("s", { to: 0.5 })), "to"],
      ["a limit of none", drained(log.read("s", { limit: 0 })), "limit"],
      ["a flag that is none", drained(log.read("s", { reverse: untyped("yes") })), "reverse"],
      ["an option it doesn't know", drained(log.read("s", untyped({ form: 1 }))), "form"],
      ["a position that is none", drained(log.readAll({ after: untyped("1") })), "after"],
      ["no types", drained(log.readAll({ types: [] })), "types"],
      ["a prefix that is none", drained(log.readAll({ prefix: untyped(1) })), "prefix"],
      ["a position to demand that is none", drained(log.readAll({ atLeast: -1 })), "atLeast"],
      ["a limit of streams", drained(log.streams({ limit: 0 })), "limit"],
      ["a name to be told of", log.lastSeq(""), "stream"],
      ["a seq to cut at", untyped<Effect.Effect<unknown, unknown>>(log.truncate("s", 0)), "before"]
    ])
    yield* equal("data", yield* dataOf(store, "s", { from: 1, to: 9, limit: 5, reverse: true }), [1])
  }),

  law("a write of the kv that is wrong in any part is refused by that part's name", ["scan"], function*(store) {
    const kv = store.kv("n")
    yield* kv.put("k", 1)
    yield* refused(store, [
      ["an empty namespace", store.kv("").put("k", 1), "namespace"],
      ["a namespace of the store's own", store.kv("$own").put("k", 1), "namespace"],
      ["an empty key", kv.put("", 1), "key"],
      ["a key that is none", kv.put(untyped({}), 1), "key"],
      ["a value that is no JSON", kv.put("k", untyped(() => 1)), "value"],
      ["metadata that is no JSON", kv.put("k", 1, { meta: untyped({ a: undefined, b: Infinity }) }), "meta.b"],
      ["a revision that is none", kv.put("k", 1, { expected: 0 }), "expected"],
      ["an option it doesn't know", kv.put("k", 1, untyped({ ttl: 5 })), "ttl"],
      ["an option of a delete", kv.delete("k", untyped({ revision: 5 })), "revision"],
      ["a delete of the store's own", store.kv("$own").delete("k"), "namespace"],
      ["a clear of the store's own", store.kv("$own").clear(), "namespace"]
    ])
    yield* equal("value", yield* kv.get("k"), Option.some(1))
    yield* equal("number of keys", yield* kv.count(), 1)
  }),

  law("a read of the kv that is wrong in any part is refused by that part's name", ["scan", "changed"], function*(
    store
  ) {
    const kv = store.kv("n")
    yield* kv.put("k", 1)
    yield* refused(store, [
      ["an empty namespace", store.kv("").get("k"), "namespace"],
      ["an empty key", kv.get(""), "key"],
      ["one bad key among others", kv.getMany(["k", "\udfff"]), "key"],
      ["an option it doesn't know", kv.get("k", untyped({ atleast: 1 })), "atleast"],
      ["a bound that is none", drained(kv.scan({ gt: untyped(1) })), "gt"],
      ["a limit that is none", drained(kv.scan({ limit: -1 })), "limit"],
      ["a bound it doesn't know", kv.count(untyped({ from: "a" })), "from"],
      ["no revision to begin with", drained(kv.changedSince(untyped({}))), "after"],
      ["a revision that is none", drained(kv.watch({ after: -1 })), "after"]
    ])
    yield* equal("value", yield* kv.get("k"), Option.some(1))
  }),

  law("one wrong operation among right ones forbids the whole commit", ["atomic", "truncate", "clear"], function*(
    store
  ) {
    const { ops } = store.log()
    const kv = store.kv("n")
    yield* fill(store, "s", [1])
    const right = [ops.append("t", input(2), { expected: 0 }), kv.ops.put("right", 1)]
    const among = (...wrong: ReadonlyArray<(typeof right)[number]>) => store.commit([...right, ...wrong])
    yield* refused(store, [
      ["no operation", store.commit([]), "ops"],
      ["a stream appended to twice", among(ops.append("s", input(2), any), ops.append("t", input(3), any)), "stream"],
      ["a stream expected twice", among(ops.check("s", 1), ops.check("s", "exists")), "stream"],
      ["a key named twice", among(kv.ops.put("right", 2)), "key"],
      ["a key of a namespace that is cleared", among(kv.ops.clear()), "namespace"],
      ["a stream cut twice", among(ops.truncate("s", 1), ops.truncate("s", 2)), "stream"],
      ["a seq to cut at that is none", among(ops.truncate("s", -1)), "before"],
      [
        "an expectation that can't hold",
        among(
          ops.append("u", input(1), any),
          ops.append("u", input(2), {
            expected: 9
          })
        ),
        "expected"
      ],
      ["a name that is none", among(ops.check("", 0)), "stream"],
      ["an option it doesn't know", store.commit(right, untyped({ when: 1 })), "when"]
    ])
    yield* equal("data", [yield* dataOf(store, "s"), yield* dataOf(store, "t")], [[1], []])
    yield* done(store.commit(right))
    yield* equal("what is right by itself", [yield* dataOf(store, "t"), yield* kv.has("right")], [[2], true])
  }),

  law("an operation of another store is refused by its place, and changes neither store", [], function*(
    store,
    { core, elsewhere }
  ) {
    const other = yield* core.makeStore(yield* elsewhere)
    const { ops } = other.log()
    const kv = other.kv("n")
    const strangers: ReadonlyArray<readonly [string, Op]> = [
      ["an append", ops.append("s", input(1), { expected: "any" })],
      ["an expectation of a stream", ops.check("s", 0)],
      ["a truncation", ops.truncate("s", 1)],
      ["a deletion of a stream", ops.delete("s", { expected: "any" })],
      ["a put", kv.ops.put("k", 1)],
      ["a deletion", kv.ops.delete("k")],
      ["an expectation of a key", kv.ops.check("k", "absent")],
      ["a clearing", kv.ops.clear()]
    ]
    for (const [what, op] of strangers) {
      yield* failing(what, store.commit([op]), "Invalid", "ops[0]")
      yield* failing(`${what} behind its own`, store.commit([store.kv("n").ops.put("own", 1), op]), "Invalid", "ops[1]")
    }
    yield* equal("what happened", [yield* store.head, yield* other.head], [0, 0])
    yield* done(other.commit([kv.ops.put("k", 1)]))
  }),

  law("what is over the limits that are declared is refused, and what just fits is not", ["atomic", "meta"], function*(
    _store,
    { over }
  ) {
    const limits = { payloadBytes: 100, commitEvents: 3, commitBytes: 150, nameBytes: 40 }
    const store = yield* over((backend) => ({ ...backend, about: { ...backend.about, limits } }))
    const { append } = store.log()
    const kv = store.kv("n")
    // The quotes of JSON count.
    const [large, larger] = [input(text(98)), input(text(99))]
    const four = [input(1), input(2), input(3), input(4)]
    yield* refused(store, [
      ["a stream's name", append(text(41), input(1), any), "stream", "LimitExceeded"],
      ["a name in bytes", append("é".repeat(21), input(1), any), "stream", "LimitExceeded"],
      ["a type's name", append("s", input(1, text(41)), any), "type", "LimitExceeded"],
      ["an event's id", append("s", { ...input(1), id: text(41) }, any), "id", "LimitExceeded"],
      ["a key", kv.put(text(41), 1), "key", "LimitExceeded"],
      ["data", append("s", larger, any), "data", "LimitExceeded"],
      ["a value", kv.put("k", text(99)), "value", "LimitExceeded"],
      ["metadata", kv.put("k", 1, { meta: { m: text(99) } }), "meta", "LimitExceeded"],
      ["a commit's number of events", append("s", four, any), "commit", "LimitExceeded"],
      ["a commit's bytes", append("s", [large, input(text(49))], any), "commit", "LimitExceeded"]
    ])
    yield* done(append("é".repeat(20), [large, input(text(48))], any))
    yield* done(append("s", four.slice(1), any))
    yield* kv.put(text(40), text(98))
    yield* equal("what just fits", [
      (yield* dataOf(store, "é".repeat(20))).length,
      (yield* dataOf(store, "s")).length,
      yield* kv.has(text(40))
    ], [2, 3, true])
  }),

  law("a reader or subscription that is wrong in any part is refused by that part's name", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", [1])
    const known = Catalogue.make({ T: Schema.Finite })
    const follow = (options: object) =>
      drained(core.subscribe(store, untyped<SubscribeOptions<Catalogue>>({ events: anyEvents, ...options })))
    const keep = (options: object) =>
      core.runSubscription(
        store,
        untyped<SubscriptionOptions<Catalogue> & EventHandler<Catalogue, never, never>>({
          events: anyEvents,
          handle: () => Effect.void,
          ...options
        })
      )
    yield* refused(store, [
      ["no place to begin", follow({}), "from"],
      ["a place that is none", follow({ from: "begin" }), "from"],
      ["a position that is none", follow({ from: { position: -1 } }), "from.position"],
      ["a page of none", follow({ from: "start", batch: 0 }), "batch"],
      ["no types", follow({ from: "start", types: [] }), "types"],
      ["a type that isn't in the catalogue", follow({ events: known, from: "start", types: ["U"] }), "types"],
      ["an option it doesn't know", follow({ from: "start", filter: 1 }), "filter"],
      ["no name", keep({}), "name"],
      ["an empty name", keep({ name: "" }), ""],
      ["a name of the store's own", keep({ name: "$own" }), "name"],
      ["a save every none", keep({ name: "r", saveEvery: 0 }), "saveEvery"],
      ["an option of a reader", core.registerReader(store, "r", untyped({ after: 1 })), "after"],
      ["a reader's name", core.registerReader(store, "$own"), "name"],
      ["a reset of nobody", core.resetReader(store, "nobody"), "name"]
    ])
    const data = yield* Stream.runCollect(Stream.take(core.subscribe(store, { events: known, from: "start" }), 1))
    yield* equal("what is right", data.map((event) => event.data), [1])
  }),

  law("a projection's or decision's options that are wrong are refused by their name", ["scan"], function*(
    store,
    { core }
  ) {
    yield* store.log(history.events).append("s", { type: "In", data: 1 }, any)
    const project = (options: object) => core.project(store, history, untyped(options))
    const compact = (options: object) => core.compact(store, { projection: history, stream: "s", ...options })
    yield* refused(store, [
      ["no scope", project({}), ""],
      ["two scopes", project({ stream: "s", all: true }), ""],
      ["no streams", project({ streams: [] }), "streams"],
      ["an empty name", project({ stream: "" }), "stream"],
      ["one bad name among several", project({ streams: ["s", ""] }), "streams[1]"],
      ["two moments", project({ stream: "s", asOf: { seq: 1, at: 1 } }), "asOf"],
      ["a seq of several streams", project({ all: true, asOf: { seq: 1 } }), "asOf.seq"],
      ["a time that is none", project({ stream: "s", asOf: { at: 0.5 } }), "asOf.at"],
      ["an option it doesn't know", project({ stream: "s", asof: 1 }), "asof"],
      ["snapshots for a replay", project({ stream: "s", snapshots: SnapshotPolicy.never }), "snapshots"],
      ["none to keep", core.saveSnapshot(store, history, { stream: "s", keep: 0 }), "keep"],
      ["no events to keep", compact({ keepEvents: 0 }), "keepEvents"],
      ["an option of a compaction", compact({ dry: 1 }), "dry"]
    ])
    yield* equal("what is right", (yield* core.project(store, history, { stream: "s" })).state.seen, ["s 1 In 1"])
  })
]
