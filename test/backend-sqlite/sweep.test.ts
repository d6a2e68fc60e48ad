/** The list of changes: it stays short however often keys are put, and tells each key's last change all the while. */
import { assert, describe, it } from "@effect/vitest"
import type { BackendShape } from "@persist/core"
import { Position } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import { commitOf, driver, newPath, putOf, visit } from "./place.ts"

const changesKept = (path: string): number =>
  driver(path, (db) => Number(db.prepare("SELECT count(*) FROM change").pluck().get()))

/** Every change of a namespace, by pages. */
const changesOf = Effect.fnUntraced(function*(backend: BackendShape, namespace: string) {
  const keys: Array<string> = []
  for (let after = Position(0);;) {
    const { items, through } = yield* backend.changed({ namespace, after, limit: 100 })
    keys.push(...items.map(({ _tag, key, revision }) => `${_tag} ${key} ${revision}`))
    if (items.length < 100) return keys
    after = through
  }
})

const keyOf = (n: number): string => `k-${n}`

/** A commit that puts so many keys from one on. */
const keysPut = (from: number, keys: number, value: number) =>
  commitOf({ write: NonEmpty.makeBy(keys, (n) => putOf("n", keyOf(from + n), `${value}`)) })

describe("the list of changes", () => {
  it.effect("holds about twice as many as there are keys, of which it tells the last", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const [keys, still, batch, rounds] = [200, 300, 50, 120]
      const last = new Map<string, string>()
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          // They stay where a round begins.
          const first = NonEmpty.makeBy(still, (n) => `still-${n}`)
          yield* backend.commit([commitOf({ write: NonEmpty.map(first, (key) => putOf("n", key, "0")) })])
          first.forEach((key, i) => last.set(key, `Entry ${key} ${i + 1}`))
          for (let round = 0; round < rounds; round++) {
            const names = NonEmpty.makeBy(batch, (n) => keyOf((round * 7 + n * 3) % keys))
            const [outcome] = yield* backend.commit([
              commitOf({ write: NonEmpty.map(names, (key) => putOf("n", key, `${round}`)) })
            ])
            assert.strictEqual(outcome._tag, "Committed")
            if (outcome._tag !== "Committed") continue
            names.forEach((key, i) => last.set(key, `Entry ${key} ${outcome.revisions[i]}`))
          }
          const revisionOf = (told: string) => Number(told.split(" ")[2])
          const expected = [...last.values()].toSorted((a, b) => revisionOf(a) - revisionOf(b))
          assert.deepStrictEqual(yield* changesOf(backend, "n"), expected)
        }))
      assert.isAtMost(changesKept(path), 3 * (keys + still))
    }))

  it.effect("is swept by those who write once and end, too, whatever else was written before", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const event = { type: "t", at: 0, data: "{}", meta: undefined, id: undefined }
      const events = commitOf({ append: [{ stream: "s", events: NonEmpty.makeBy(10_000, () => event) }] })
      // Most positions are below all changes, and the lowest changes are of keys that nobody writes again.
      yield* visit(path, (backend) => backend.commit([events, events, events, keysPut(0, 1200, 0)]))
      for (let round = 1; round <= 60; round++) {
        yield* visit(path, (backend) =>
          // Many and few, together and one by one, each time of keys that were left alone for some rounds.
          backend.commit([
            keysPut(200 + 100 * (round % 10), 60, round),
            ...NonEmpty.makeBy(20, (n) => keysPut(260 + 100 * (round % 10) + n, 1, round))
          ]))
      }
      assert.isAtMost(changesKept(path), 1800)
    }))

  it.effect("tells deletions, the first of each key", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const one = { _tag: "Delete", namespace: "n", key: "b" } as const
      yield* visit(path, (backend) =>
        Effect.gen(function*() {
          yield* backend.commit([
            commitOf({ write: [putOf("n", "a", "1"), putOf("n", "b", "1"), putOf("o", "c", "1")] })
          ])
          yield* backend.commit([commitOf({ write: [one] })])
          yield* backend.commit([commitOf({ write: [one] })])
          assert.deepStrictEqual(yield* changesOf(backend, "n"), ["Entry a 1", "Tombstone b 4"])
          assert.deepStrictEqual(yield* changesOf(backend, "o"), ["Entry c 3"])
          yield* backend.commit([commitOf({ write: [{ _tag: "Clear", namespace: "n" }] })])
          const [tombstone] = yield* changesOf(backend, "n")
          assert.strictEqual(tombstone, "Tombstone b 4")
        }))
    }))
})
