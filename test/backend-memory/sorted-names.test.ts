/** Names in memory, in order: against a list that is sorted anew. */
import { assert, test } from "@effect/vitest"
import { SortedNames } from "@persist/backend-memory/sorted-names"
import { compareUtf8 } from "@persist/core"
import * as fc from "fast-check"

const name = fc.oneof(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4, unit: "grapheme" }))
/** Some names to add, then a name to read around; few and many, since many are sorted in together. */
const step = fc.record({
  names: fc.oneof(fc.array(name, { maxLength: 3 }), fc.array(name, { minLength: 40 })),
  at: name
})

test("names are read in order from anywhere, however they were added", () => {
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12, size: "max" }), (steps) => {
    const names = new SortedNames()
    const known = new Set<string>()
    for (const { at, names: some } of steps) {
      for (const one of new Set(some)) {
        if (!known.has(one)) names.add(one)
        known.add(one)
      }
      const all = [...known].sort(compareUtf8)
      assert.deepStrictEqual([...names.from(at)], all.filter((one) => compareUtf8(one, at) >= 0))
      assert.deepStrictEqual([...names.before(at)], all.filter((one) => compareUtf8(one, at) < 0).reverse())
      assert.deepStrictEqual([...names.before(undefined)], all.toReversed())
    }
  }))
})

test("so are thousands that come one by one, in blocks that are split", () => {
  const names = new SortedNames()
  const known: Array<string> = []
  for (let i = 0; i < 20_000; i++) {
    const one = `name-${(i * 7919) % 20_000}`
    names.add(one)
    known.push(one)
    // Read after each, once there are so many that they aren't all sorted again.
    if (i > 100) names.from("").next()
  }
  known.sort(compareUtf8)
  assert.deepStrictEqual([...names.from("")], known)
  assert.deepStrictEqual([...names.before(undefined)], known.toReversed())
  assert.deepStrictEqual([...names.from("name-7777")], known.slice(known.indexOf("name-7777")))
})
