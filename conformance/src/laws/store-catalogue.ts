/** Laws of catalogues at a store: typed data goes in and comes out, old versions are read as new, policies are kept. */
import { Catalogue } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, every } from "../assertion.ts"
import { count, dataOf, done, failing, fill, input, readWhole, untyped } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store catalogue")

const Added = Schema.Struct({ name: Schema.String, on: Schema.Date, worth: Schema.BigInt, raw: Schema.Uint8Array })
const Removed = Schema.Struct({ name: Schema.String, tags: Schema.ReadonlySet(Schema.String) })
const added = { name: "a", on: new Date(5), worth: BigInt(2) ** BigInt(70), raw: new Uint8Array([0, 255]) }

// One type as it has been: a number, then a price in a currency, then with a note.
const First = Schema.Struct({ price: Schema.Finite })
const Second = Schema.Struct({ price: Schema.Finite, currency: Schema.String })
const Third = Schema.Struct({ price: Schema.Finite, currency: Schema.String, note: Schema.NullOr(Schema.String) })
const second = Catalogue.versions(First).to(Second, ({ price }) => ({ price, currency: "EUR" }))
const third = second.to(Third, (old) => ({ ...old, note: null }))

/** Laws of events as catalogues describe them. */
export const storeCatalogue = [
  law("an event's data comes back as its schema describes it", [], function*(store, { core }) {
    const log = store.log(core.makeCatalogue({ Added, Removed }))
    yield* done(log.append("s", { type: "Added", data: added }, { expected: 0 }))
    const removed = { name: "a", tags: new Set(["x", "y"]) }
    yield* done(log.append("s", { type: "Removed", data: removed }, { expected: 1 }))
    const [first, last] = yield* readWhole(log, "s")
    yield* equal("types", [first?.type, last?.type], ["Added", "Removed"])
    const given = first?.type === "Added" ? first.data : undefined
    yield* equal("a date", given?.on.getTime(), 5)
    yield* equal("a bigint", String(given?.worth), "1180591620717411303424")
    yield* equal("bytes", given?.raw, added.raw)
    yield* equal("a set", [...last?.type === "Removed" ? last.data.tags : []], ["x", "y"])
  }),

  law("an event that doesn't fit its catalogue is refused, and nothing of its commit happens", ["atomic"], function*(
    store,
    { core }
  ) {
    const log = store.log(core.makeCatalogue({ Added }))
    const bad = untyped<typeof added>({ ...added, on: "today" })
    const two = log.append("s", [{ type: "Added", data: added }, { type: "Added", data: bad }], { expected: 0 })
    yield* failing("data of another type", two, "Invalid", "events[1].data")
    const stranger = log.append("s", untyped({ type: "Gone", data: added }), { expected: 0 })
    yield* failing("a type that isn't in it", stranger, "Invalid", "event.type")
    const more = log.append("s", { type: "Added", data: untyped({ ...added, more: 1 }) }, { expected: 0 })
    yield* failing("a property that would be lost", more, "Invalid", "event.data")
    yield* done(log.append("s", { type: "Added", data: added }, { expected: 0 }))
    yield* equal("number of events", (yield* dataOf(store, "s")).length, 1)
  }),

  law("an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise", [], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", [1], "Known")
    yield* fill(store, "s", [2], "Other")
    const log = store.log(core.makeCatalogue({ Known: Schema.Finite }))
    yield* failing("reading on", readWhole(log, "s"), "Corrupt", "Other")
    yield* equal("reading what it knows", yield* Stream.runCount(log.read("s", { to: 1 })), 1)
  }),

  law("a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it", [], function*(
    store,
    { core }
  ) {
    for (const type of ["Known", "Other", "Other", "Known", "Known"]) yield* fill(store, "s", [type], type)
    const log = store.log(core.makeCatalogue({ Known: Schema.String }, { unknown: "skip" }))
    const seqs = (options?: { readonly limit?: number; readonly reverse?: boolean }) =>
      Effect.map(Stream.runCollect(log.read("s", options)), (events) => events.map(({ seq }) => Number(seq)))
    yield* equal("seqs", yield* seqs(), [1, 4, 5])
    yield* equal("the first two", yield* seqs({ limit: 2 }), [1, 4])
    yield* equal("the last two", yield* seqs({ limit: 2, reverse: true }), [5, 4])
  }),

  law("a catalogue whose policy is to pass gives what it doesn't know as it is stored, and says so", [], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", [7], "Other")
    yield* fill(store, "s", [8], "Known")
    const log = store.log(core.makeCatalogue({ Known: Schema.Finite }, { unknown: "pass" }))
    const events = yield* readWhole(log, "s")
    yield* equal("events", events.map(({ data, type, unknown }) => [type, data, unknown]), [
      ["Other", 7, true],
      ["Known", 8, undefined]
    ])
  }),

  law("an event of an old version is read as the newest, and what is stored stays as it was", ["meta"], function*(
    store,
    { core }
  ) {
    const catalogues = [
      core.makeCatalogue({ Priced: First }),
      core.makeCatalogue({ Priced: second }),
      core.makeCatalogue({ Priced: third })
    ] as const
    const price = { type: "Priced", data: { price: 1 } } as const
    yield* store.log(catalogues[0]).append("s", price, { expected: 0 })
    const euro = { type: "Priced", data: { price: 2, currency: "USD" } } as const
    yield* store.log(catalogues[1]).append("s", { ...euro, meta: { by: "me" } }, { expected: 1 })
    const before = yield* readWhole(store.log(), "s")
    const noted = { type: "Priced", data: { price: 3, currency: "CHF", note: "new" } } as const
    yield* store.log(catalogues[2]).append("s", noted, { expected: 2 })
    const read = yield* readWhole(store.log(catalogues[2]), "s")
    yield* equal("as the newest", read.map(({ data }) => data), [
      { price: 1, currency: "EUR", note: null },
      { price: 2, currency: "USD", note: null },
      { price: 3, currency: "CHF", note: "new" }
    ])
    yield* equal("metadata", read.map(({ meta }) => meta), [undefined, { by: "me" }, undefined])
    yield* equal("what is stored", (yield* readWhole(store.log(), "s")).slice(0, 2), before.slice())
    yield* equal("data as it is stored", before.map(({ data }) => data), [{ price: 1 }, {
      price: 2,
      currency: "USD"
    }])
  }),

  law("an event of a newer version than the catalogue knows is Corrupt, and not misread", ["meta"], function*(
    store,
    { core }
  ) {
    const log = store.log(core.makeCatalogue({ Priced: third }))
    // What this version adds may be left out by chance, so that the old schema would take it.
    yield* log.append("s", { type: "Priced", data: { price: 1, currency: "EUR", note: null } }, { expected: 0 })
    const old = store.log(core.makeCatalogue({ Priced: second }))
    yield* failing("reading it", readWhole(old, "s"), "Corrupt", `stream "s"`)
    yield* equal("with the newer one", (yield* readWhole(log, "s")).length, 1)
  }),

  law("a catalogue narrowed to some types reads only them", ["readAll"], function*(store, { core }) {
    const whole = core.makeCatalogue({ A: Schema.Finite, B: Schema.Finite, C: Schema.Finite })
    const log = store.log(whole)
    for (const n of count(9)) {
      yield* log.append("s", { type: (["A", "B", "C"] as const)[n % 3] ?? "A", data: n }, { expected: "any" })
    }
    const narrow = store.log(whole.only("A", "C"))
    const events = yield* Stream.runCollect(narrow.readAll({ limit: 5 }))
    yield* equal("data", events.map(({ data }) => data), [2, 3, 5, 6, 8])
    yield* every("types", yield* readWhole(narrow, "s"), ({ type }) => type === "A" || type === "C")
    const refused = narrow.append("s", untyped({ type: "B", data: 1 }), { expected: "any" })
    yield* failing("appending another type", refused, "Invalid", "event.type")
  }),

  law("logs of several catalogues and of none share the store's streams", [], function*(store, { core }) {
    const left = store.log(core.makeCatalogue({ Left: Schema.Finite }, { unknown: "skip" }))
    const right = store.log(core.makeCatalogue({ Right: Schema.Date }, { unknown: "skip" }))
    yield* done(left.append("s", { type: "Left", data: 1 }, { expected: 0 }))
    yield* done(right.append("s", { type: "Right", data: new Date(0) }, { expected: 1 }))
    yield* done(store.log().append("s", input("x", "Left over"), { expected: 2 }))
    yield* equal("left", (yield* readWhole(left, "s")).map(({ seq }) => Number(seq)), [1])
    yield* equal("right", (yield* readWhole(right, "s")).map(({ seq }) => Number(seq)), [2])
    yield* equal("all", yield* dataOf(store, "s"), [1, "1970-01-01T00:00:00.000Z", "x"])
  }),

  law("a kv's values come back as its schema describes them, and what doesn't fit is refused", [], function*(store) {
    const kv = store.kv("n", Schema.Struct({ on: Schema.Date, ids: Schema.ReadonlySet(Schema.Finite) }))
    yield* kv.put("k", { on: new Date(7), ids: new Set([1, 2]) })
    const [entry] = yield* kv.getMany(["k"])
    const value = entry?._tag === "Some" ? entry.value.value : undefined
    yield* equal("a date and a set", [value?.on.getTime(), [...value?.ids ?? []]], [7, [1, 2]])
    yield* failing("a value that doesn't fit", kv.put("k", untyped({ on: 7 })), "Invalid", "value")
    yield* store.kv("n").put("other", { on: "never" })
    yield* failing("a stored value that doesn't fit", kv.get("other"), "Corrupt", `key "other"`)
    yield* equal("the key beside it", (yield* kv.get("k"))._tag, "Some")
  })
]
