/** Partitions that go from one runner to another: what is in hand, what is lost, and who is dead. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type BackendShape, makeStore, registerReader, resetReader, type StoreShape, Unavailable } from "@persist/core"
import { forget, health, pause, resume, run, subscription, whenProcessed } from "@persist/runner"
import { enlist } from "@persist/runner/known"
import { knownProcessors, leases, type RunnerRecord, runners } from "@persist/runner/names"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const idle = subscription({ name: "idle", events: Counted, handle: () => Effect.void })

const recordOf = (store: StoreShape, label: string) =>
  Effect.map(Stream.runCollect(runners(store).scan()), (all) => all.find(({ value }) => value.label === label))

const ownerOf = (store: StoreShape, reader: string) =>
  Effect.map(leases(store).getMany([reader]), ([found]) => found?._tag === "Some" ? found.value.value.runner : "nobody")

/** Does something by a clock on the wall that is so far ahead; time passes as ever. */
const wallAhead = <A, E>(ahead: () => number, effect: Effect.Effect<A, E>) =>
  Effect.clockWith((clock) => {
    const millis = () => clock.currentTimeMillisUnsafe() + ahead()
    const nanos = () => BigInt(millis()) * 1_000_000n
    return Effect.provideService(effect, Clock.Clock, {
      currentTimeMillis: Effect.sync(millis),
      currentTimeMillisUnsafe: millis,
      currentTimeNanos: Effect.sync(nanos),
      currentTimeNanosUnsafe: nanos,
      monotonicTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      sleep: (duration) => clock.sleep(duration)
    })
  })

const deadAs = (patience: number): RunnerRecord => ({
  label: "dead",
  startedAt: 0,
  patience,
  processors: [],
  partitions: []
})

/** Waits until a runner has looked around, and then once more. */
const lookedSince = (store: StoreShape) =>
  Effect.forEach(
    ["dead", "dead again"],
    (id) => Effect.andThen(runners(store).put(id, deadAs(20)), until(runners(store).has(id), (has) => !has))
  )

