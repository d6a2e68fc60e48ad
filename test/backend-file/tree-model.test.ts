/** The index's tree against a sorted map: the same answers, whatever is written, sealed, merged and reopened. */
import { assert, describe, it } from "@effect/vitest"
import { endOf, everyKey, type Key, keyOf } from "@persist/backend-file/key"
import type { Tree, TreeRange } from "@persist/backend-file/tree/tree"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { entriesOf, type Expected, expectedOf, type Listed, newPlace, open, valueOf } from "./tree-place.ts"

type Command =
  | { readonly _tag: "Put"; readonly key: Key; readonly value: string }
  | { readonly _tag: "Delete"; readonly key: Key }
  | { readonly _tag: "Look"; readonly range: TreeRange }
  | { readonly _tag: "Seal" | "Settle" | "Reopen" }

const name = fc.constantFrom("a", "a\0", "ab", "b", "é", "\0\x01", "\uffff", "x".repeat(300))
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.tuple(fc.constantFrom("E", "K"), name, fc.nat(20)).map(([tag, ...parts]) => keyOf(tag, ...parts)),
  fc.tuple(fc.constantFrom("R", "S"), name).map(([tag, part]) => keyOf(tag, part))
)
const value = fc.oneof(fc.string({ maxLength: 12 }), fc.nat(6000).map((length) => "v".repeat(length)))
const range: fc.Arbitrary<TreeRange> = fc.oneof(
  fc.tuple(key, key, fc.boolean()).map(([gte, lt, reverse]) => ({ gte, lt, reverse })),
  fc.tuple(key, fc.boolean()).map(([gte, reverse]) => ({ gte, lt: endOf(gte), reverse })),
  fc.boolean().map((reverse) => ({ ...everyKey, reverse }))
)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ _tag: fc.constant("Put"), key, value }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Delete"), key }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Look"), range }) },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constantFrom("Seal", "Settle") }) },
  { weight: 1, arbitrary: fc.constant<Command>({ _tag: "Reopen" }) }
)

/** A tree with what it's expected to hold: all of it, and as of each seal. */
class Subject {
  readonly place: Listed
  readonly expected = new Map<Key, string>()
  private tree: Tree
  private scope: Scope.Closeable
  private seals = 0
  private readonly sealed = new Map<number, Expected>([[0, new Map()]])

  private constructor(place: Listed, scope: Scope.Closeable, tree: Tree) {
    this.place = place
    this.scope = scope
    this.tree = tree
  }

  static make = Effect.fnUntraced(function*() {
    const place = yield* newPlace
    const scope = yield* Scope.make()
    return new Subject(place, scope, yield* Scope.provide(open(place), scope))
  })

  readonly perform = Effect.fnUntraced({ self: this }, function*(this: Subject, each: Command) {
    switch (each._tag) {
      case "Put":
        this.tree.put(each.key, valueOf(each.value))
        return void this.expected.set(each.key, each.value)
      case "Delete":
        this.tree.delete(each.key)
        return void this.expected.delete(each.key)
      case "Look":
        return this.check(each.range)
      case "Seal":
        this.seals++
        this.sealed.set(this.seals, new Map(this.expected))
        return this.tree.seal(this.seals)
      case "Settle":
        return yield* this.tree.settled
      case "Reopen":
        return yield* this.reopen
    }
  })

  // What wasn't sealed is gone, and so is a seal that wasn't announced.
  private get reopen() {
    return Effect.gen({ self: this }, function*() {
      yield* Scope.close(this.scope, Exit.void)
      this.scope = yield* Scope.make()
      this.tree = yield* Scope.provide(open(this.place), this.scope)
      const left = this.sealed.get(this.place.change.through)
      assert.isDefined(left)
      this.expected.clear()
      for (const [at, held] of left) this.expected.set(at, held)
    })
  }

  check(looked: TreeRange): void {
    assert.deepStrictEqual(entriesOf(this.tree, looked), expectedOf(this.expected, looked))
    for (const at of [looked.gte, looked.lt]) {
      const found = this.tree.get(at)
      assert.strictEqual(found === undefined ? undefined : Buffer.from(found).toString(), this.expected.get(at))
    }
  }

  readonly close = Effect.suspend(() => Scope.close(this.scope, Exit.void))
}

describe("a tree", () => {
  it.effect("answers as a sorted map does, at any point of sealing, merging and reopening", () =>
    Effect.gen(function*() {
      let merges = 0
      const run = Effect.fnUntraced(function*(commands: ReadonlyArray<Command>) {
        const subject = yield* Subject.make()
        for (const each of commands) yield* subject.perform(each)
        subject.check(everyKey)
        subject.check({ ...everyKey, reverse: true })
        yield* subject.close
        merges += subject.place.merges
      })
      const property = fc.asyncProperty(
        fc.array(command, { maxLength: 150, size: "max" }),
        (commands) => Effect.runPromise(Effect.scoped(run(commands)))
      )
      yield* Effect.promise(() => fc.assert(property, { numRuns: 50 }))
      assert.isAbove(merges, 5)
    }))
})
