/** Laws of a store's kv: values by key, what a write expects, and several keys at once. */
import type { Entry, ScanOptions } from "@persist/core"
import { compareUtf8 } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { equal, every, holds, present } from "../assertion.ts"
import { at, done, failing, fillKeys, keysOf, lost } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store kv")

const entryOf = <A, E>(entry: Effect.Effect<Option.Option<Entry<A>>, E>) =>
  Effect.flatMap(entry, (found) => present("the entry", Option.getOrUndefined(found)))

/** Laws of keys. */
export const storeKv = [
  law("a key's entry is the value that was put, with its metadata, time and revision", ["meta"], function*(store) {
    const kv = store.kv("n")
    const { revision } = yield* at(1234, kv.put("k", { list: [1, null] }, { meta: { by: "me" } }))
    yield* equal<unknown>("entry", yield* entryOf(kv.entry("k")), {
      key: "k",
      value: { list: [1, null] },
      revision,
      at: 1234,
      meta: { by: "me" }
    })
    const again = yield* kv.put("k", "2", { at: 5 })
    yield* holds(again.revision > revision, "the revision of a second put is no higher")
    yield* equal<unknown>("entry without metadata", yield* entryOf(kv.entry("k")), {
      key: "k",
      value: "2",
      revision: again.revision,
      at: 5,
      meta: undefined
    })
  }),

  law("null is a value, and a key that was never put has none", [], function*(store) {
    const kv = store.kv("n")
    yield* kv.put("k", null)
    yield* equal("the null", yield* kv.get("k"), Option.some(null))
    yield* equal("has", [yield* kv.has("k"), yield* kv.has("j")], [true, false])
    yield* equal("nothing", [yield* kv.get("j"), yield* kv.entry("j")], [Option.none(), Option.none()])
    yield* equal("nothing in another namespace", yield* store.kv("m").get("k"), Option.none())
  }),

  law("several keys are given in the order they were asked for, with what isn't there in its place", [], function*(
    store
  ) {
    yield* fillKeys(store, "n", ["a", "b", "c"])
    const found = yield* store.kv("n").getMany(["c", "x", "a", "c", "b"])
    yield* equal<unknown>("values", found.map((entry) => Option.getOrUndefined(entry)?.value), [
      "c",
      undefined,
      "a",
      "c",
      "b"
    ])
  }),

  law("a write is held to what it expects of its key", ["delete"], function*(store) {
    const kv = store.kv("n")
    const { revision: first } = yield* done(kv.put("k", 1, { expected: "absent" }))
    yield* lost(kv.put("new", 1, { expected: "exists" }))
    const { revision: second } = yield* done(kv.put("k", 2, { expected: first }))
    for (const expected of [first, second + 1, "absent"] as const) {
      yield* equal(`actual for ${expected}`, (yield* lost(kv.put("k", 3, { expected }))).actual, second)
      yield* lost(kv.delete("k", { expected }))
    }
    yield* equal("value", yield* kv.get("k"), Option.some(2))
    yield* done(kv.put("k", 4, { expected: "exists" }))
    yield* done(kv.delete("k", { expected: "exists" }))
    yield* equal("the value of a key that was deleted", yield* kv.get("k"), Option.none())
    yield* equal("other keys", yield* kv.get("new"), Option.none())
  }),

  law("a deleted key is gone, and comes back with a higher revision", ["delete"], function*(store) {
    const kv = store.kv("n")
    yield* fillKeys(store, "n", ["a", "k"])
    const { revision: before } = yield* entryOf(kv.entry("k"))
    yield* kv.delete("k")
    yield* kv.delete("nowhere")
    yield* equal("get", [yield* kv.get("k"), yield* kv.get("nowhere")], [Option.none(), Option.none()])
    yield* equal("has", [yield* kv.has("k"), yield* kv.has("a")], [false, true])
    const { revision } = yield* done(kv.put("k", 2, { expected: "absent" }))
    yield* holds(revision > before, `revision ${revision} after ${before}`)
  }),

  law("keys are scanned in the order of their UTF-8 bytes, within every bound and both ways", ["scan"], function*(
    store
  ) {
    const keys = ["a", "ab", "abc", "b", "b\u0000", "b\u0000a", "é", "\uffff", "😀", "😀!"].toSorted(compareUtf8)
    yield* fillKeys(store, "n", keys.toReversed())
    yield* fillKeys(store, "nn", ["other"])
    const bounds = ["a", "ab", "b", "c", "😀"]
    const options: ReadonlyArray<ScanOptions> = [{}, ...["a", "ab", "b", "😀", "x"].map((prefix) => ({ prefix }))]
      .flatMap((base) => [
        base,
        ...bounds.flatMap((key) => [{ ...base, gte: key }, { ...base, gt: key }, { ...base, lt: key }, {
          ...base,
          lte: key,
          gt: "a"
        }])
      ])
    for (const one of options) {
      const kept = keys.filter((key) =>
        key.startsWith(one.prefix ?? "") &&
        (one.gte === undefined || compareUtf8(key, one.gte) >= 0) &&
        (one.gt === undefined || compareUtf8(key, one.gt) > 0) &&
        (one.lte === undefined || compareUtf8(key, one.lte) <= 0) &&
        (one.lt === undefined || compareUtf8(key, one.lt) < 0)
      )
      const scan = (more: { readonly limit?: number; readonly reverse?: boolean }) =>
        Effect.map(Stream.runCollect(store.kv("n").scan({ ...one, ...more })), (found) => found.map(({ key }) => key))
      const what = JSON.stringify(one)
      yield* equal(what, yield* scan({}), kept)
      yield* equal(`${what}, two backwards`, yield* scan({ limit: 2, reverse: true }), kept.toReversed().slice(0, 2))
      yield* equal(`number of ${what}`, yield* store.kv("n").count(one), kept.length)
    }
  }),

  law("several keys are put in one commit, and all or none of them", ["atomic", "scan"], function*(store) {
    const kv = store.kv("n")
    const { position, revisions } = yield* kv.putMany([["a", 1], ["b", 2], ["c", 3]])
    const entries = yield* Stream.runCollect(kv.scan())
    yield* equal<unknown>("keys", entries.map(({ key, revision }) => [key, revision]), [["a", revisions[0]], [
      "b",
      revisions[1]
    ], ["c", revisions[2]]])
    yield* equal("the commit's position", position, revisions[2])
    yield* failing("a bad value among others", kv.putMany([["d", 4], ["e", Number.NaN], ["f", 6]]), "Invalid", "value")
    yield* failing("one key twice", kv.putMany([["d", 4], ["d", 5]]), "Invalid", "key")
    yield* equal("keys that are there", yield* keysOf(store, "n"), ["a", "b", "c"])
    yield* equal("head", yield* store.head, position)
  }),

  law("several keys are deleted in one commit", ["atomic", "delete", "scan"], function*(store) {
    yield* fillKeys(store, "n", ["a", "b", "c", "d"])
    const head = yield* store.head
    const { position, revisions } = yield* store.kv("n").deleteMany(["a", "c", "nowhere"])
    yield* equal("keys that are left", yield* keysOf(store, "n"), ["b", "d"])
    yield* every("revisions", revisions, (revision) => revision > head && revision <= position)
    yield* failing("an empty name among others", store.kv("n").deleteMany(["b", ""]), "Invalid", "key")
    yield* equal("keys after that", yield* keysOf(store, "n"), ["b", "d"])
  }),

  law("clearing a namespace removes its keys, and no others", ["clear", "scan"], function*(store) {
    for (const namespace of ["n", "nn", "N", "m"]) yield* fillKeys(store, namespace, ["a", "b", "c"])
    yield* store.kv("n").clear()
    yield* equal("its keys", yield* keysOf(store, "n"), [])
    for (const other of ["nn", "N", "m"]) yield* equal(`keys of ${other}`, yield* keysOf(store, other), ["a", "b", "c"])
    yield* fillKeys(store, "n", ["d"])
    yield* equal("its keys after a put", yield* keysOf(store, "n"), ["d"])
  }),

  law("a namespace is listed while it holds keys, with their number", ["namespaces", "delete"], function*(store) {
    yield* fillKeys(store, "b", ["x", "y"])
    yield* fillKeys(store, "a", ["x"])
    yield* fillKeys(store, "gone", ["x"])
    yield* store.kv("gone").delete("x")
    yield* store.kv("b").put("x", "again")
    const found = yield* Stream.runCollect(store.namespaces())
    yield* equal("namespaces", found.map(({ keys, namespace }) => [namespace, keys]), [["a", 1], ["b", 2]])
  }),

  law("nothing in the kv is the caller's own object, nor the reader's", [], function*(store) {
    const kv = store.kv("n")
    const value = { list: [1] }
    const put = yield* Effect.forkChild(kv.put("k", value), { startImmediately: true })
    // The call has been made, so what happens to its argument now comes too late.
    value.list.push(2)
    yield* Fiber.join(put)
    const first = yield* kv.get("k")
    yield* equal("the value after its caller changed it", first, Option.some({ list: [1] }))
    if (Option.isSome(first) && typeof first.value === "object" && first.value !== null) {
      Object.assign(first.value, { list: "gone" })
    }
    yield* equal("the value after a reader changed it", yield* kv.get("k"), Option.some({ list: [1] }))
  })
]
