/** A catalogue writes the current version, reads every version, and does with unknown types what it was told. */
import { anyEvents, Catalogue } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { definitions, failure, PaidV3, Placed, placed, refused, Shop, stored } from "./orders.ts"

describe("encode", () => {
  it("checks data against the current version and numbers versions above 1 in meta", () => {
    expect(Result.getOrThrow(Shop.encode("event", placed))).toEqual({
      type: "OrderPlaced",
      data: `{"sku":"a","quantity":1}`,
      meta: undefined
    })
    const paid = { type: "OrderPaid", data: { cents: 5, currency: "USD" } } as const
    expect(Result.getOrThrow(Shop.encode("event", paid)).meta).toBe(`{"$version":3}`)
    expect(Result.getOrThrow(Shop.encode("event", { ...paid, meta: { by: "ann" } })).meta).toBe(
      `{"$version":3,"by":"ann"}`
    )
    expect(Result.getOrThrow(Shop.encode("event", { ...paid, meta: {} })).meta).toBe(`{"$version":3}`)
    expect(Result.getOrThrow(Shop.encode("event", { ...placed, meta: {} })).meta).toBeUndefined()
  })

  it("names what doesn't fit", () => {
    expect(refused(Shop, { type: "OrderPlaced", data: { sku: "a", quantity: 1.5 } }).field).toBe(
      "events[0].data.quantity"
    )
    expect(refused(Shop, { type: "OrderPaid", data: { amount: 5 } }).field).toMatch(/^events\[0\]\.data/)
    expect(refused(Shop, { type: "OrderPlaced" }).field).toBe("events[0].data")
    expect(refused(Shop, { ...placed, meta: { a: [1n] } }).field).toBe("events[0].meta.a[0]")
    expect(refused(Shop, { ...placed, meta: [] }).field).toBe("events[0].meta")
    expect(refused(Shop, { ...placed, meta: null }).field).toBe("events[0].meta")
    expect(refused(Shop, { ...placed, meta: { $version: 2 } })).toMatchObject({
      _tag: "Invalid",
      field: "events[0].meta.$version"
    })
  })

  it("says which types it has where one isn't among them", () => {
    expect(refused(Shop, { ...placed, type: "orderPlacd" }).message).toBe(
      `events[0].type: "orderPlacd" isn't in the catalogue; did you mean "OrderPlaced" or "OrderPaid"?`
    )
    expect(refused(Shop, { ...placed, type: "Zzzzzzzzzz" }).remedy).toBe(
      `define it, or use one of "OrderPlaced", "OrderPaid"`
    )
    expect(refused(Shop, { ...placed, type: "y".repeat(1_000_000) }).message.length).toBeLessThan(300)
    expect(refused(Shop, { ...placed, type: 5 }).field).toBe("events[0].type")
    for (const type of ["toString", "__proto__", "constructor"]) {
      expect(refused(Shop, { ...placed, type }).field).toBe("events[0].type")
    }
  })
})

describe("decode", () => {
  it("gives back what was encoded, with the place it was stored at", () => {
    const meta = { by: "ann", "": null, deep: [{ a: 1 }] }
    const { data, meta: text, type } = Result.getOrThrow(Shop.encode("event", { ...placed, meta }))
    expect(Result.getOrThrow(Shop.decode(stored(type, data, text)))).toEqual({
      stream: "order-1",
      seq: 3,
      position: 7,
      type: "OrderPlaced",
      at: 5,
      data: placed.data,
      meta,
      id: "e-1"
    })
  })

  it("keeps any meta a user can write, beside any version", () => {
    const key = fc.string({ unit: "binary" }).filter((name) => !name.startsWith("$"))
    let seen = 0
    fc.assert(fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1 }), (own) => {
      seen++
      // What JSON itself changes, negative zero, is json.test's matter.
      const meta = JSON.parse(JSON.stringify(own))
      for (
        const input of [{ ...placed, meta }, { type: "OrderPaid", data: { cents: 1, currency: "EUR" }, meta }] as const
      ) {
        const { data, meta: text, type } = Result.getOrThrow(Shop.encode("event", input))
        const event = Result.getOrThrow(Shop.decode(stored(type, data, text)))
        expect(event?.meta).toEqual(meta)
        expect(Object.keys(event?.meta ?? {})).toEqual(Object.keys(meta))
      }
    }))
    expect(seen).toBeGreaterThan(50)
  })

  it("reads every old version as the current one", () => {
    const data = [
      Shop.decode(stored("OrderPaid", `{"amount":1.5}`)),
      Shop.decode(stored("OrderPaid", `{"amount":1.5}`, `{"$version":1}`)),
      Shop.decode(stored("OrderPaid", `{"cents":150}`, `{"$version":2}`)),
      Shop.decode(stored("OrderPaid", `{"cents":150,"currency":"EUR"}`, `{"$version":3}`))
    ].map((result) => Result.getOrThrow(result)?.data)
    expect(Result.getOrThrow(Shop.decode(stored("OrderPaid", `{"cents":1}`, `{"$version":2}`)))?.meta).toBeUndefined()
    expect(data).toEqual(Array.from({ length: 4 }, () => ({ cents: 150, currency: "EUR" })))
  })

  it("names the event and the version of data that doesn't fit its own", () => {
    const error = failure(Shop.decode(stored("OrderPaid", `{"cents":1}`, `{"$version":1}`)))
    expect(error._tag).toBe("Corrupt")
    expect(error.where).toBe(`event 3 of stream "order-1", type "OrderPaid": data.amount`)
  })

  it("refuses a version newer than it knows", () => {
    const error = failure(Shop.decode(stored("OrderPaid", `{}`, `{"$version":4}`)))
    expect(error.message).toContain(`event 3 of stream "order-1", type "OrderPaid"`)
    expect(error.reason).toBe("it has version 4, and this catalogue knows versions up to 3")
    expect(error.remedy).toContain("deploy the newer catalogue")
    expect(failure(Shop.decode(stored("OrderPlaced", `{}`, `{"$version":2}`))).reason).toContain("version 2")
  })

  it.each([`{"$version":0}`, `{"$version":"2"}`, `{"$version":1.5}`, `{"$version":null}`, `[]`, `null`, `{`, `7`])(
    "refuses meta that it can't have written: %s",
    (meta) => {
      const error = failure(Shop.decode(stored("OrderPlaced", `{"sku":"a","quantity":1}`, meta)))
      expect(error.where).toContain(`type "OrderPlaced": meta`)
    }
  )
})

