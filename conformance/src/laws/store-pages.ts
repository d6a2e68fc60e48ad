/** Laws of paging: whatever is longer than a page is read as if there were none, and a filter is no other log. */
import type { StoreShape } from "@persist/core"
import { compareUtf8 } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { equal, every, holds } from "../assertion.ts"
import { count, dataIn, dataOf, fill, fillKeys, fillLong, inBulk, input } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store pages")

// More than core asks of a backend at a time, and no multiple of that.
const many = 1105
const unheld = { expected: "any" } as const

// Events of two types in two streams, one after the other, with a key written now and then between them.
const mixed = (store: StoreShape, length: number, first = 1) => {
  const { append } = store.log()
  return Effect.forEach(
    count(length, first),
    (n) =>
      n % 5 === 4
        ? Effect.asVoid(store.kv("n").put("k", n))
        : Effect.asVoid(append(n % 3 === 0 ? "sold" : "stock", input(n, typeOf(n)), unheld)),
    { concurrency: "unbounded", discard: true }
  )
}

const typeOf = (n: number) => n % 2 === 0 ? "Even" : "Odd"

// The same, more than a page of them: those in the middle in commits of seven events where the store can.
const mixedLong = Effect.fnUntraced(function*(store: StoreShape) {
  const { ops } = store.log()
  yield* mixed(store, 75)
  if (store.about.lacks.has("atomic")) yield* mixed(store, 1250, 76)
  else {
    yield* Effect.forEach(
      count(143),
      (n) => {
        const [sold, stock] = [count(2, 69 + n * 7), count(5, 71 + n * 7)].map((numbers) =>
          numbers.map((each) => input(each, typeOf(each)))
        )
        return store.commit([
          ops.append("sold", sold ?? [], unheld),
          ops.append("stock", stock ?? [], unheld),
          store.kv("n").ops.put("k", n)
        ])
      },
      { concurrency: "unbounded", discard: true }
    )
  }
  yield* mixed(store, 75, 2000)
})

const everything = (store: StoreShape) => Stream.runCollect(store.log().readAll())

