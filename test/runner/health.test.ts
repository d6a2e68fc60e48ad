/** What operators see and say: health from the store alone, pausing, and parked events. */
import { assert, describe, it } from "@effect/vitest"
import { listReaders, registerReader, type StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import {
  dropParked,
  forget,
  health,
  listParked,
  pause,
  resume,
  retryParked,
  run,
  subscription,
  watchHealth
} from "@persist/runner"
import { knownProcessors, leases, runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const statesOf = (store: StoreShape) =>
  Effect.map(health(store), ({ processors }) => processors.flatMap(({ partitions }) => partitions.map((p) => p.state)))

const working = (fails: () => boolean = () => false, park = false) =>
  subscription({
    name: "work",
    events: Counted,
    partitions: 2,
    failure: { retries: 0, finally: park ? "park" : "stop" },
    handle: ({ data, stream }) =>
      Effect.suspend(() => fails() && stream === "order-0" && data.n === 2 ? Effect.fail("no") : Effect.void)
  })

describe("health", () => {
  it.live("shows who runs what, how far it is and how it fares", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      assert.deepInclude(yield* health(store), { runners: [], processors: [] })
      yield* fill(store, 4, 3)
      const fiber = yield* Effect.forkChild(run(store, [working()], quick))
      const { head, processors, runners: seen } = yield* until(
        health(store),
        ({ processors: [one] }) =>
          one?.partitions.filter(({ lag, state }) => lag === 0 && state === "running").length === 2
      )
      assert.isAtLeast(head, 12)
      assert.deepInclude(seen[0], { label: "here", alive: true })
      assert.deepInclude(processors[0], { name: "work", parked: 0, healthy: true })
      assert.deepStrictEqual(
        processors[0]?.partitions.map(({ lagTime, reader, runner, state }) => [reader, state, runner?.label, lagTime]),
        [["work#0", "running", "here", 0], ["work#1", "running", "here", 0]]
      )
      yield* Fiber.interrupt(fiber)
      const after = yield* health(store)
      assert.deepStrictEqual(after.runners, [])
      // Nobody runs it any more, and it's missed.
      assert.deepInclude(after.processors[0], { name: "work", healthy: false })
      assert.deepStrictEqual(after.processors[0]?.partitions.map(({ state }) => state), ["idle", "idle"])
    }))

  it.live("says that a dead runner's partitions are lost, though they are behind by nothing", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const fiber = yield* Effect.forkChild(run(store, [working()], { ...quick, patience: 60_000 }))
      yield* until(statesOf(store), (states) => states.length === 2 && states.every((state) => state === "running"))
      yield* Fiber.interrupt(fiber)
      // As one leaves it that could do nothing more: its record stays as it was, of long ago.
      const record = { label: "gone", startedAt: 0, patience: 10, processors: ["work"], partitions: [] }
      yield* runners(store).put("gone", record, { at: 1 })
      yield* leases(store).put("work#0", { runner: "gone", since: 1 })
      const { processors } = yield* health(store)
      assert.strictEqual(processors[0]?.healthy, false)
      assert.deepStrictEqual(processors[0]?.partitions.map(({ state }) => state), ["lost", "idle"])
    }))

  it.live("tells how far each partition is behind, which one's position means nothing, and that one is missing", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* store.log(Counted).append("order-0", { type: "Counted", data: { n: 1 }, at: 1000 }, { expected: 0 })
      yield* knownProcessors(store).put("work", { partitions: 4, kind: "reaction", guarantee: "exactly once" })
      const alive = { label: "here", startedAt: 0, patience: 60_000, processors: ["work"], partitions: [] }
      yield* runners(store).put("here", alive)
      for (const [index, from] of (["start", "end", "end"] as const).entries()) {
        yield* registerReader(store, `work#${index}`, { from })
        yield* leases(store).put(`work#${index}`, { runner: "here", since: 1 })
      }
      const gone = { position: 1, incarnation: "another", prefix: "" }
      yield* checkpoints(store).put("work#2", gone)
      const { head, processors: [work] } = yield* health(store)
      assert.deepStrictEqual(work?.partitions.map(({ lag, state }) => [lag, state]), [
        [head, "running"],
        [0, "running"],
        [undefined, "running"]
      ])
      const [behind, ...rest] = work?.partitions.map(({ lagTime }) => lagTime) ?? []
      assert.isAbove(behind ?? 0, 1_000_000_000)
      assert.deepStrictEqual(rest, [0, 0])
      // Each that is there is run, but the fourth isn't there.
      assert.strictEqual(work?.healthy, false)
    }))

  it.live("tells by what it has watched who is alive, whatever clocks say", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const record = { label: "one", startedAt: 0, patience: 60_000, processors: [], partitions: [] }
      // Of machines whose clocks are years behind and ahead: the first one shows itself, the second one doesn't.
      const ahead = Date.now() + 1e11
      yield* runners(store).put("behind", record, { at: 1 })
      yield* runners(store).put("ahead", { ...record, patience: 20 }, { at: ahead })
      const told = Effect.map(health(store), (found) =>
        found.runners.map(({ alive, id, watched }) => [id, alive, watched]))
      assert.deepStrictEqual(yield* told, [["ahead", true, false], ["behind", false, false]])
      const look = Effect.map(
        yield* watchHealth(store),
        (found) =>
          found.runners.map(({ alive, id, watched }) => [id, alive, watched])
      )
      assert.deepStrictEqual(yield* look, yield* told)
      yield* runners(store).put("behind", record, { at: 2 })
      assert.deepStrictEqual((yield* look)[1], ["behind", true, true])
      yield* until(look, ([one]) => one?.[1] === false && one[2] === true)
    }))

  it.live("shows what stopped a partition, until it's resumed", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      let broken = true
      yield* fill(store, 2, 3)
      yield* Effect.forkChild(run(store, [working(() => broken)], quick))
      const { processors } = yield* until(
        health(store),
        ({ processors: [one] }) => one?.partitions.some(({ state }) => state === "stopped") === true
      )
      const found = processors[0]?.partitions.find(({ state }) => state === "stopped")
      assert.match(found?.error?.error ?? "", /no/)
      assert.strictEqual(processors[0]?.healthy, false)
      broken = false
      yield* resume(store, "work")
      yield* until(health(store), ({ processors: [one] }) => one?.healthy === true)
    }))
})

