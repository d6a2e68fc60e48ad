/** A namespace's keys in memory, against a map that is sorted anew for every question. */
import { assert, test } from "@effect/vitest"
import { type Kept, Keys } from "@persist/backend-memory/keys"
import { compareUtf8, Position } from "@persist/core"
import * as fc from "fast-check"

const key = fc.constantFrom("a", "b", "c", "d")
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("put", "delete"), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("ask"), after: fc.nat(40), limit: fc.nat(4) }) }
)

test("what changed since a revision is each key at its last write, whenever it's first asked for", () => {
  fc.assert(fc.property(fc.array(act, { minLength: 40, maxLength: 80 }), (acts) => {
    const keys = new Keys()
    const last = new Map<string, Kept>()
    let revision = 0
    for (const one of acts) {
      if ("after" in one) {
        const since = [...last.values()].filter((kept) => kept.revision > one.after)
          .sort((a, b) => a.revision - b.revision)
        assert.deepStrictEqual(keys.since(Position(one.after), one.limit), since.slice(0, one.limit))
        continue
      }
      const place = { namespace: "n", key: one.key, revision: Position(++revision), at: 0 }
      const kept: Kept = one.do === "put"
        ? { _tag: "Entry", ...place, value: "1", meta: undefined }
        : { _tag: "Tombstone", ...place }
      keys.write(kept)
      last.set(one.key, kept)
    }
    const living = [...last.values()].filter(({ _tag }) => _tag === "Entry")
      .sort((a, b) => compareUtf8(a.key, b.key))
    assert.deepStrictEqual(keys.within({ gte: undefined, lt: undefined, limit: 9, reverse: false }), living)
    assert.deepStrictEqual(
      keys.within({ gte: "b", lt: "d", limit: 9, reverse: true }),
      living.filter((kept) => kept.key >= "b" && kept.key < "d").reverse()
    )
    assert.strictEqual(keys.living, living.length)
  }))
})
