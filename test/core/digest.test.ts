/**
 * Digests are the same whichever implementation makes them: what one process records another one compares with. And
 * that of a commit tells it from whatever asks for anything else.
 */
import { assert, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type Expected, type Json, makeStore, noSeq, Position, type StoreShape } from "@persist/core"
import { textDigest } from "@persist/core/digest"
import { md5 } from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as TestClock from "effect/testing/TestClock"
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

interface Asked {
  readonly at: number | undefined
  readonly stream: string
  readonly expected: Expected
  readonly type: string
  readonly data: Json | Uint8Array
  readonly time: number | undefined
  readonly meta: Record<string, Json> | undefined
  readonly event: string | undefined
  readonly checked: string
  readonly seq: Expected
  readonly namespace: string
  readonly key: string
  readonly revision: number | "absent" | "exists"
  readonly put: string
  readonly value: string
  readonly note: Record<string, Json> | undefined
  readonly removed: string
  readonly cleared: string
  readonly truncated: string
  readonly before: number
}

const whole: Asked = {
  at: 1,
  stream: "s",
  expected: 1,
  type: "T",
  data: 1,
  time: 2,
  meta: { by: "a" },
  event: "e",
  checked: "c",
  seq: 1,
  namespace: "n",
  key: "k",
  revision: 1,
  put: "p",
  value: "v",
  note: { by: "a" },
  removed: "r",
  cleared: "x",
  truncated: "t",
  before: 2
}

const others: ReadonlyArray<Partial<Asked>> = [
  { at: 3 },
  { at: undefined },
  { stream: "s2" },
  { expected: 2 },
  { expected: "any" },
  { expected: "exists" },
  { type: "U" },
  { data: 2 },
  { data: new Uint8Array([1]) },
  { data: new Uint8Array([2]) },
  { time: 3 },
  { time: undefined },
  { meta: { by: "b" } },
  { meta: undefined },
  { event: "f" },
  { event: undefined },
  { checked: "c2" },
  { seq: 2 },
  { seq: "exists" },
  { namespace: "n2" },
  { key: "k2" },
  { revision: 2 },
  { revision: "absent" },
  { revision: "exists" },
  { put: "p2" },
  { value: "w" },
  { note: { by: "b" } },
  { note: undefined },
  { removed: "r2" },
  { cleared: "x2" },
  { truncated: "t2" },
  { before: 3 }
]

const opsOf = ({ kv, log }: StoreShape, asked: Asked) => {
  const [{ ops }, keys] = [log(), kv(asked.namespace).ops]
  const { data, event: id, meta, time: at, type } = asked
  return [
    ops.append(asked.stream, { type, data, at, meta, id }, { expected: asked.expected }),
    ops.check(asked.checked, asked.seq),
    keys.check(asked.key, asked.revision),
    keys.put(asked.put, asked.value, { meta: asked.note }),
    keys.delete(asked.removed),
    kv(asked.cleared).ops.clear(),
    ops.truncate(asked.truncated, asked.before)
  ]
}

it.effect("that of a commit is another one where anything of it is, and the same whenever it's asked for again", () =>
  Effect.gen(function*() {
    const digests: Array<string | undefined> = []
    const store = yield* makeStore({
      ...yield* makeMemory(),
      commit: ([{ identity }]) => {
        digests.push(identity?.digest)
        const position = Position(noSeq)
        return Effect.succeed([{ _tag: "Committed", position, appended: [], revisions: [], repeated: false }])
      }
    })
    const ask = (asked: Asked) => store.commit(opsOf(store, asked), { id: "one", at: asked.at })
    const all = [whole, ...others.map((other) => ({ ...whole, ...other }))]
    for (const asked of all) yield* ask(asked)
    assert.strictEqual(new Set(digests).size, all.length)
    yield* TestClock.adjust(1000)
    for (const asked of all) yield* ask(asked)
    assert.deepStrictEqual(digests.slice(all.length), digests.slice(0, all.length))
  }))