describe("a runner", () => {
  it.live("that leaves finishes and saves what it has in hand, and keeps the partition until then", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      const given: Array<number> = []
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = subscription({
        name: "slow",
        events: Counted,
        handle: ({ data }) => {
          given.push(data.n)
          return Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(goOn))
        }
      })
      const first = yield* Effect.forkChild(run(store, [slow], { ...quick, patience: 60_000 }))
      yield* Deferred.await(asked)
      const owner = yield* ownerOf(store, "slow")
      const leaving = yield* Effect.forkChild(Fiber.interrupt(first), { startImmediately: true })
      yield* Effect.forkChild(run(store, [slow], { ...quick, patience: 15, label: "second" }))
      // It has looked several times when it has shown itself as often.
      const shown = yield* until(recordOf(store, "second"), (record) => record !== undefined)
      yield* until(recordOf(store, "second"), (record) => (record?.revision ?? 0) > (shown?.revision ?? 0) + 2)
      assert.strictEqual(yield* ownerOf(store, "slow"), owner)
      assert.deepStrictEqual(given, [1])
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(leaving)
      yield* fill(store, 1, 1, 3)
      yield* whenProcessed(store, slow, yield* store.head)
      assert.deepStrictEqual(given, [1, 2, 3])
    }))

  it.live("that waits for what a partition has in hand shows that it's alive, and isn't gone before that is done", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = subscription({
        name: "slow",
        events: Counted,
        handle: () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(goOn))
      })
      yield* fill(store, 1, 1)
      const running = yield* Effect.forkChild(run(store, [slow], { ...quick, patience: 30 }))
      yield* Deferred.await(asked)
      const before = yield* recordOf(store, "here")
      yield* pause(store, "slow")
      // As often as it takes for it to have looked, and waited, and to be taken for dead.
      yield* until(recordOf(store, "here"), (now) => (now?.revision ?? 0) > (before?.revision ?? 0) + 20)
      // Nor does it keep it from what else there is to do.
      yield* lookedSince(store)
      const ending = yield* Effect.forkChild(Fiber.interrupt(running), { startImmediately: true })
      for (let turns = 0; turns < 100; turns++) yield* Effect.yieldNow
      assert.isUndefined(ending.pollUnsafe())
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(ending)
      assert.strictEqual(yield* ownerOf(store, "slow"), "nobody")
    }))

  it.live("that has lost a partition no longer says that it runs it, and takes it back when the other is gone", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* Effect.forkChild(run(store, [idle], { ...quick, patience: 30 }))
      const runs = Effect.map(recordOf(store, "here"), (record) => record?.value.partitions.length)
      yield* until(runs, (count) => count === 1)
      const owner = yield* ownerOf(store, "idle")
      yield* runners(store).put("other", deadAs(3_600_000))
      yield* leases(store).put("idle", { runner: "other", since: 0 })
      yield* until(runs, (count) => count === 0)
      yield* lookedSince(store)
      assert.strictEqual(yield* ownerOf(store, "idle"), "other")
      yield* runners(store).delete("other")
      yield* until(runs, (count) => count === 1)
      assert.strictEqual(yield* ownerOf(store, "idle"), owner)
    }))

  it.live("that is dead is removed once nothing is its own", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      // One that lives has a program for what this one had, and hasn't taken it over.
      yield* runners(store).put("other", { ...deadAs(3_600_000), processors: ["elsewhere"] })
      yield* runners(store).put("a", deadAs(1))
      yield* leases(store).put("elsewhere", { runner: "a", since: 0 })
      yield* runners(store).put("b", deadAs(1))
      yield* Effect.forkChild(run(store, [idle], quick))
      yield* until(runners(store).has("b"), (has) => !has)
      assert.isTrue(yield* runners(store).has("a"))
    }))

  it.live("that is dead keeps nobody from forgetting what no one else has a program for", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const old = { name: "old", partitions: 1, kind: "subscription", guarantee: "at least once" } as const
      yield* enlist(store, [old])
      yield* registerReader(store, "old")
      // As whoever was killed leaves it.
      yield* runners(store).put("killed", { ...deadAs(20), processors: ["old"] })
      yield* leases(store).put("old", { runner: "killed", since: 0 })
      yield* Effect.forkChild(run(store, [idle], quick))
      assert.match((yield* errorOf(forget(store, "old"))).message, /is run by/)
      yield* until(runners(store).has("killed"), (has) => !has)
      const named = Effect.map(health(store), ({ processors }) => processors.map(({ name }) => name))
      assert.deepStrictEqual(yield* named, ["idle", "old"])
      yield* forget(store, "old")
      assert.deepStrictEqual(yield* named, ["idle"])
      assert.isFalse(yield* leases(store).has("old"))
    }))

  it.live("that couldn't give back what isn't its own any more does so as soon as it can", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const failing = { now: false, times: 0 }
      const commit: BackendShape["commit"] = (batch) => {
        if (
          !failing.now ||
          !batch.some(({ write }) => write.some((one) => one._tag === "Delete" && one.namespace === "$lease"))
        ) return backend.commit(batch)
        failing.times++
        return Effect.fail(new Unavailable({ operation: "commit", reason: "as the test says", remedy: "wait" }))
      }
      const store = yield* makeStore(backend)
      const shared = subscription({ name: "shared", events: Counted, partitions: 4, handle: () => Effect.void })
      const patient = { ...quick, patience: 60_000 }
      const owners = Effect.map(Stream.runCollect(leases(store).scan()), (all) => all.map(({ value }) => value.runner))
      yield* Effect.forkChild(run(yield* makeStore({ ...backend, commit }, { retries: 0 }), [shared], patient))
      yield* until(owners, (all) => all.length === 4)
      failing.now = true
      yield* Effect.forkChild(run(store, [shared], patient))
      yield* until(Effect.sync(() => failing.times > 0))
      failing.now = false
      yield* until(owners, (all) => all.length === 4 && new Set(all).size === 2)
    }))

  it.live("runs only what it knows, and all of what nobody else does", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const of = (name: string) => subscription({ name, events: Counted, partitions: 4, handle: () => Effect.void })
      const held = Effect.map(Stream.runCollect(leases(store).scan()), (all) =>
        all.map(({ key, value }) => `${key} ${value.runner}`))
      const a = yield* Effect.forkChild(run(store, [of("a")], { ...quick, patience: 60_000 }))
      const b = yield* Effect.forkChild(run(store, [of("b")], { ...quick, patience: 60_000 }))
      const all = yield* until(held, ({ length }) =>
        length === 8)
      const owners = all.map((each) => each.replace(/#\d/, ""))
      assert.deepStrictEqual([new Set(owners.slice(0, 4)).size, new Set(owners).size], [1, 2])
      yield* Fiber.interruptAll([a, b])
    }))

  it.live("isn't taken for dead by one whose clock was set", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const shared = subscription({ name: "shared", events: Counted, partitions: 4, handle: () => Effect.void })
      const owners = Effect.map(Stream.runCollect(leases(store).scan()), (all) => all.map(({ value }) => value.runner))
      const patient = { ...quick, patience: 60_000 }
      yield* Effect.forkChild(run(store, [shared], patient))
      let ahead = 0
      yield* Effect.forkChild(wallAhead(() => ahead, run(store, [shared], patient)))
      const before = yield* until(owners, (all) => all.length === 4 && new Set(all).size === 2)
      ahead = 3_600_000
      yield* lookedSince(store)
      assert.deepStrictEqual(yield* owners, before)
    }))

  it.live("that is silent for its patience loses what it has", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* runners(store).put("silent", deadAs(20))
      yield* leases(store).put("idle", { runner: "silent", since: 0 })
      yield* Effect.forkChild(run(store, [idle], quick))
      yield* until(ownerOf(store, "idle"), (owner) => owner !== "silent")
    }))

  it.live("that others have taken for dead begins again as another one", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* Effect.forkChild(run(store, [idle], { ...quick, patience: 30 }))
      const before = yield* until(ownerOf(store, "idle"), (owner) => owner !== "nobody")
      yield* runners(store).delete(before)
      const after = yield* until(ownerOf(store, "idle"), (owner) => owner !== before && owner !== "nobody")
      assert.strictEqual((yield* recordOf(store, "here"))?.key, after)
    }))

  it.live("that others have taken for dead is refused where what it runs was begun otherwise meanwhile", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const first = yield* Effect.forkChild(run(store, [idle], { ...quick, patience: 30 }))
      const before = yield* until(ownerOf(store, "idle"), (owner) => owner !== "nobody")
      // Not to be seen by the first one in between.
      yield* store.commit([
        runners(store).ops.delete(before),
        knownProcessors(store).ops.put("idle", {
          partitions: 2,
          kind: "subscription",
          guarantee: "at least once"
        })
      ])
      assert.match((yield* errorOf(Fiber.join(first))).message, /has 2 in this store, and 1 are asked for/)
    }))

  it.live("goes on after a reset, and leaves what has stopped until it's resumed", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const given: Array<number> = []
      const failing = subscription({
        name: "failing",
        events: Counted,
        failure: { retries: 0 },
        handle: ({ data }) => {
          given.push(data.n)
          return data.n === 3 ? Effect.fail("no") : Effect.void
        }
      })
      yield* fill(store, 1, 2)
      yield* Effect.forkChild(run(store, [failing], quick))
      yield* until(Effect.sync(() => given.length === 2))
      yield* resetReader(store, "failing")
      // Whoever runs it notices when there is something to save.
      yield* fill(store, 1, 1, 3)
      yield* until(Effect.sync(() => given.length >= 5))
      yield* lookedSince(store)
      assert.deepStrictEqual(given.slice(-3), [1, 2, 3])
      const count = given.length
      yield* lookedSince(store)
      assert.strictEqual(given.length, count)
      yield* resume(store, "failing")
      yield* until(Effect.sync(() => given.length === count + 1))
      // Which it does once for what was said, and then keeps what it has.
      const held = yield* leases(store).get("failing")
      yield* lookedSince(store)
      assert.deepStrictEqual(yield* leases(store).get("failing"), held)
    }))
})
