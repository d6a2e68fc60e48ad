/** Laws of what changed in a namespace since a position, deletions included. */
import type { BackendShape, Position } from "@persist/core"
import { origin } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds, present } from "../assertion.ts"
import { appendEach, changedSince, clear, commitOne, del, getOne, moment, put, putEach } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("changed")

const namesSince = (backend: BackendShape, since: number = origin, limit = 1000) =>
  Effect.map(
    changedSince(backend, since, limit),
    (changes) => changes.map(({ _tag, key }) => _tag === "Entry" ? key : `-${key}`)
  )

/** Laws of `changed`. */
export const changed = [
  law("what changed is given in the order of the last writes, each key once", ["changed"], function*(backend) {
    yield* putEach(backend, { c: "1", a: "2", b: "3" })
    yield* putEach(backend, { c: "4" })
    yield* putEach(backend, { a: "5" })
    const changes = yield* changedSince(backend)
    yield* equal("keys", changes.map(({ key }) => key), ["b", "c", "a"])
    yield* every(
      "revision above the one before",
      changes,
      ({ revision }, n) => revision > (changes[n - 1]?.revision ?? 0)
    )
  }),

  law("a changed key comes as the entry that `get` gives", ["changed"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    yield* commitOne(backend, { at: moment + 3, write: [put("a", "3")] })
    const changes = yield* changedSince(backend)
    yield* equal("changes", changes, [
      yield* present("entry of b", yield* getOne(backend, "b")),
      yield* present("entry of a", yield* getOne(backend, "a"))
    ])
  }),

  law("only what was written above the position has changed since it", ["changed"], function*(backend) {
    const [, second = origin, third = origin] = yield* putEach(backend, { a: "1", b: "2", c: "3" })
    yield* equal("since the second", yield* namesSince(backend, second), ["c"])
    yield* equal("since just before the second", yield* namesSince(backend, second - 1), ["b", "c"])
    yield* equal("since the third", yield* namesSince(backend, third), [])
    yield* putEach(backend, { a: "4" })
    yield* equal("since the third, after another write", yield* namesSince(backend, third), ["a"])
  }),

  law("a deleted key has changed: it comes as a tombstone, with when and where it was deleted", [
    "changed",
    "delete"
  ], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    const at = moment + 4
    const { position } = yield* commitOne(backend, { at, write: [del("a")] })
    const changes = yield* changedSince(backend)
    yield* equal("keys", changes.map(({ key }) => key), ["b", "a"])
    yield* equal("tombstone", changes.at(-1), { _tag: "Tombstone", namespace: "n", key: "a", revision: position, at })
  }),

  law("a key deleted and written again has changed once, to its entry", ["changed", "delete"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    yield* commitOne(backend, { write: [del("a")] })
    yield* putEach(backend, { a: "3" })
    yield* equal("changes", yield* namesSince(backend), ["b", "a"])
  }),

  law("deleting a key that isn't there is no change", ["changed", "delete"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2" })
    yield* commitOne(backend, { write: [del("a")] })
    const since = yield* backend.head
    yield* commitOne(backend, { write: [del("a")] })
    yield* commitOne(backend, { write: [del("never")] })
    yield* equal("changes since", yield* namesSince(backend, since), [])
    yield* equal("changes", yield* namesSince(backend), ["b", "-a"])
  }),

  law(
    "every key of a cleared namespace comes as a tombstone with a revision of its own",
    ["changed", "clear"],
    function*(
      backend
    ) {
      yield* putEach(backend, { b: "1", a: "2", c: "3" })
      const since = yield* backend.head
      const { position } = yield* commitOne(backend, { write: [clear()] })
      const changes = yield* changedSince(backend, since)
      yield* equal("keys", changes.map(({ key }) => key).sort(), ["a", "b", "c"])
      yield* every(
        "tombstones",
        changes,
        ({ _tag, revision }, n) =>
          _tag === "Tombstone" && revision > (changes[n - 1]?.revision ?? since) && revision <= position
      )
    }
  ),

  law("pages of changes join by `through`, whatever their size", ["changed", "delete"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3", d: "4", e: "5" })
    yield* commitOne(backend, { write: [del("b")] })
    yield* putEach(backend, { a: "6" })
    for (const limit of [1, 2, 3, 5]) {
      yield* equal(`pages of ${limit}`, yield* namesSince(backend, origin, limit), ["c", "d", "e", "-b", "a"])
    }
  }),

  law("a page of changes has no more than its limit", ["changed"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3" })
    for (const limit of [1, 2]) {
      const { items } = yield* backend.changed({ namespace: "n", after: origin, limit })
      yield* holds(items.length <= limit, `a page of ${limit} has ${items.length} changes`)
      yield* equal("first change", items[0]?.key, "a")
    }
  }),

  law("a key written while its changes are paged comes again, and none is missed", ["changed"], function*(backend) {
    yield* putEach(backend, { a: "1", b: "2", c: "3", d: "4" })
    const last = new Map<string, string>()
    let after: Position = origin
    for (let page = 0; after < (yield* backend.head); page++) {
      const { items, through } = yield* backend.changed({ namespace: "n", after, limit: 1 })
      for (const item of items) last.set(item.key, item._tag === "Entry" ? String(item.value) : "gone")
      if (page === 1) yield* putEach(backend, { a: "5", d: "6", e: "7" })
      yield* holds(through > after, `a page after ${after} looked no further than ${through}`)
      after = through
    }
    yield* equal("values as last seen", Object.fromEntries(last), { a: "5", b: "2", c: "3", d: "6", e: "7" })
  }),

  law("at the end of the changes `through` is the head", ["changed"], function*(backend) {
    yield* putEach(backend, { a: "1" })
    yield* putEach(backend, { a: "1" }, "another")
    yield* appendEach(backend, "s", ["1"])
    const head = yield* backend.head
    const [revision = origin] = [(yield* getOne(backend, "a"))?.revision]
    const { items, through } = yield* backend.changed({ namespace: "n", after: revision, limit: 10 })
    yield* equal("after the last change", [items.length, through], [0, head])
    const none = yield* backend.changed({ namespace: "none", after: origin, limit: 10 })
    yield* equal("of a namespace without keys", [none.items.length, none.through], [0, head])
  }),

  law("changes keep to their namespace", ["changed"], function*(backend) {
    yield* putEach(backend, { a: "1" }, "n2")
    yield* putEach(backend, { b: "1" })
    yield* putEach(backend, { c: "1" }, "N")
    yield* putEach(backend, { d: "1" }, "\u00f1")
    yield* equal("changes", yield* namesSince(backend), ["b"])
  })
]
