/** Text that PostgreSQL can't hold as it is: written so that nothing is confused, and order and prefixes stay. */
import { fromStored, toStored } from "@persist/backend-postgres/text"
import { compareUtf8 } from "@persist/core"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const texts = fc.array(fc.constantFrom("\0", "\x01", "\x02", "a", "\uffff", "\u{1f600}"), { maxLength: 6 })
  .map((units) => units.join(""))

describe("stored text", () => {
  it("has no U+0000, and comes back as it was", () => {
    fc.assert(fc.property(texts, (text) => {
      expect(toStored(text)).not.toContain("\0")
      expect(fromStored(toStored(text))).toBe(text)
    }))
  })

  it("is in the same order, and has the same prefixes", () => {
    fc.assert(fc.property(texts, texts, (a, b) => {
      expect(Math.sign(compareUtf8(toStored(a), toStored(b)))).toBe(Math.sign(compareUtf8(a, b)))
      expect(toStored(a).startsWith(toStored(b))).toBe(a.startsWith(b))
    }))
  })

  it("is itself where it has neither of the two characters, as all JSON", () => {
    const json = JSON.stringify({ "\0": "\x01\x02\u00e9\n" })
    expect(toStored(json)).toBe(json)
  })
})