describe("versions", () => {
  const old = Schema.Struct({ a: Schema.Int })
  const decodeOld = (upcast: (data: { readonly a: number }) => { readonly b: number }) =>
    Catalogue.make({ T: Catalogue.versions(old).to(Schema.Struct({ b: Schema.Int }), upcast) })
      .decode(stored("T", `{"a":1}`))

  it("says which upcaster threw, and of which event", () => {
    const error = failure(decodeOld(() => {
      throw new Error("no a")
    }))
    expect(error.message).toContain(
      `event 3 of stream "order-1", type "T": data: the upcaster from version 1 to 2 threw`
    )
    expect(error.cause).toEqual(Error("no a"))
    const later = Catalogue.versions(old).to(old, (data) => data).to(old, () => {
      throw new Error("no more")
    })
    expect(failure(Catalogue.make({ T: later }).decode(stored("T", `{"a":1}`))).reason).toContain(
      "version 2 to 3 threw"
    )
  })

  it("lets no upcaster pass on what its new schema refuses", () => {
    const error = failure(decodeOld(({ a }) => ({ b: a / 2 })))
    expect(error.where).toMatch(/data\.b$/)
    expect(error.reason).toBe("upcast from version 1, it doesn't fit version 2: expected an integer")
    expect(Result.getOrThrow(decodeOld(({ a }) => ({ b: a })))?.data).toEqual({ b: 1 })
  })

  it("leaves the versions it is added to as they are", () => {
    const first = Catalogue.versions(old)
    const second = first.to(Schema.String, ({ a }) => String(a))
    const other = first.to(Schema.Int, ({ a }) => a)
    expect([first.past.length, second.past.length, other.past.length]).toEqual([0, 1, 1])
    const both = Catalogue.make({ S: second, O: other })
    expect(Result.getOrThrow(both.decode(stored("S", `{"a":1}`)))?.data).toBe("1")
    expect(Result.getOrThrow(both.decode(stored("O", `{"a":1}`)))?.data).toBe(1)
  })
})

describe("types unknown", () => {
  const event = stored("Other", `{"a":1}`, `{"$version":2,"by":"x"}`)

  it("fail unless the catalogue says otherwise", () => {
    expect(Shop.unknown).toBe("fail")
    for (const catalogue of [Shop, Catalogue.make(definitions, { unknown: "fail" })]) {
      const error = failure(catalogue.decode(event))
      expect(error.message).toContain(`event 3 of stream "order-1", type "Other": type: isn't in the catalogue`)
      expect(error.remedy).toContain("skip")
    }
  })

  it("are left out", () => {
    const catalogue = Catalogue.make(definitions, { unknown: "skip" })
    expect(Result.getOrThrow(catalogue.decode(event))).toBeUndefined()
    expect(Result.getOrThrow(catalogue.decode(stored("OrderPaid", `{"amount":1}`)))).toBeDefined()
  })

  it("are passed on as they are stored, with the version nobody has interpreted", () => {
    const catalogue = Catalogue.make(definitions, { unknown: "pass" })
    const passed = Result.getOrThrow(catalogue.decode(event))
    expect(passed).toMatchObject({ type: "Other", data: { a: 1 }, meta: { $version: 2, by: "x" }, unknown: true })
    expect(Result.getOrThrow(catalogue.decode(stored("Other", new Uint8Array([1]))))?.data).toEqual(new Uint8Array([1]))
    expect(Result.getOrThrow(catalogue.decode(stored("OrderPaid", `{"amount":1}`)))).not.toHaveProperty("unknown")
    expect(failure(catalogue.decode(stored("Other", "{"))).where).toContain(`type "Other": data`)
    expect(refused(catalogue, { type: "Other", data: 1 }).field).toBe("events[0].type")
  })
})

