/** Versions of a read model: one is built beside the other, and readers change from one to the other in one commit. */
import { assert, describe, it } from "@effect/vitest"
import { live, moveCheckpoint, readCheckpoint, runReadModel, type StoreShape } from "@persist/core"
import { liveVersions } from "@persist/core/live"
import {
  dropParked,
  forget,
  health,
  listParked,
  readModel,
  type ReadModelOptions,
  retryParked,
  run,
  switchLive
} from "@persist/runner"
import { switchTo } from "@persist/runner/live"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, countsOf, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const [old, next] = [countsOf(1), countsOf(2)]

/** How many events of a stream readers see. */
const seen = Effect.fnUntraced(function*(store: StoreShape, stream = "order-0") {
  const version = yield* live(store, [next, old])
  const state = yield* version.kv(store).get(stream)
  return Option.match(state, { onNone: () => 0, onSome: ({ count }) => count / version.version })
})

const liveOf = (store: StoreShape) =>
  Effect.map(liveVersions(store).get("counts"), Option.match({ onNone: () => 0, onSome: ({ version }) => version }))

const built = (store: StoreShape, version: number, count: number) =>
  until(
    countsOf(version).kv(store).get("order-0"),
    (state) => Option.isSome(state) && state.value.count === count * version
  )

const start = (store: StoreShape, models: ReadonlyArray<typeof old>, options?: ReadModelOptions) =>
  Effect.forkChild(run(store, models.map((model) => readModel(model, options)), quick))

/** A store whose read model has had so many events in its first version, which nobody runs any more. */
const withOld = Effect.fnUntraced(function*(each: number) {
  const store = yield* newStore
  yield* fill(store, 3, each)
  const first = yield* start(store, [old])
  yield* built(store, 1, each)
  yield* Fiber.interrupt(first)
  return store
})

describe("a new version of a read model", () => {
  it.live("is read in place of the old one once it has come as far, and no reader goes back, under load", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 3, 1000)
      yield* Effect.forkChild(run(store, [readModel(old)], { ...quick, patience: 1000, interval: 200 }))
      yield* built(store, 1, 1000)
      const writer = yield* Effect.forkChild(fill(store, 3, 20_000, 1001))
      let most = 0
      const reader = yield* Effect.forkChild(
        Effect.forever(Effect.map(seen(store), (count) => {
          assert.isAtLeast(count, most)
          most = count
        }))
      )
      // Patient, since whoever reads without a pause may keep it from showing itself for a while.
      yield* Effect.forkChild(run(store, [readModel(next)], { ...quick, patience: 60_000 }))
      yield* until(liveOf(store), (version) => version === 2)
      assert.isUndefined(writer.pollUnsafe(), "there are events to come")
      yield* Fiber.interrupt(writer)
      const last = (yield* store.log(Counted).info("order-0"))?.last ?? 0
      yield* built(store, 2, last)
      assert.isUndefined(reader.pollUnsafe())
      assert.strictEqual(yield* seen(store), last)
      const { processors } = yield* health(store)
      assert.deepStrictEqual(processors.map(({ healthy, name, standing }) => [name, standing, healthy]), [
        ["counts@1", "former", true],
        ["counts@2", "live", true]
      ])
    }))

  it.live("goes on being built where an ended run has left it, and readers see the old one meanwhile", () =>
    Effect.gen(function*() {
      const store = yield* withOld(20)
      let isBroken = true
      const broken = countsOf(2, (n) => isBroken && n === 10)
      const first = yield* start(store, [broken], { failure: { retries: 0 } })
      yield* until(health(store), ({ processors }) => processors[1]?.partitions[0]?.state === "stopped")
      const left = yield* readCheckpoint(store, next.reader)
      assert.isAbove(Option.getOrThrow(left).position, 0)
      assert.strictEqual(yield* seen(store), 20)
      assert.strictEqual((yield* health(store)).processors[1]?.standing, "building")
      yield* Fiber.interrupt(first)
      isBroken = false
      yield* start(store, [next])
      yield* until(liveOf(store), (version) => version === 2)
      yield* built(store, 2, 20)
    }))

  it.live("doesn't go live while it misses an event that the old one has", () =>
    Effect.gen(function*() {
      const store = yield* withOld(4)
      let isBroken = true
      yield* start(store, [countsOf(2, (n) => isBroken && n === 3)], { failure: { retries: 0, finally: "park" } })
      const parked = Stream.runCollect(listParked(store, "counts@2"))
      const waiting = yield* until(parked, ({ length }) => length === 6)
      assert.match((yield* errorOf(switchLive(store, "counts", 2))).message, /parked/)
      assert.strictEqual(yield* liveOf(store), 1)
      isBroken = false
      for (const { position, state } of waiting) if (state === "parked") yield* retryParked(store, "counts@2", position)
      yield* until(liveOf(store), (version) => version === 2)
      assert.strictEqual(yield* seen(store), 4)
    }))

  it.live("leaves out what was dropped for the old one", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 4)
      const policy = { failure: { retries: 0, finally: "park" } } as const
      const first = yield* start(store, [countsOf(1, (n) => n === 3)], policy)
      const waiting = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 2)
      yield* dropParked(store, "counts@1", waiting[0]?.position ?? 0)
      yield* built(store, 1, 3)
      yield* Fiber.interrupt(first)
      yield* start(store, [countsOf(2, (n) => n === 3)], policy)
      yield* until(liveOf(store), (version) => version === 2)
      assert.strictEqual(yield* seen(store), 3)
    }))

  it.live("isn't held back by an event that it has parked and that is dropped for the old one afterwards", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 4)
      const policy = { failure: { retries: 0, finally: "park" } } as const
      yield* start(store, [countsOf(1, (n) => n === 4)], policy)
      const [parked] = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 1)
      const byHand = yield* start(store, [countsOf(2, (n) => n === 4)], { ...policy, goLive: "by hand" })
      yield* until(Stream.runCollect(listParked(store, "counts@2")), ({ length }) => length === 1)
      yield* Fiber.interrupt(byHand)
      yield* dropParked(store, "counts@1", parked?.position ?? 0)
      yield* switchLive(store, "counts", 2)
      assert.strictEqual(yield* seen(store), 3)
    }))
})

