/** Leases: one owner, and nobody who writes after having lost it. */
import { assert, describe, it } from "@effect/vitest"
import { moveCheckpoint, registerReader, type StoreShape } from "@persist/core"
import { giveBack, takeLease } from "@persist/runner/lease"
import { leases, runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { newStore } from "./orders.ts"

const show = (store: StoreShape, id: string) =>
  Effect.map(
    runners(store).put(id, { label: id, startedAt: 0, patience: 1, processors: ["p"], partitions: [] }),
    ({ revision }) => ({ id, revision })
  )

const seenOf = Effect.fnUntraced(function*(store: StoreShape, reader: string) {
  const lease = Option.getOrUndefined(yield* leases(store).entry(reader))
  const holder = lease === undefined ? Option.none() : yield* runners(store).entry(lease.value.runner)
  return { lease, holder: Option.getOrUndefined(holder) }
})

const scene = Effect.gen(function*() {
  const store = yield* newStore
  const [one, other] = [yield* show(store, "one"), yield* show(store, "other")]
  const registered = yield* registerReader(store, "p#0")
  const free = yield* seenOf(store, "p#0")
  const mine = yield* takeLease(store, one, registered, free)
  assert.isDefined(mine)
  return { store, one, other, registered, free, mine }
})

describe("a lease", () => {
  it.effect("goes to one of those who found it free", () =>
    Effect.gen(function*() {
      const { free, mine, other, registered, store } = yield* scene
      assert.isUndefined(yield* takeLease(store, other, registered, free))
      assert.isUndefined(yield* takeLease(store, other, mine, free))
      assert.notProperty(yield* moveCheckpoint(store, mine, mine.position), "_tag")
    }))

  it.effect("that is taken over leaves nothing to whoever had it: not even a commit that was on its way", () =>
    Effect.gen(function*() {
      const { mine, other, registered, store } = yield* scene
      const seen = yield* seenOf(store, "p#0")
      // The checkpoint as somebody reads it now, which its owner may move at any time.
      const theirs = yield* takeLease(store, other, { ...registered, revision: mine.revision }, seen)
      assert.isDefined(theirs)
      assert.deepInclude(yield* moveCheckpoint(store, mine, mine.position), { _tag: "Fenced" })
      assert.strictEqual((yield* seenOf(store, "p#0")).lease?.value.runner, "other")
    }))

  it.effect("isn't taken from an owner who has shown itself, or saved, since it was looked at", () =>
    Effect.gen(function*() {
      const { mine, other, store } = yield* scene
      const seen = yield* seenOf(store, "p#0")
      yield* show(store, "one")
      assert.isUndefined(yield* takeLease(store, other, mine, seen))
      const again = yield* seenOf(store, "p#0")
      yield* moveCheckpoint(store, mine, mine.position)
      assert.isUndefined(yield* takeLease(store, other, mine, again))
    }))

  it.effect("isn't taken by a runner that others have taken for dead", () =>
    Effect.gen(function*() {
      const { mine, other, store } = yield* scene
      const seen = yield* seenOf(store, "p#0")
      yield* runners(store).delete(other.id)
      assert.isUndefined(yield* takeLease(store, other, mine, seen))
    }))

  it.effect("is given back by its owner, and by nobody else", () =>
    Effect.gen(function*() {
      const { store } = yield* scene
      yield* giveBack(store, "other", ["p#0"])
      assert.isTrue(yield* leases(store).has("p#0"))
      yield* giveBack(store, "one", ["p#0", "p#1"])
      assert.isFalse(yield* leases(store).has("p#0"))
    }))
})
