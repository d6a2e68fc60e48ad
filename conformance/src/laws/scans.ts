/** Laws of scanning a namespace: its order, its bounds, and paging while others write. */
import type { BackendShape, KeyRange } from "@persist/core"
import { compareUtf8 } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every } from "../assertion.ts"
import { clear, commitAll, commitOne, del, getOne, put, putEach } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("scans")

const scan = (backend: BackendShape, range: Partial<KeyRange> = {}) =>
  backend.scan({ namespace: "n", gte: undefined, lt: undefined, limit: 1000, reverse: false, ...range })

const keysOf = (backend: BackendShape, range: Partial<KeyRange> = {}) =>
  Effect.map(scan(backend, range), (entries) => entries.map(({ key }) => key))

const five = (backend: BackendShape) => putEach(backend, { d: "4", b: "2", e: "5", a: "1", c: "3" })

// Names whose order by UTF-8 bytes differs from that by UTF-16 units, by locale, by case and by number.
const ordered = [
  "\u0000",
  " ",
  "10",
  "9",
  "B",
  "a",
  "a\u0000",
  "a b",
  "aa",
  "b",
  "\u00e9",
  "\ue000",
  "\uffff",
  "\u{1f600}"
]

/** Laws of scans. */
export const scans = [
  law("a scan gives the keys in the order of their UTF-8 bytes", ["scan"], function*(backend) {
    yield* putEach(backend, Object.fromEntries(ordered.toReversed().map((key) => [key, "1"])))
    yield* equal("keys", yield* keysOf(backend), ordered)
    yield* every("key above the one before", ordered, (key, n) => compareUtf8(key, ordered[n - 1] ?? "") > 0)
  }),

  law("the bounds of a scan compare by UTF-8 bytes as well", ["scan"], function*(backend) {
    yield* putEach(backend, Object.fromEntries(ordered.map((key) => [key, "1"])))
    for (const [n, bound] of ordered.entries()) {
      yield* equal(`from ${bound}`, yield* keysOf(backend, { gte: bound }), ordered.slice(n))
      yield* equal(`below ${bound}`, yield* keysOf(backend, { lt: bound }), ordered.slice(0, n))
    }
  }),

  law("a scan includes its lower bound and excludes its upper one", ["scan"], function*(backend) {
    yield* five(backend)
    yield* equal("from b below d", yield* keysOf(backend, { gte: "b", lt: "d" }), ["b", "c"])
    yield* equal("from bb below dd", yield* keysOf(backend, { gte: "bb", lt: "dd" }), ["c", "d"])
    yield* equal("from b below b", yield* keysOf(backend, { gte: "b", lt: "b" }), [])
    yield* equal("from d below b", yield* keysOf(backend, { gte: "d", lt: "b" }), [])
  }),

  law("a scan without bounds gives every key", ["scan"], function*(backend) {
    yield* five(backend)
    yield* equal("keys", yield* keysOf(backend), ["a", "b", "c", "d", "e"])
    yield* equal("in reverse", (yield* keysOf(backend, { reverse: true })).toReversed(), ["a", "b", "c", "d", "e"])
  }),

  law("a scan gives whole entries, the ones that `get` gives", ["scan"], function*(backend) {
    yield* five(backend)
    yield* putEach(backend, { b: "7" })
    const entries = yield* scan(backend)
    yield* equal("number of entries", entries.length, 5)
    for (const entry of entries) yield* equal(`entry of ${entry.key}`, entry, yield* getOne(backend, entry.key))
  }),

  law("a limit gives the first keys of a scan", ["scan"], function*(backend) {
    yield* five(backend)
    yield* equal("two", yield* keysOf(backend, { limit: 2 }), ["a", "b"])
    yield* equal("two from b", yield* keysOf(backend, { gte: "b", limit: 2 }), ["b", "c"])
  }),

  law("a scan in reverse gives the last keys first", ["scan"], function*(backend) {
    yield* five(backend)
    yield* equal("from b below e", yield* keysOf(backend, { gte: "b", lt: "e", reverse: true }), ["d", "c", "b"])
  }),

  law("a limit in reverse gives the last keys of a scan", ["scan"], function*(backend) {
    yield* five(backend)
    yield* equal("two", yield* keysOf(backend, { limit: 2, reverse: true }), ["e", "d"])
    yield* equal("two below d", yield* keysOf(backend, { lt: "d", limit: 2, reverse: true }), ["c", "b"])
  }),

  law("a page of a scan is short only where its keys end", ["scan"], function*(backend) {
    const keys = Array.from({ length: 1500 }, (_, n) => `${10_000 + n}`)
    yield* commitAll(backend, keys.map((key) => ({ write: [put(key, "1")] })))
    yield* equal("keys", yield* keysOf(backend, { limit: 1501 }), keys)
    yield* equal("keys in reverse", yield* keysOf(backend, { limit: 1501, reverse: true }), keys.toReversed())
  }),

  law("a scan keeps to its namespace", ["scan"], function*(backend) {
    yield* putEach(backend, { b: "1" }, "a")
    yield* putEach(backend, { c: "2" }, "ab")
    yield* putEach(backend, { bc: "3" }, "a:")
    yield* putEach(backend, { b: "4" }, "A")
    yield* equal("keys of a", yield* keysOf(backend, { namespace: "a" }), ["b"])
    yield* equal("keys of ab", yield* keysOf(backend, { namespace: "ab" }), ["c"])
    yield* equal("keys of none", yield* keysOf(backend, { namespace: "none" }), [])
  }),

  law("a scan gives no deleted keys, and counts none towards its limit", ["scan", "delete"], function*(backend) {
    yield* five(backend)
    yield* commitOne(backend, { write: [del("a")] })
    yield* commitOne(backend, { write: [del("c")] })
    yield* equal("keys", yield* keysOf(backend), ["b", "d", "e"])
    yield* equal("two", yield* keysOf(backend, { limit: 2 }), ["b", "d"])
  }),

  law("a cleared namespace scans as empty", ["scan", "clear"], function*(backend) {
    yield* five(backend)
    yield* commitOne(backend, { write: [clear()] })
    yield* equal("keys", yield* keysOf(backend), [])
    yield* putEach(backend, { c: "1" })
    yield* equal("keys after another put", yield* keysOf(backend), ["c"])
  }),

  law("pages of a scan neither skip nor repeat a key that stays, whatever is written between them", [
    "scan",
    "delete"
  ], function*(backend) {
    const keys = Array.from({ length: 12 }, (_, n) => `k${String(n).padStart(2, "0")}`)
    yield* putEach(backend, Object.fromEntries(keys.map((key) => [key, "1"])))
    const seen: Array<string> = []
    for (let gte: string | undefined = ""; gte !== undefined;) {
      const page: ReadonlyArray<string> = yield* keysOf(backend, { gte, limit: 3 })
      seen.push(...page)
      const last: string | undefined = page.at(-1)
      gte = last === undefined ? undefined : `${last}\u0000`
      // Before the page's end: one more, one less, one changed. None of it moves what is still to come.
      if (last !== undefined) {
        yield* commitOne(backend, { write: [put(`${keys[0]}-${seen.length}`, "new")] })
        yield* commitOne(backend, { write: [del(last)] })
        yield* commitOne(backend, { write: [put(page[0] ?? "", "again")] })
      }
    }
    yield* equal("keys seen", seen, keys)
  })
]