describe("which version is live", () => {
  it.live("doesn't change where either of both moves between the look and the commit", () =>
    Effect.gen(function*() {
      const store = yield* withOld(3)
      const byHand = yield* start(store, [next], { goLive: "by hand" })
      yield* built(store, 2, 3)
      yield* Fiber.interrupt(byHand)
      for (const { reader } of [old, next]) {
        const commit: StoreShape["commit"] = Effect.fnUntraced(function*(ops, options) {
          const checkpoint = Option.getOrThrow(yield* readCheckpoint(store, reader))
          yield* moveCheckpoint(store, checkpoint, checkpoint.position)
          return yield* store.commit(ops, options)
        })
        assert.strictEqual(yield* switchTo({ ...store, commit }, next), "overtaken")
      }
      assert.strictEqual(yield* liveOf(store), 1)
      assert.strictEqual(yield* switchTo(store, next), "live")
    }))

  it.live("is said by hand where that is asked for, in either direction", () =>
    Effect.gen(function*() {
      const store = yield* withOld(5)
      const byHand = yield* start(store, [next], { goLive: "by hand" })
      yield* built(store, 2, 5)
      assert.strictEqual(yield* liveOf(store), 1)
      yield* switchLive(store, "counts", 2)
      assert.strictEqual(yield* liveOf(store), 2)
      yield* Fiber.interrupt(byHand)
      yield* fill(store, 3, 1, 6)
      yield* start(store, [next])
      yield* built(store, 2, 6)
      assert.match((yield* errorOf(switchLive(store, "counts", 1))).message, /not come as far.*switch anyway/)
      yield* switchLive(store, "counts", 1, { anyway: true })
      yield* fill(store, 3, 1, 7)
      yield* built(store, 2, 7)
      const pinned = Option.getOrThrow(yield* liveVersions(store).get("counts"))
      assert.deepStrictEqual([pinned.version, pinned.pinned], [1, true])
      assert.match((yield* errorOf(switchLive(store, "counts", 3))).message, /"counts@3" isn't known here/)
    }))

  it.live("is the oldest that was begun, as long as nobody said so, and must be among those that are asked about", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      assert.strictEqual((yield* live(store, [old, next])).version, 2)
      yield* fill(store, 1, 1)
      yield* Effect.forkChild(runReadModel(store, old))
      yield* built(store, 1, 1)
      assert.strictEqual((yield* live(store, [next, old])).version, 1)
      yield* start(store, [next])
      yield* until(liveOf(store), (version) => version === 2)
      assert.match((yield* errorOf(live(store, [old]))).message, /version 2 of "counts" is live, and not among them/)
      assert.match((yield* errorOf(live(store, []))).message, /versions: is empty/)
      assert.match((yield* errorOf(live(store, [old, { ...next, name: "others" }]))).message, /one name/)
    }))
})

describe("the version that was live before", () => {
  it.live("is dropped with all it holds after its grace period, once nobody runs it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 3, 5)
      const still = yield* start(store, [old])
      yield* built(store, 1, 5)
      yield* start(store, [next], { grace: 0 })
      yield* until(liveOf(store), (version) => version === 2)
      const namespaces = Effect.map(
        Stream.runCollect(store.namespaces()),
        (all) => all.map(({ namespace }) => namespace)
      )
      assert.match((yield* errorOf(forget(store, "counts@1"))).message, /is run by/)
      assert.include(yield* namespaces, "counts@1")
      yield* Fiber.interrupt(still)
      yield* until(readCheckpoint(store, old.reader), Option.isNone)
      assert.deepStrictEqual((yield* namespaces).filter((name) => name.startsWith("counts")), [
        "counts@2",
        "counts@2/byCount"
      ])
      assert.deepStrictEqual((yield* health(store)).processors.map(({ name }) => name), ["counts@2"])
      assert.strictEqual(yield* seen(store), 5)
    }))

  it.live("can be forgotten at once, the live one only as the last", () =>
    Effect.gen(function*() {
      const store = yield* withOld(2)
      const both = yield* start(store, [next])
      yield* until(liveOf(store), (version) => version === 2)
      yield* Fiber.interrupt(both)
      assert.match((yield* errorOf(forget(store, "counts@2"))).message, /is live, beside another version.*switch/)
      yield* forget(store, "counts@1")
      yield* forget(store, "counts@2")
      assert.strictEqual(yield* liveOf(store), 0)
      assert.strictEqual(yield* countsOf(2).kv(store).count(), 0)
    }))
})
