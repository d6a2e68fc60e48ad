/** Fingerprints of state schemas: they change with what is described or written, and stay over releases. */
import { assert, describe, it } from "@effect/vitest"
import type { PureSchema } from "@persist/core"
import { schemaFingerprint } from "@persist/core/fingerprint"
import * as Schema from "effect/Schema"

const schemas: Readonly<Record<string, PureSchema>> = {
  string: Schema.String,
  int: Schema.Int,
  number: Schema.Number,
  // Written alike, read as another kind of value.
  date: Schema.Date,
  stringAsNumber: Schema.NumberFromString,
  literal: Schema.Literal("a"),
  literals: Schema.Literals(["a", "b"]),
  short: Schema.String.check(Schema.isMaxLength(3)),
  shorter: Schema.String.check(Schema.isMaxLength(2)),
  struct: Schema.Struct({ a: Schema.Int }),
  renamed: Schema.Struct({ b: Schema.Int }),
  optional: Schema.Struct({ a: Schema.optionalKey(Schema.Int) }),
  wider: Schema.Struct({ a: Schema.Int, b: Schema.Int }),
  array: Schema.Array(Schema.Int),
  map: Schema.ReadonlyMap(Schema.String, Schema.Int),
  hashMap: Schema.HashMap(Schema.String, Schema.Int),
  bigint: Schema.BigInt,
  option: Schema.Option(Schema.Int),
  nullable: Schema.NullOr(Schema.Int),
  json: Schema.Json,
  unnamed: Schema.declare((u): u is string => typeof u === "string")
}

describe("fingerprint", () => {
  it("tells every two of these schemas apart, and none from itself", () => {
    const prints = Object.values(schemas).map(schemaFingerprint)
    assert.strictEqual(new Set(prints).size, prints.length)
    assert.deepStrictEqual(Object.values(schemas).map(schemaFingerprint), prints)
  })

  it("takes no notice of descriptions, nor of what an unnamed check does", () => {
    const plain = schemaFingerprint(Schema.Struct({ a: Schema.String }))
    const described = Schema.Struct({ a: Schema.String.annotate({ description: "the a" }) }).annotate({ title: "A" })
    assert.strictEqual(schemaFingerprint(described), plain)
    const unnamed = (wanted: boolean) => schemaFingerprint(Schema.String.check(Schema.makeFilter(() => wanted)))
    assert.strictEqual(unnamed(true), unnamed(false))
  })

  it("knows a schema that contains itself", () => {
    interface Tree {
      readonly kids: ReadonlyArray<Tree>
    }
    const Tree: Schema.Codec<Tree> = Schema.Struct({ kids: Schema.Array(Schema.suspend(() => Tree)) })
    assert.match(schemaFingerprint(Tree), /^[0-9a-f]{32}$/)
  })

  it("is what it was when the first snapshots were written: another would make a compacted stream unreadable", () => {
    const sample = Schema.Struct({ n: Schema.Int, when: Schema.Date, tags: Schema.Array(Schema.String) })
    assert.strictEqual(schemaFingerprint(sample), "02c40d1229c913adf5c406df060a0636")
  })
})
