/** JSON Patches: applied to what was before they give what is after, and they are no longer than they need be. */
import { assert, describe, it } from "@effect/vitest"
import type { Json, PatchOperation } from "@persist/core"
import { patchOf } from "@persist/core/json-patch"
import * as fc from "fast-check"

// RFC 6902 as it is written, over a copy.
const apply = (document: Json, patch: ReadonlyArray<PatchOperation>): Json => {
  const root = { document: structuredClone(document) }
  for (const operation of patch) {
    const keys = operation.path.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    const last = keys.pop()
    let holder: unknown = root
    for (const key of last === undefined ? [] : ["document", ...keys]) {
      assert.isTrue(Object.hasOwn(Object(holder), key), `${operation.path} leads nowhere`)
      holder = Object(holder)[key]
    }
    const key = last ?? "document"
    if (operation.op !== "add") assert.deepStrictEqual(Object(holder)[key], operation.before)
    if (Array.isArray(holder)) {
      const at = Number(key)
      assert.isTrue(at < holder.length || (operation.op === "add" && at === holder.length), operation.path)
      if (operation.op === "add") holder.splice(at, 0, operation.value)
      else if (operation.op === "remove") holder.splice(at, 1)
      else holder[at] = operation.value
    } else if (operation.op === "remove") delete Object(holder)[key]
    else {Object.defineProperty(holder, key, {
        value: operation.value,
        configurable: true,
        enumerable: true,
        writable: true
      })}
  }
  return root.document
}

const key = fc.constantFrom("a", "b", "c", "", "/", "~", "~1", "0", "__proto__", "constructor")
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Json>(null, true, 0, 1, "", "a"),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie("json")), { maxLength: 4 }).map((members): Json => Object.fromEntries(members))
  )
}))

describe("a JSON Patch", () => {
  it("makes what is after of what was before", () =>
    fc.assert(
      fc.property(json, json, (before, after) => {
        const patch = patchOf(before, after)
        assert.deepStrictEqual(apply(before, patch), after)
        assert.deepStrictEqual(patchOf(after, structuredClone(after)), [])
      }),
      { numRuns: 2000 }
    ))

  it.each<[what: string, before: Json, after: Json, patch: ReadonlyArray<PatchOperation>]>([
    ["whole values", 1, [1], [{ op: "replace", path: "", value: [1], before: 1 }]],
    [
      "members, by their names as they are",
      { a: 1, "b/~": 2, c: 3 },
      { a: 1, c: null, d: 4 },
      [
        { op: "remove", path: "/b~1~0", before: 2 },
        { op: "replace", path: "/c", value: null, before: 3 },
        { op: "add", path: "/d", value: 4 }
      ]
    ],
    ["what is appended", ["a"], ["a", "b", "c"], [
      { op: "add", path: "/1", value: "b" },
      { op: "add", path: "/2", value: "c" }
    ]],
    ["what is put before others", ["b", "c"], ["a", "b", "c"], [{ op: "add", path: "/0", value: "a" }]],
    ["what is taken from between", ["a", "b", "c", "d"], ["a", "d"], [
      { op: "remove", path: "/2", before: "c" },
      { op: "remove", path: "/1", before: "b" }
    ]],
    ["what is there once more", ["a"], ["a", "a"], [{ op: "add", path: "/1", value: "a" }]],
    ["what is there no more", ["a", "a"], ["a"], [{ op: "remove", path: "/1", before: "a" }]],
    ["what changes within", [{ n: 1, m: 1 }, 2], [{ n: 2, m: 1 }, 2], [
      { op: "replace", path: "/0/n", value: 2, before: 1 }
    ]],
    ["an order of members, which means nothing", { a: 1, b: 2 }, { b: 2, a: 1 }, []]
  ])("says %s", (_, before, after, patch) => {
    assert.deepStrictEqual(patchOf(before, after), patch)
  })
})
