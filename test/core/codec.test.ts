/** Codecs give back what they were given, and say what's wrong without repeating it. */
import { type Codec, jsonCodec, type PureSchema, schemaCodec } from "@persist/core"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const encoded = <A>(codec: Codec<A>, value: A) => Result.getOrThrow(codec.encode("data", value))
const refused = (schema: PureSchema, value: unknown) =>
  Result.getOrThrow(Result.flip(schemaCodec(schema).encode("data", value)))
const unreadable = <A>(codec: Codec<A>, payload: string | Uint8Array) =>
  Result.getOrThrow(Result.flip(codec.decode("data", payload)))
const again = <A>(codec: Codec<A>, value: A) => Result.getOrThrow(codec.decode("data", encoded(codec, value)))

class Money extends Schema.Class<Money>("Money")({ cents: Schema.Int, currency: Schema.Literals(["EUR", "USD"]) }) {
  get major() {
    return this.cents / 100
  }
}

const Rich = Schema.Struct({
  at: Schema.Date,
  when: Schema.DateTimeUtc,
  count: Schema.BigInt,
  bytes: Schema.Uint8Array,
  prices: Schema.ReadonlyMap(Schema.String, Money),
  tags: Schema.ReadonlySet(Schema.BigInt),
  note: Schema.Option(Schema.String),
  link: Schema.URL,
  ratio: Schema.Number,
  nothing: Schema.Undefined,
  extra: Schema.optionalKey(Schema.Json)
})

const rich = Rich.make({
  at: new Date(5),
  when: DateTime.makeUnsafe(0),
  count: 2n ** 70n,
  bytes: new Uint8Array([0, 255]),
  prices: new Map([["a", new Money({ cents: 250, currency: "EUR" })]]),
  tags: new Set([1n, 2n]),
  note: Option.some("n"),
  link: new URL("http://localhost/x"),
  ratio: Number.NEGATIVE_INFINITY,
  nothing: undefined
})

const transformed = (
  decode: SchemaGetter.Getter<number, string>,
  encode: SchemaGetter.Getter<string, number>
): PureSchema<number> => Schema.String.pipe(Schema.decodeTo(Schema.Number, { decode, encode }))

const parse = SchemaGetter.transform((text: string) => Number(text))
const print = SchemaGetter.transform((n: number) => String(n))

describe("jsonCodec", () => {
  it("keeps JSON as text and bytes as bytes of their own", () => {
    const bytes = new Uint8Array([1, 2, 3])
    const payload = encoded(jsonCodec, bytes)
    const back = Result.getOrThrow(jsonCodec.decode("data", payload))
    expect(back).toEqual(bytes)
    bytes[0] = 9
    expect(payload).toEqual(new Uint8Array([1, 2, 3]))
    if (payload instanceof Uint8Array) payload[0] = 8
    expect(back).toEqual(new Uint8Array([1, 2, 3]))
    expect(encoded(jsonCodec, Buffer.from("ab"))).toEqual(new Uint8Array([97, 98]))
    expect(encoded(jsonCodec, { a: [null, "b"] })).toBe(`{"a":[null,"b"]}`)
  })

  it("refuses what is neither", () => {
    const error = Result.getOrThrow(Result.flip(jsonCodec.encode("events[2].data", { a: Number.NaN })))
    expect(error.message).toContain("events[2].data.a: NaN")
    expect(unreadable(jsonCodec, "{").where).toBe("data")
  })
})

