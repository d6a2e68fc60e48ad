/** JSON text carries what it's given exactly, or refuses it by name. */
import { type Json, jsonDepth, parseJson, stringifyJson } from "@persist/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"

const written = (value: unknown) => Result.getOrThrow(stringifyJson("data", value))
const refused = (value: unknown) => Result.getOrThrow(Result.flip(stringifyJson("data", value)))
const read = (text: string) => Result.getOrThrow(parseJson("data", text))
const nested = (levels: number) => {
  let value: Json = "core"
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value }
  return value
}

class Money {
  cents = 5
}

describe("stringifyJson", () => {
  it("reads back equal, whatever JSON value it was", () => {
    let seen = 0
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      seen++
      expect(read(written(value))).toEqual(JSON.parse(JSON.stringify(value)))
      expect(written(value)).toBe(JSON.stringify(value))
    }))
    expect(seen).toBeGreaterThan(50)
  })

  it("keeps odd keys and strings", () => {
    expect(written(JSON.parse(`{"__proto__":{"a":1},"constructor":2,"":3}`))).toBe(
      `{"__proto__":{"a":1},"constructor":2,"":3}`
    )
    expect(read(`{"__proto__":{"a":1}}`)).toSatisfy((value: object) => Object.hasOwn(value, "__proto__"))
    expect(read(written({ "\ud800": "\udfff" }))).toEqual({ "\ud800": "\udfff" })
    expect(written(-0)).toBe("0")
  })

  it("leaves out properties that are undefined, and nothing else", () => {
    expect(written({ a: undefined, b: null, c: [{ d: undefined }] })).toBe(`{"b":null,"c":[{}]}`)
  })

  it("takes objects without a prototype and those of another realm", () => {
    expect(written(Object.assign(Object.create(null), { a: 1 }))).toBe(`{"a":1}`)
    expect(written(runInNewContext(`({ a: [1, { b: 2 }] })`))).toBe(`{"a":[1,{"b":2}]}`)
    expect(refused(runInNewContext(`({ a: new Date(0) })`)).field).toBe("data.a")
  })

  it.each([
    ["data", undefined, "undefined"],
    ["data[1]", [1, undefined], "undefined"],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what's refused
    ["data[0]", [, 1], "undefined"],
    ["data.a", { a: () => 1 }, "function"],
    ["data.toJSON", { toJSON: () => 1 }, "function"],
    ["data.a", { a: Symbol("s") }, "symbol"],
    ["data.a[0].b", { a: [{ b: 1n }] }, "bigint"],
    ["data", Number.NaN, "NaN"],
    ["data.a", { a: Number.POSITIVE_INFINITY }, "Infinity"],
    ["data[0]", [Number.NEGATIVE_INFINITY], "-Infinity"],
    ["data.at", { at: new Date(0) }, "Date"],
    ["data.m", { m: new Map() }, "Map"],
    ["data.s", { s: new Set() }, "Set"],
    ["data.b", { b: new Uint8Array(1) }, "Uint8Array"],
    ["data.n", { n: Object(1) }, "Number"],
    ["data[\"the price\"][2]", { "the price": [1, 2, new Money()] }, "Money"],
    ["data.list", { list: new (class Numbers extends Array<number> {})() }, "Numbers"]
  ])("refuses what JSON would change, at %s", (field, value, reason) => {
    const error = refused(value)
    expect(error._tag).toBe("Invalid")
    expect(error.field).toBe(field)
    expect(error.reason).toContain(reason)
    expect(error.remedy).not.toBe("")
  })

  it("finds a bad value wherever it is, and says where", () => {
    let seen = 0
    const paths = fc.array(fc.oneof(fc.nat(3), fc.stringMatching(/^[a-z]{1,5}$/)), { maxLength: 8 })
    fc.assert(fc.property(paths, fc.jsonValue(), (path, beside) => {
      let value: unknown = 1n
      let field = ""
      for (const key of path.toReversed()) {
        value = typeof key === "number"
          ? [...Array.from({ length: key }, () => beside), value]
          : { [`before ${key}`]: beside, [key]: value }
        field = (typeof key === "number" ? `[${key}]` : `.${key}`) + field
      }
      if (path.length > 0) seen++
      expect(refused(value).field).toBe(`data${field}`)
    }))
    expect(seen).toBeGreaterThan(20)
  })

  it("refuses a value that contains itself, naming both places", () => {
    const inner: Record<string, unknown> = {}
    inner["again"] = [inner]
    expect(refused({ a: { b: inner } }).message).toBe(
      "data.a.b.again[0]: refers back to data.a.b; refer to it by an id instead"
    )
    const shared = { x: 1 }
    expect(written([shared, shared])).toBe(`[{"x":1},{"x":1}]`)
  })

  it("writes up to its depth and refuses beyond it, far beyond too", () => {
    expect(read(written(nested(jsonDepth)))).toEqual(nested(jsonDepth))
    expect(refused(nested(jsonDepth + 1)).reason).toContain("levels deep")
    const error = refused(nested(100_000))
    expect(error.reason).toContain("levels deep")
    expect(error.field.length).toBeLessThan(400)
  })

  it("refuses text that no string can hold, and properties that throw", () => {
    const part = "x".repeat(2 ** 24)
    expect(refused(Array.from({ length: 33 }, () => part)).reason).toContain("too large")
    const trap = {
      get secret(): string {
        throw new Error("no")
      }
    }
    expect(refused({ trap }).reason).toContain("threw")
  })

  it("shortens a path that would fill the screen", () => {
    const key = "k".repeat(1000)
    expect(refused({ [key]: 1n }).field).toBe(`data["${"k".repeat(64)}"…]`)
  })
})

describe("parseJson", () => {
  it("names where, and repeats nothing of the text", () => {
    const error = Result.getOrThrow(Result.flip(parseJson("key \"a\"", "{ secret")))
    expect(error._tag).toBe("Corrupt")
    expect(error.where).toBe("key \"a\"")
    expect(JSON.stringify(error) + String(error.cause)).not.toContain("secret")
  })
})
