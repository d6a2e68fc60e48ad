/** Digests are the same whichever implementation makes them: what one process records another one compares with. */
import { textDigest } from "@persist/core/digest"
import { md5 } from "effect/crypto/Digest"
import * as Hex from "effect/encoding/Hex"
import * as fc from "fast-check"
import { expect, test } from "vitest"

test("that of a text is its MD5, as RFC 1321 has it", () => {
  expect(textDigest("message digest")).toBe("f96b697d7cb7938d525a2f31aaf161d0")
})

test("the runtime's own MD5 is the portable one, for any text", () => {
  fc.assert(fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
    const portable = md5.implementation?.(new TextEncoder().encode(text))
    expect(textDigest(text)).toBe(portable === undefined ? undefined : Hex.encode(portable))
  }))
})
