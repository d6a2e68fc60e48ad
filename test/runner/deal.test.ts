/** Who should run what: fair, the same for all, and moved little. */
import type { Event } from "@persist/core"
import { deal } from "@persist/runner/deal"
import { hashOf, isIn, keysIn, partitionsOf } from "@persist/runner/partition"
import { assert, describe, it } from "vitest"

const readers = partitionsOf(64).map(({ index }) => `orders#${index}`)
const names = (n: number) => Array.from({ length: n }, (_, i) => `runner-${i}`)

const sharesOf = (dealt: ReadonlyMap<string, string>) =>
  Array.from(Map.groupBy(dealt.values(), (runner) => runner).values(), ({ length }) => length)

describe("an event whose key can't be told", () => {
  it("is a failure of the one partition that its stream belongs to", () => {
    const event = { stream: "order-1" } as Event // The rest doesn't count.
    const fails = () => {
      throw new Error("no key")
    }
    const told = partitionsOf(4).map((partition) => {
      try {
        return keysIn(partition, fails)(event) ?? "untold"
      } catch {
        return "failed"
      }
    })
    assert.deepStrictEqual(told.map(String).toSorted(), ["failed", "untold", "untold", "untold"])
    assert.strictEqual(told.indexOf("failed"), hashOf("order-1") % 4)
  })
})

describe("partitions are dealt", () => {
  it("all of them, to nobody more than one more than to another", () => {
    for (let n = 1; n <= 70; n++) {
      const dealt = deal(names(n), readers)
      assert.strictEqual(dealt.size, readers.length)
      const shares = sharesOf(dealt)
      assert.isAtMost(Math.max(...shares) - (shares.length < n ? 0 : Math.min(...shares)), 1)
    }
  })

  it("alike, in whatever order somebody has seen runners and partitions", () => {
    const dealt = deal(names(5), readers)
    assert.deepStrictEqual(deal(names(5).toReversed(), readers.toReversed()), dealt)
  })

  it("to nobody where nobody is there, and to none where there are none", () => {
    assert.strictEqual(deal([], readers).size, 0)
    assert.strictEqual(deal(names(3), []).size, 0)
  })

  it("so that little moves but what was one's that is gone", () => {
    const [before, after] = [deal(names(4), readers), deal(names(5), readers)]
    const moved = readers.filter((reader) => before.get(reader) !== after.get(reader))
    // A fifth has to move; dealing anew by place would move four fifths.
    assert.isBelow(moved.length, readers.length / 2)
  })
})

describe("a key", () => {
  it("is in one partition, and keys are spread evenly", () => {
    const counts = partitionsOf(16).map((partition) => {
      let count = 0
      for (let n = 0; n < 16_000; n++) if (isIn(partition, `order-${n}`)) count++
      return count
    })
    assert.strictEqual(counts.reduce((sum, count) => sum + count, 0), 16_000)
    for (const count of counts) {
      assert.isAbove(count, 800)
      assert.isBelow(count, 1200)
    }
  })

  it("has the same hash for ever: stored checkpoints rest on it", () => {
    assert.deepStrictEqual(["", "a", "order-1", "ü☃"].map(hashOf), [
      2_872_998_923,
      444_641_715,
      2_449_496_732,
      1_601_907_041
    ])
  })
})
