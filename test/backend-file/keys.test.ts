/** Keys over an index, beside the plain way to hold them; and more of them than are remembered. */
import { assert, describe, it } from "@effect/vitest"
import { Contents } from "@persist/backend-file/contents/contents"
import { openView } from "@persist/backend-file/tree/open-tree"
import { Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { directory } from "./place.ts"
import { unsynced } from "./power.ts"

const makeIndex = Effect.map(directory, (path) => openView({ directory: path, disk: unsynced, runs: [] }))

interface Written {
  readonly revision: Position
  readonly lives: boolean
}

type Plain = Map<string, Map<string, Written>>

const namespace = fc.constantFrom("m", "n")
// Of the last two, whose order as text isn't that of their bytes, the second has the lower ones.
const key = fc.constantFrom("a", "b", "c", "\u{1F600}", "\uFFFD")

const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constantFrom("Put" as const, "Bury" as const), namespace, key }) },
  fc.record({ _tag: fc.constant("Clear" as const), namespace })
)

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ batch: fc.array(change, { maxLength: 6 }), kept: fc.boolean() }) },
    fc.constantFrom(0, 1, 3)
  ),
  { maxLength: 25 }
)

const livingIn = (plain: Plain, of: string): ReadonlyArray<readonly [string, Written]> =>
  [...plain.get(of) ?? []].filter(([, { lives }]) => lives)
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const copyOf = (plain: Plain): Plain => new Map([...plain].map(([of, keys]) => [of, new Map(keys)]))

const checkWhole = ({ keys }: Contents, plain: Plain): void => {
  const all = { gte: undefined, lt: undefined, limit: unbounded, reverse: false }
  for (const [of, written] of plain) {
    const living = livingIn(plain, of)
    assert.deepStrictEqual(keys.scan({ ...all, namespace: of }), living.map(([, { revision }]) => revision))
    assert.deepStrictEqual(
      keys.changed({ namespace: of, after: Position(0), limit: unbounded }),
      [...written.values()].map(({ revision }) => revision).toSorted((a, b) => a - b)
    )
  }
  assert.deepStrictEqual(
    keys.namespaces({ after: undefined, limit: unbounded }),
    [...plain.keys()].toSorted()
      .map((of) => ({ namespace: of, keys: livingIn(plain, of).length }))
      .filter((info) => info.keys > 0)
  )
}

const checkEach = ({ keys }: Contents, plain: Plain): void => {
  for (const [of, written] of plain) {
    assert.deepStrictEqual(keys.living(of), livingIn(plain, of).map(([name]) => name))
    assert.strictEqual(keys.count(of), livingIn(plain, of).length)
    for (const [name, { lives, revision }] of written) {
      assert.strictEqual(keys.lastWrite(of, name), revision)
      assert.strictEqual(keys.revision(of, name), lives ? revision : 0)
    }
  }
}

describe("keys", () => {
  it.effect("are as they were written last, whatever was taken back, and in whatever way the index has them", () =>
    Effect.gen(function*() {
      const index = yield* makeIndex
      let [lived, cleared, back] = [0, 0, 0]
      fc.assert(
        fc.property(steps, (all) => {
          index.reload([])
          let contents = new Contents(index)
          let plain: Plain = new Map()
          let head = 0
          for (const step of all) {
            if (typeof step === "number") {
              contents.keys.flush(step)
              // As after it was opened again: everything is read from the index.
              if (step === 0) contents = new Contents(index)
            } else {
              const before = { plain: copyOf(plain), head }
              const write = (of: string, name: string, lives: boolean) => {
                const written = { revision: Position(++head), lives }
                contents.keys.write(of, name, written)
                plain.set(of, (plain.get(of) ?? new Map<string, Written>()).set(name, written))
              }
              contents.undo.begin()
              for (const each of step.batch) {
                if (each._tag !== "Clear") write(each.namespace, each.key, each._tag === "Put")
                else {
                  for (const name of contents.keys.living(each.namespace)) {
                    write(each.namespace, name, false)
                    cleared++
                  }
                }
                checkEach(contents, plain)
              }
              if (step.kept) contents.undo.keep()
              else {
                contents.undo.takeBack()
                // Its positions are given out again.
                plain = before.plain
                head = before.head
                back += step.batch.length
              }
            }
            checkEach(contents, plain)
          }
          checkWhole(contents, plain)
          lived += [...plain.keys()].reduce((sum, of) => sum + livingIn(plain, of).length, 0)
        }),
        { numRuns: 300 }
      )
      for (const met of [lived, cleared, back]) assert.isAbove(met, 100)
    }))

  it.effect("are found though more of them are written than are remembered, and the index is told of few", () =>
    Effect.gen(function*() {
      const index = yield* makeIndex
      let told = 0
      const put: typeof index.put = (at, value) => {
        told++
        index.put(at, value)
      }
      const contents = new Contents({ ...index, put })
      const { keys } = contents
      const count = 120_000
      for (let n = 0; n < count; n++) {
        keys.write("n", `k${n}`, { revision: Position(n + 1), lives: true })
        contents.flush(5000)
        // One that waits, be it that all others were forgotten just now.
        const before = Math.max(0, n - 10)
        if (keys.revision("n", `k${before}`) !== before + 1) assert.fail(`k${before} is lost`)
      }
      for (let n = 0; n < count; n += 997) assert.strictEqual(keys.revision("n", `k${n}`), n + 1)
      assert.strictEqual(keys.count("n"), count)
      keys.flush()
      told = 0
      for (let n = 0; n < count; n++) {
        keys.write("n", `k${n % 5000}`, { revision: Position(count + n + 1), lives: true })
        contents.flush(5000)
      }
      assert.strictEqual(keys.revision("n", "k3"), 2 * count - 5000 + 4)
      keys.flush()
      // Each of the 5000 once, by its name and by its revision.
      assert.strictEqual(told, 10_000)
      assert.strictEqual(new Contents(index).keys.count("n"), count)
    }))
})
