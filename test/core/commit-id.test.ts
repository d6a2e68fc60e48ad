/** Ids that core gives to commits: UUIDs, none twice, in the order of time. */
import { newCommitId } from "@persist/core/commit-id"
import { describe, expect, it } from "vitest"

describe("an id made for a commit", () => {
  it("is a UUID of version 7, whatever the time", () => {
    for (const now of [0, 1, 1_700_000_000_123, 2 ** 48 - 1, -1]) {
      expect(newCommitId(now)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
    expect(newCommitId(0x0123456789ab)).toMatch(/^01234567-89ab-/)
  })

  it("comes after every one of an earlier millisecond", () => {
    const ids = Array.from({ length: 1000 }, (_, n) => newCommitId(1_700_000_000_000 + n))
    expect(ids).toEqual(ids.toSorted())
  })

  it("is none that was made before, within one millisecond too", () => {
    const ids = Array.from({ length: 10_000 }, () => newCommitId(1_700_000_000_000))
    expect(new Set(ids).size).toBe(ids.length)
    // Every bit that isn't fixed is random: over so many ids each digit but those takes every value.
    const fixed = new Set([14, 19])
    const digits = Array.from({ length: 36 }, (_, place) => new Set(ids.map((id) => id[place])).size)
    expect(digits.slice(14).filter((count, n) => count !== 1 && count !== 16 && !fixed.has(n + 14))).toEqual([])
    expect(digits[19]).toBe(4)
  })
})
