/** Streams over an index, beside the plain way to hold them; and more of them than are remembered. */
import { assert, describe, it } from "@effect/vitest"
import { Contents } from "@persist/backend-file/contents/contents"
import { openView } from "@persist/backend-file/tree/open-tree"
import { Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { directory } from "./place.ts"
import { unsynced } from "./power.ts"

const makeContents = Effect.map(directory, (path) => {
  const index = openView({ directory: path, disk: unsynced, runs: [] })
  return { index, contents: new Contents(index) }
})

type Step =
  | { readonly _tag: "Append"; readonly stream: number; readonly count: number }
  | { readonly _tag: "Shorten"; readonly stream: number; readonly before: number }
  | { readonly _tag: "Flush" | "Forget" }

const stream = fc.nat(3)
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    fc.record({
      _tag: fc.constant("Append" as const),
      stream,
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(300))
    }),
    fc.record({ _tag: fc.constant("Shorten" as const), stream, before: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ _tag: fc.constantFrom("Flush" as const, "Forget" as const) })
  ),
  { maxLength: 25 }
)

const range = fc.record({
  from: fc.integer({ min: 1, max: 900 }),
  to: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constant(unbounded)),
  limit: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(1000)),
  reverse: fc.boolean()
})

describe("streams", () => {
  it.effect("are where they were put, in whatever way the index has them", () =>
    Effect.gen(function*() {
      const { index } = yield* makeContents
      let runs = 0
      fc.assert(
        fc.property(steps, fc.array(range, { minLength: 1, maxLength: 4 }), (all, ranges) => {
          index.reload([])
          let contents = new Contents(index)
          const plain = new Map<string, { first: number; positions: Array<number> }>()
          let head = 0
          for (const step of all) {
            if (step._tag === "Append") {
              const name = `s${step.stream}`
              const held = plain.get(name) ?? { first: 1, positions: [] }
              plain.set(name, held)
              contents.streams.append(name, step.count, head + 1)
              for (let n = 0; n < step.count; n++) held.positions.push(++head)
            } else if (step._tag === "Shorten") {
              const held = plain.get(`s${step.stream}`)
              if (held === undefined) continue
              const first = Math.min(step.before, held.positions.length + 1)
              held.first = Math.max(held.first, first)
              contents.streams.shorten(`s${step.stream}`, first, held.positions.length)
            } else {
              contents.streams.flush()
              // As after it was opened again: everything is read from the index.
              if (step._tag === "Forget") contents = new Contents(index)
            }
          }
          const names = [...plain.keys()].toSorted()
          assert.deepStrictEqual(
            contents.streams.list({ prefix: "", after: undefined, limit: 10 }),
            names.map((name) => ({
              stream: name,
              first: Seq(plain.get(name)?.first ?? 0),
              last: Seq(plain.get(name)?.positions.length ?? 0)
            }))
          )
          // Nothing where none was ever shortened, otherwise those that were, and any others.
          const shortened = contents.streams.list({ prefix: "", after: undefined, limit: 10, shortened: true })
          const cut = names.filter((name) => (plain.get(name)?.first ?? 0) > 1)
          assert.deepStrictEqual(shortened.filter(({ first }) => first > 1).map((info) => info.stream), cut)
          if (all.every(({ _tag }) => _tag !== "Shorten")) assert.deepStrictEqual(shortened, [])
          for (const name of names) {
            const { first, positions } = plain.get(name) ?? { first: 1, positions: [] }
            for (const { from, limit, reverse, to } of ranges) {
              const within = positions.filter((_, n) => n + 1 >= Math.max(first, from) && n + 1 <= to)
              const wanted = (reverse ? within.reverse() : within).slice(0, limit)
              const asked = { stream: name, from: Seq(from), to: Seq(to), limit, reverse }
              assert.deepStrictEqual(contents.streams.positions(asked), wanted)
              runs += wanted.length
            }
          }
        }),
        { numRuns: 300 }
      )
      assert.isAbove(runs, 1000)
    }))

  it.effect("wait for the next time where the index can't be read when it's to be told", () =>
    Effect.gen(function*() {
      const { index } = yield* makeContents
      let unreadable = false
      const get: typeof index.get = (key) => {
        if (unreadable) throw new Error("it can't be read")
        return index.get(key)
      }
      const { streams } = new Contents({ ...index, get })
      streams.append("s", 2, 1)
      streams.flush()
      streams.append("s", 1, 3)
      streams.shorten("s", 2, 3)
      streams.append("t", 1, 4)
      unreadable = true
      assert.throws(() => streams.flush(), /it can't be read/)
      unreadable = false
      streams.flush()
      const all = { prefix: "", after: undefined, limit: 10 }
      assert.deepStrictEqual(new Contents(index).streams.list(all), [
        { stream: "s", first: Seq(2), last: Seq(3) },
        { stream: "t", first: Seq(1), last: Seq(1) }
      ])
    }))

  it.effect("are found though more of them are used than are remembered", () =>
    Effect.gen(function*() {
      const { contents: { streams } } = yield* makeContents
      const count = 120_000
      for (let n = 0; n < count; n++) {
        streams.append(`s${n}`, 1, n + 1)
        if (n % 20_000 === 0) streams.flush()
      }
      streams.flush()
      for (let n = 0; n < count; n += 7) {
        streams.append(`s${n}`, 1, count + n + 1)
        if (n % 20_000 < 7) streams.flush()
      }
      for (let n = 0; n < count; n += 997) {
        const all = { stream: `s${n}`, from: Seq(1), to: Seq(unbounded), limit: 10, reverse: false }
        const wanted = n % 7 === 0 ? [n + 1, count + n + 1] : [n + 1]
        assert.deepStrictEqual(streams.positions(all), wanted)
        assert.strictEqual(streams.lastSeq(`s${n}`), wanted.length)
      }
    }))
})