describe("anyEvents", () => {
  it("takes JSON and bytes under any name", () => {
    for (const data of [{ a: [1, null] }, null, "text", new Uint8Array([0, 255])]) {
      const event = Result.getOrThrow(anyEvents.encode("event", { type: "__proto__", data, meta: { by: "ann" } }))
      expect(Result.getOrThrow(anyEvents.decode(stored(event.type, event.data, event.meta)))).toMatchObject({
        type: "__proto__",
        data,
        meta: { by: "ann" }
      })
    }
    expect(refused(anyEvents, { type: "T", data: { at: new Date(0) } }).field).toBe("events[0].data.at")
    expect(refused(anyEvents, { type: "T" }).field).toBe("events[0].data")
  })

  it("copies events with the version they were written in", () => {
    const original = stored("OrderPaid", `{"cents":1}`, `{"$version":2,"by":"ann"}`)
    const event = Result.getOrThrow(anyEvents.decode(original))
    if (event === undefined) throw new Error("every type is known to it")
    const copy = Result.getOrThrow(anyEvents.encode("event", event))
    expect(copy).toEqual({ type: original.type, data: original.data, meta: original.meta })
    expect(Result.getOrThrow(anyEvents.encode("event", { type: "T", data: 1, meta: {} })).meta).toBeUndefined()
    expect(refused(anyEvents, { type: "T", data: 1, meta: { $version: 0 } }).field).toBe("events[0].meta.$version")
    expect(refused(anyEvents, { type: "T", data: 1, meta: { $other: 1 } }).field).toBe("events[0].meta.$other")
  })
})

describe("a catalogue", () => {
  it("lists its types and their current schemas", () => {
    expect(Shop.types).toEqual(["OrderPlaced", "OrderPaid"])
    expect(Shop.schemas).toEqual({ OrderPlaced: Placed, OrderPaid: PaidV3 })
    expect([anyEvents.types, anyEvents.schemas]).toEqual([[], {}])
  })

  it("narrows to some types, skipping the others", () => {
    const only = Shop.only("OrderPaid")
    expect([only.types, only.unknown]).toEqual([["OrderPaid"], "skip"])
    expect(Result.getOrThrow(only.decode(stored("OrderPlaced", "{")))).toBeUndefined()
    expect(Result.getOrThrow(only.decode(stored("OrderPaid", `{"amount":1}`)))?.data.cents).toBe(100)
    expect(refused(only, placed).field).toBe("events[0].type")
    expect(Result.getOrThrow(anyEvents.only("A").decode(stored("A", "1")))?.data).toBe(1)
    expect(Result.getOrThrow(anyEvents.only("A").decode(stored("B", "1")))).toBeUndefined()
    // @ts-expect-error -- no such type
    expect(() => Shop.only("OrderPiad")).toThrow(
      `types[0]: "OrderPiad" isn't in the catalogue; did you mean "OrderPaid"`
    )
    expect(() => Shop.only()).toThrow("types: names no type")
  })

  it("is merged from several that define different types", () => {
    const Other = Catalogue.make({ Closed: Schema.Null })
    const merged = Catalogue.merge(Shop, Other)
    expect(merged.types).toEqual(["OrderPlaced", "OrderPaid", "Closed"])
    expect(merged.schemas.Closed).toBe(Other.schemas.Closed)
    expect(Result.getOrThrow(merged.decode(stored("OrderPaid", `{"amount":1}`)))?.data).toEqual({
      cents: 100,
      currency: "EUR"
    })
    expect(Result.getOrThrow(merged.encode("event", { type: "Closed", data: null })).data).toBe("null")
    expect(failure(merged.decode(stored("Other", "1")))._tag).toBe("Corrupt")
  })

  it("throws Invalid for definitions that can't work", () => {
    const make = (type: string) => () => Catalogue.make({ [type]: Schema.String })
    expect(make("")).toThrow("definitions[\"\"]: is no name")
    expect(make("$own")).toThrow("definitions.$own: is no name")
    expect(() => Catalogue.make({ T: Schema.Struct({ [Symbol.for("k")]: Schema.Int }) })).toThrow(
      "definitions.T: its schema has no JSON form"
    )
    // @ts-expect-error -- no schema
    expect(() => Catalogue.make({ T: undefined })).toThrow("definitions.T: its schema has no JSON form")
    // @ts-expect-error -- no policy
    expect(() => Catalogue.make(definitions, { unknown: "ignore" })).toThrow("unknown: is no policy")
    expect(() => Catalogue.merge(Shop, Catalogue.make({ OrderPaid: PaidV3 }))).toThrow(
      `catalogues[1]: "OrderPaid" is defined before`
    )
    expect(() => Catalogue.merge(Shop, Catalogue.make({ A: PaidV3 }, { unknown: "skip" }))).toThrow(
      "catalogues[1]: its policy"
    )
    expect(() => Catalogue.merge(Shop, anyEvents)).toThrow("catalogues[1]: it defines no types")
  })
})
