/** Names that are met again and again: each is the text of its bytes, whichever was met before it. */
import { ShortNames } from "@persist/backend-file/log/short-names"
import * as fc from "fast-check"
import { expect, test } from "vitest"

// Of few letters, so that many begin, end and have their middle alike; some of more bytes than units, some too long.
const letters = fc.string({ unit: fc.constantFrom("a", "b", "\u00e9", "\u{1F600}"), maxLength: 8 })
const name = fc.tuple(letters, fc.constantFrom(0, 40, 80)).map(([text, more]) => text + "c".repeat(more))

test("a name is the text of its bytes, whichever names were met before", () => {
  const names = new ShortNames()
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 30 }), fc.nat(5), (all, before) => {
      for (const text of all) {
        const own = Buffer.from(text)
        // It lies among others' bytes.
        const bytes = Buffer.concat([Buffer.alloc(before, "a"), own, Buffer.from("b")])
        expect(names.at(bytes, before, own.length)).toBe(text)
      }
    }),
    { numRuns: 300 }
  )
})

test("one whose first, middle and last bytes are another's isn't taken for it", () => {
  const names = new ShortNames()
  for (const text of ["aXbXc", "aYbYc", "aXbYc", "aXbXc"]) expect(names.at(Buffer.from(text), 0, 5)).toBe(text)
})