describe("an operator", () => {
  it.live("pauses a processor, which then does nothing until it's resumed", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      let handled = 0
      const counting = subscription({ name: "count", events: Counted, handle: () => Effect.sync(() => handled++) })
      yield* Effect.forkChild(run(store, [counting], quick))
      yield* fill(store, 1, 3)
      yield* until(Effect.sync(() => handled), (n) => n === 3)
      yield* pause(store, "count")
      yield* until(statesOf(store), (states) => states[0] === "paused")
      yield* fill(store, 1, 3, 4)
      assert.strictEqual(handled, 3)
      yield* resume(store, "count")
      yield* until(Effect.sync(() => handled), (n) => n === 6)
    }))

  it.live("is told of a name that nobody ever ran, unless it's to be paused before", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* knownProcessors(store).put("work", { partitions: 1, kind: "reaction", guarantee: "exactly once" })
      assert.match(
        (yield* errorOf(pause(store, "wokr"))).message,
        /^name: "wokr" isn't known here; say "work", if you mean that, or pause it anyway/
      )
      assert.match((yield* errorOf(resume(store, "other"))).message, /^name: "other" isn't known here; list what is$/)
      yield* pause(store, "other", { anyway: true })
      yield* resume(store, "other")
    }))

  it.live("retries or drops what is parked, and is told where nothing is", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 2, 3)
      yield* Effect.forkChild(run(store, [working(() => true, true)], quick))
      const list = Stream.runCollect(listParked(store, "work"))
      const [poison] = yield* until(list, ({ length }) => length === 2)
      assert.isDefined(poison)
      assert.strictEqual(poison.attempts.length, 1)
      const sick = yield* until(health(store), ({ processors: [one] }) => one?.parked === 2)
      assert.strictEqual(sick.processors[0]?.healthy, false)
      assert.deepStrictEqual(sick.processors[0]?.partitions.map(({ state }) => state), ["running", "running"])
      yield* retryParked(store, "work", poison.position)
      const [again] = yield* until(list, ([first]) => first?.attempts.length === 2)
      assert.strictEqual(again?.state, "parked")
      yield* dropParked(store, "work", poison.position)
      yield* until(list, ({ length }) => length === 1)
      assert.deepStrictEqual((yield* list).map(({ state }) => state), ["dropped"])
      assert.deepInclude((yield* health(store)).processors[0], { parked: 0, healthy: true })
      assert.deepStrictEqual(yield* Stream.runCollect(listParked(store, "wor")), [])
      const error = yield* errorOf(retryParked(store, "work", 99))
      assert.match(error.message, /position: "work" has no event parked at 99; list what is parked/)
    }))

  it.live("can't have another number of partitions under a name, until that is forgotten", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const of = (partitions: number) =>
        subscription({ name: "p/q", events: Counted, partitions, handle: () => Effect.void })
      const two = yield* Effect.forkChild(run(store, [of(2)], quick))
      yield* until(health(store), ({ processors: [one] }) => one?.healthy === true)
      const refused = yield* errorOf(run(store, [of(3)], quick))
      assert.match(refused.message, /^partitions: "p\/q" has 2 in this store, and 3 are asked for; keep their number/)
      const busy = yield* errorOf(forget(store, "p/q"))
      assert.match(busy.message, /^name: "p\/q" is run by here; end it first/)
      yield* Fiber.interrupt(two)
      yield* forget(store, "p/q")
      assert.deepStrictEqual((yield* health(store)).processors, [])
      assert.deepStrictEqual(yield* listReaders(store), [])
      assert.match((yield* errorOf(forget(store, "p/q"))).message, /^name: "p\/q" isn't known here/)
      yield* Effect.forkChild(run(store, [of(3)], quick))
      yield* until(health(store), ({ processors: [one] }) => one?.partitions.length === 3 && one.healthy)
    }))
})