describe("schemaCodec", () => {
  it("carries rich types as JSON text", () => {
    const codec = schemaCodec(Rich)
    const back = again(codec, rich)
    expect(back).toEqual(rich)
    expect(back.prices.get("a")?.major).toBe(2.5)
    expect(JSON.parse(String(encoded(codec, rich)))).toMatchObject({ count: String(2n ** 70n), bytes: "AP8=" })
  })

  it("gives back every value of a schema", () => {
    const Line = Schema.Struct({
      sku: Schema.String,
      quantity: Schema.Int,
      at: Schema.Date,
      big: Schema.BigInt,
      note: Schema.optionalKey(Schema.NullOr(Schema.String))
    })
    const codec = schemaCodec(Schema.Array(Line))
    const line = fc.record({
      sku: fc.string({ unit: "binary" }),
      quantity: fc.integer().map((n) => n + 0),
      at: fc.date({ noInvalidDate: true }),
      big: fc.bigInt(),
      note: fc.option(fc.string())
    }, { requiredKeys: ["sku", "quantity", "at", "big"] })
    let seen = 0
    fc.assert(fc.property(fc.array(line), (lines) => {
      seen += lines.length
      expect(again(codec, lines)).toEqual(lines)
    }))
    expect(seen).toBeGreaterThan(50)
  })

  it.each<[string, PureSchema, unknown, string]>([
    ["data.amount", Schema.Struct({ amount: Schema.Int }), { amount: "hunter2" }, "expected number"],
    ["data.amount", Schema.Struct({ amount: Schema.Int }), { amount: 13.37 }, "expected an integer"],
    ["data.amount", Schema.Struct({ amount: Schema.Int }), {}, "missing key"],
    ["data.lines[1][\"a b\"]", Schema.Struct({ lines: Schema.Array(Schema.Struct({ "a b": Schema.Int })) }), {
      lines: [{ "a b": 1 }, { "a b": "hunter2" }]
    }, "expected number"],
    ["data", Schema.Literals(["a", "b"]), "hunter2", `expected "a" | "b"`],
    ["data", Schema.String.check(Schema.isPattern(/^x/)), "hunter2", "^x"],
    ["data", Schema.Date, new Date(Number.NaN), "valid Date"],
    ["data", Money, { cents: 1, currency: "EUR" }, "expected Money"],
    ["data", Schema.Any, () => "hunter2", "a function is no JSON value"],
    ["data.b", Schema.Struct({ b: Schema.Any }), { b: 13n }, "a bigint is no JSON value"]
  ])("says at %s what was expected, and not what it got", (field, schema, value, reason) => {
    const error = refused(schema, value)
    expect(error.field).toBe(field)
    expect(error.reason).toContain(reason)
    expect(error.message + JSON.stringify(error)).not.toMatch(/hunter2|13/)
  })

  it("tells alternatives apart where no member of a union fits", () => {
    const schema = Schema.Struct({
      by: Schema.Union([Schema.Struct({ user: Schema.String }), Schema.Struct({ job: Schema.Int })])
    })
    const error = refused(schema, { by: {} })
    expect(error.field).toBe("data.by")
    expect(error.reason).toBe("missing key at .user or missing key at .job")
  })

  it("refuses properties the schema would drop, and reads over those a newer writer added", () => {
    const codec = schemaCodec(Schema.Struct({ a: Schema.Int }))
    const error = refused(Schema.Struct({ a: Schema.Int }), { a: 1, passwort: "hunter2" })
    expect(error.field).toBe("data.passwort")
    expect(error.reason).toContain("would be lost")
    expect(error.message).not.toContain("hunter2")
    expect(Result.getOrThrow(codec.decode("data", `{"a":1,"b":2}`))).toEqual({ a: 1 })
  })

  it("names the place of a payload that doesn't fit", () => {
    const codec = schemaCodec(Schema.Struct({ a: Schema.Array(Schema.Int) }))
    const error = unreadable(codec, `{"a":[1,"hunter2"]}`)
    expect([error._tag, error.where, error.reason]).toEqual(["Corrupt", "data.a[1]", "expected number"])
    expect(JSON.stringify(error)).not.toContain("hunter2")
    expect(unreadable(codec, "{").reason).toContain("not JSON")
    expect(unreadable(codec, new Uint8Array([123, 125])).reason).toContain("bytes")
  })

  it("refuses schemas that wait, throw, or read back otherwise than they write", () => {
    const waits = <A, B>(f: (a: A) => B) => SchemaGetter.transformEffect((a: A) => Effect.promise(async () => f(a)))
    const throws = SchemaGetter.transform((): never => {
      throw new Error("broken")
    })
    expect(refused(transformed(parse, waits(String)), 5).reason).toContain("waits")
    expect(refused(transformed(waits(Number), print), 5).reason).toContain("waits")
    expect(refused(transformed(parse, throws), 5)).toMatchObject({ reason: "its schema threw", cause: Error("broken") })
    expect(refused(transformed(throws, print), 5).reason).toContain("can't read back: its schema threw")
    expect(refused(transformed(SchemaGetter.forbidden(() => "no"), print), 5).reason).toContain("can't read back")
    expect(unreadable(schemaCodec(transformed(waits(Number), print)), `"5"`).reason).toContain("waits")
    expect(again(schemaCodec(transformed(parse, print)), 5)).toBe(5)
  })

  it("refuses a schema that needs a service, should the types have been got round", () => {
    class Rate extends Context.Service<Rate, number>()("test/Rate") {}
    const needy = Schema.String.pipe(Schema.decodeTo(Schema.Number, {
      decode: parse,
      encode: SchemaGetter.transformEffect((n: number) => Effect.map(Rate, (rate) => String(n * rate)))
    }))
    // @ts-expect-error -- a schema with requirements isn't pure
    const codec: Codec<number> = schemaCodec(needy)
    const error = Result.getOrThrow(Result.flip(codec.encode("data", 5)))
    expect(error.reason).toBe("its schema threw")
    expect(String(error.cause)).toContain("test/Rate")
  })

  it("throws Invalid at once for a schema without a JSON form", () => {
    expect(() => schemaCodec(Schema.Struct({ [Symbol.for("k")]: Schema.Int }))).toThrow("schema: has no JSON form")
  })

  it("refuses what is nested too deeply instead of running out of stack", () => {
    interface Chain {
      readonly next?: Chain
    }
    const Chain = Schema.Struct({ next: Schema.optionalKey(Schema.suspend((): Schema.Codec<Chain> => Chain)) })
    let chain: Chain = {}
    for (let i = 0; i < 100_000; i++) chain = { next: chain }
    expect(refused(Chain, chain)._tag).toBe("Invalid")
    expect(unreadable(schemaCodec(Chain), `${`{"next":`.repeat(100_000)}{}${"}".repeat(100_000)}`)._tag).toBe("Corrupt")
  })
})
