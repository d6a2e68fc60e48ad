/** Which version of a read model goes live by itself, and what is dropped then: one look, at a time that is set. */
import { assert, describe, it } from "@effect/vitest"
import { catchUp, live, readCheckpoint, type StoreShape } from "@persist/core"
import { liveVersions } from "@persist/core/live"
import { goLive } from "@persist/runner/going-live"
import { switchTo } from "@persist/runner/live"
import { type Parked, parked, parkedKey } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { countsOf, fill, newStore } from "./orders.ts"

const [old, next] = [countsOf(1), countsOf(2)]
const versionOf = (store: StoreShape) => Effect.map(live(store, [next, old]), ({ version }) => version)

/** A store with both versions, each with all there is, where nobody has said which one is live. */
const withBoth = Effect.gen(function*() {
  const store = yield* newStore
  yield* fill(store, 1, 3)
  for (const model of [old, next]) yield* catchUp(store, model)
  return store
})

describe("a version that has come as far", () => {
  it.effect("isn't live yet where nobody has said so: the oldest is", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* versionOf(yield* withBoth), 1)
    }))

  it.effect("doesn't take over by itself from an older one that somebody chose", () =>
    Effect.gen(function*() {
      const store = yield* withBoth
      const { fire } = goLive(store, next, { byItself: true, grace: 1000 })
      yield* liveVersions(store).put("counts", { version: 1, since: 0, pinned: true })
      yield* fire
      assert.strictEqual(yield* versionOf(store), 1)
      yield* liveVersions(store).put("counts", { version: 1, since: 0, pinned: false })
      yield* fire
      assert.strictEqual(yield* versionOf(store), 2)
    }))

  it.effect("isn't held back by an event that was dropped for it alone", () =>
    Effect.gen(function*() {
      const store = yield* withBoth
      const put = (state: Parked["state"]) =>
        parked(store).put(parkedKey("counts@2", 1), {
          processor: "counts@2",
          reader: next.reader,
          keys: ["order-0"],
          stream: "order-0",
          seq: 1,
          position: 1,
          type: "Counted",
          state,
          attempts: []
        })
      yield* put("parked")
      assert.strictEqual(yield* switchTo(store, next), "misses events")
      yield* put("dropped")
      assert.strictEqual(yield* switchTo(store, next), "live")
    }))

  it.effect("is not dropped where readers went back to one before it", () =>
    Effect.gen(function*() {
      const store = yield* withBoth
      yield* liveVersions(store).put("counts", { version: 1, since: 0, pinned: true })
      yield* TestClock.adjust(5000)
      yield* goLive(store, old, { byItself: true, grace: 1000 }).fire
      assert.isTrue(Option.isSome(yield* readCheckpoint(store, next.reader)))
      assert.strictEqual(yield* next.kv(store).count(), 1)
    }))
})