/** Laws of reading what's longer than a page. */
export const storePages = [
  law("a stream longer than a page is read whole, in parts and backwards", [], function*(store) {
    yield* fillLong(store, "s", count(many))
    const all = count(many)
    yield* equal("forwards", yield* dataOf(store, "s"), all)
    yield* equal("backwards", yield* dataOf(store, "s", { reverse: true }), all.toReversed())
    yield* equal("a part", yield* dataOf(store, "s", { from: 7, to: 1080 }), all.slice(6, 1080))
    yield* equal("so many", yield* dataOf(store, "s", { from: 7, limit: 1020 }), all.slice(6, 1026))
    yield* equal(
      "so many backwards",
      yield* dataOf(store, "s", { to: 1080, limit: 1020, reverse: true }),
      all
        .slice(60, 1080).toReversed()
    )
  }),

  law("all streams together are read whole, in parts and backwards", ["readAll"], function*(store) {
    yield* mixedLong(store)
    const events = yield* everything(store)
    const log = store.log()
    yield* holds(events.length > 1105, `there were only ${events.length} events`)
    const third = events[70]?.position ?? 0
    const last = events[1100]?.position ?? 0
    const parts = [
      [{ reverse: true }, events.toReversed()],
      [{ after: third, to: last }, events.slice(71, 1101)],
      [{ after: third, limit: 20 }, events.slice(71, 91)],
      [{ to: last, limit: 1050, reverse: true }, events.slice(51, 1101).toReversed()]
    ] as const
    for (const [options, expected] of parts) {
      yield* equal(JSON.stringify(options), dataIn(yield* Stream.runCollect(log.readAll(options))), dataIn(expected))
    }
  }),

  law(
    "a filter leaves out of all streams what it says, and a limit counts what it lets through",
    ["readAll"],
    function*(
      store
    ) {
      yield* mixedLong(store)
      const events = yield* everything(store)
      const log = store.log()
      const last = events[1060]?.position ?? 0
      for (const prefix of [undefined, "so", "sold", "solder"]) {
        for (const types of [undefined, ["Even"], ["Odd", "Even", "Other"]]) {
          for (const limit of [undefined, 3]) {
            const kept = events.filter(({ position, stream, type }) =>
              position <= last && stream.startsWith(prefix ?? "") && (types === undefined || types.includes(type))
            )
            const found = yield* Stream.runCollect(log.readAll({ prefix, types, limit, to: last }))
            yield* equal(
              `prefix ${prefix}, types ${types?.join()}, at most ${limit}`,
              dataIn(found),
              dataIn(kept.slice(0, limit))
            )
          }
        }
      }
    }
  ),

  law("all streams read on from any position give the rest", ["readAll"], function*(store) {
    yield* mixed(store, 23)
    const events = yield* everything(store)
    for (const { position } of events) {
      const before = yield* Stream.runCollect(store.log().readAll({ to: position }))
      const after = yield* Stream.runCollect(store.log().readAll({ after: position }))
      yield* equal(`around ${position}`, dataIn([...before, ...after]), dataIn(events))
      yield* equal("the last one before", before.at(-1)?.position, position)
    }
    yield* holds(events.length > 10, "there was too little to read")
  }),

  law("whoever reads backwards meets no event twice, though others append", [], function*(store) {
    yield* fillLong(store, "s", count(many))
    const seen: Array<unknown> = []
    yield* store.log().read("s", { reverse: true }).pipe(
      Stream.runForEachArray((events) =>
        Effect.suspend(() => {
          seen.push(...dataIn(events))
          return seen.length > many ? Effect.void : fill(store, "s", ["late", "late"])
        })
      )
    )
    yield* equal("what was read", seen, count(many).toReversed())
  }),

  law("more streams than a page holds are listed by name, from any name on", ["streams"], function*(store) {
    const names = count(1105).map((n) => `${n % 2 === 0 ? "even" : "odd"}/${n}`)
    yield* inBulk(store, names.map((stream) => store.log().ops.append(stream, input(1), unheld)))
    const sorted = names.toSorted(compareUtf8)
    const list = (options?: { readonly prefix?: string; readonly after?: string; readonly limit?: number }) =>
      Effect.map(Stream.runCollect(store.log().streams(options)), (found) => found.map(({ stream }) => stream))
    yield* equal("all", yield* list(), sorted)
    yield* equal("the first", yield* list({ limit: 1050 }), sorted.slice(0, 1050))
    const even = sorted.filter((name) => name.startsWith("even/"))
    yield* equal("by prefix", yield* list({ prefix: "even/" }), even)
    yield* equal(
      "from a name on",
      yield* list({ prefix: "even/", after: "even/5", limit: 9 }),
      even
        .filter((name) => compareUtf8(name, "even/5") > 0).slice(0, 9)
    )
  }),

  law("more keys than a page holds are scanned whole, and backwards", ["scan"], function*(store) {
    const keys = count(many).map((n) => `${n}`.padStart(5, "0"))
    const kv = store.kv("n")
    yield* inBulk(store, keys.map((key) => kv.ops.put(key, 1)))
    const scan = (options: Parameters<typeof kv.scan>[0]) =>
      Effect.map(Stream.runCollect(kv.scan(options)), (found) => found.map(({ key }) => key))
    yield* equal("all", yield* scan({}), keys)
    yield* equal("backwards", yield* scan({ reverse: true }), keys.toReversed())
    yield* equal("a part", yield* scan({ gt: "00010", lte: "01090", limit: 1050 }), keys.slice(10, 1060))
    yield* equal("their number", yield* kv.count(), many)
    yield* equal("the number of a part", yield* kv.count({ gte: "00010", lt: "01090" }), 1080)
  }),

  law("a scan meets every key that stays once, though others come and go", ["scan", "delete"], function*(store) {
    const keys = count(many).map((n) => `${n}`.padStart(5, "0"))
    const kv = store.kv("n")
    yield* inBulk(store, keys.map((key) => kv.ops.put(key, 1)))
    const met: Array<string> = []
    yield* kv.scan().pipe(Stream.runForEachArray((entries) =>
      Effect.suspend(() => {
        met.push(...entries.map(({ key }) => key))
        const last = entries.at(-1)?.key ?? ""
        // The place where the next page begins goes away, and what was counted before it grows.
        return Effect.andThen(
          Effect.forEach([last, "00001"], (key) => kv.delete(key), { concurrency: "unbounded" }),
          fillKeys(store, "n", count(5).map((n) => `0000 ${met.length} ${n}`))
        )
      })
    ))
    yield* equal("keys that were met", met, keys)
  }),

  law("more changes than a page holds are told whole", ["changed"], function*(store) {
    const keys = count(1305).map((n) => `k${n}`)
    const kv = store.kv("n")
    yield* inBulk(store, keys.slice(0, 1200).map((key) => kv.ops.put(key, key)))
    const written = yield* fillKeys(store, "n", keys.slice(1200))
    yield* fillKeys(store, "m", count(50).map((n) => `other${n}`))
    const since = (after: number) =>
      Effect.map(Stream.runCollect(kv.changedSince({ after })), (found) => found.map(({ key }) => key))
    yield* equal("all", yield* since(0), keys)
    yield* equal("since one of them", yield* since(written[9]?.revision ?? 0), keys.slice(1210))
    yield* equal("since the last of them", yield* since(written.at(-1)?.revision ?? 0), [])
  }),

  law("more namespaces than a page holds are listed, each with the number of its keys", ["namespaces"], function*(
    store
  ) {
    const names = count(1105).map((n) => `n${n}`)
    yield* inBulk(store, names.map((name) => store.kv(name).ops.put("k", 1)))
    yield* fillKeys(store, "n7", ["a", "b"])
    const found = yield* Stream.runCollect(store.namespaces())
    yield* equal("names", found.map(({ namespace }) => namespace), names.toSorted(compareUtf8))
    yield* every("numbers", found, ({ keys, namespace }) => keys === (namespace === "n7" ? 3 : 1))
  })
]
