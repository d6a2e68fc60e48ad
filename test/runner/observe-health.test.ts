/** Health as metrics: the same figures, gone with what they are of. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, registerReader, type StoreShape, Unavailable } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import { forget, health, observeHealth, run, subscription } from "@persist/runner"
import { knownProcessors, leases, runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const ofItsOwn = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

/** What the gauges say, by name and labels. */
const figures = Effect.map(
  Metric.snapshot,
  (all) =>
    Object.fromEntries(all.flatMap(({ attributes = {}, id, state }) => {
      const { unit: _unit, ...labels } = attributes
      const written = Object.entries(labels).map(([name, value]) => `${name}=${value}`).sort().join()
      return "value" in state ? [[written === "" ? id : `${id}{${written}}`, Number(state.value)] as const] : []
    }))
)

const observed = (store: StoreShape, there: (found: Record<string, number>) => boolean) =>
  Effect.gen(function*() {
    const observing = yield* Effect.forkChild(observeHealth(store, { every: 5 }))
    const found = yield* until(figures, there)
    yield* Fiber.interrupt(observing)
    return found
  })

describe("observed health", () => {
  it.live("has the figures of health, of the dead as well", () =>
    ofItsOwn(Effect.gen(function*() {
      const store = yield* newStore
      yield* store.log(Counted).append("order-0", { type: "Counted", data: { n: 1 }, at: 1000 }, { expected: 0 })
      yield* knownProcessors(store).put("work", { partitions: 4, kind: "reaction", guarantee: "exactly once" })
      const error = { at: 5000, error: "Timeout: of postgres://user:secret@host" }
      const report = { reader: "work#0", state: "retrying", position: 0, handled: 2, rate: 7, error } as const
      const here = { label: "here", startedAt: 0, patience: 60_000, processors: ["work"], partitions: [report] }
      yield* runners(store).put("1", here)
      yield* runners(store).put("2", { ...here, label: "gone", patience: 10, partitions: [] }, { at: 1 })
      for (const [index, runner] of ["1", "2", "1"].entries()) {
        yield* registerReader(store, `work#${index}`, { from: index === 0 ? "start" : "end" })
        yield* leases(store).put(`work#${index}`, { runner, since: 1 })
      }
      yield* checkpoints(store).put("work#2", { position: 1, incarnation: "another", prefix: "" })
      const { head, processors: [work] } = yield* health(store)
      const found = yield* observed(store, (all) => "persist.head" in all)
      const { "persist.processor.lag.time{partition=0,processor=work}": age, ...rest } = found
      assert.isAtLeast(age ?? 0, Math.floor((work?.partitions[0]?.lagTime ?? Infinity) / 1000))
      assert.deepStrictEqual(rest, {
        "persist.head": head,
        "persist.runner.alive{runner=here}": 1,
        "persist.runner.alive{runner=gone}": 0,
        "persist.processor.healthy{processor=work}": 0,
        "persist.processor.parked{processor=work}": 0,
        "persist.processor.partitions{processor=work,state=retrying}": 1,
        "persist.processor.partitions{processor=work,state=lost}": 1,
        "persist.processor.partitions{processor=work,state=running}": 1,
        "persist.processor.alive{partition=0,processor=work,runner=here}": 1,
        "persist.processor.alive{partition=1,processor=work,runner=gone}": 0,
        "persist.processor.alive{partition=2,processor=work,runner=here}": 1,
        "persist.processor.lag.positions{partition=0,processor=work}": head,
        "persist.processor.lag.positions{partition=1,processor=work}": 0,
        "persist.processor.lag.time{partition=1,processor=work}": 0,
        "persist.processor.lag.time{partition=2,processor=work}": 0,
        "persist.processor.rate{partition=0,processor=work}": 7,
        "persist.processor.rate{partition=1,processor=work}": 0,
        "persist.processor.rate{partition=2,processor=work}": 0,
        "persist.processor.error.time{error.type=Timeout,partition=0,processor=work}": 5
      })
    })))

  it.live("forgets what is forgotten, and everything when it ends", () =>
    ofItsOwn(Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const observing = yield* Effect.forkChild(observeHealth(store, { every: 5 }))
      const work = subscription({ name: "work", events: Counted, handle: () => Effect.void })
      const running = yield* Effect.forkChild(run(store, [work], quick))
      yield* until(figures, (all) => all["persist.processor.healthy{processor=work}"] === 1)
      yield* Fiber.interrupt(running)
      yield* until(
        figures,
        (all) =>
          all["persist.processor.healthy{processor=work}"] === 0 &&
          all["persist.processor.alive{partition=0,processor=work}"] === 0 &&
          !("persist.runner.alive{runner=here}" in all)
      )
      yield* forget(store, "work")
      yield* until(figures, (all) => Object.keys(all).join() === "persist.head")
      yield* Fiber.interrupt(observing)
      assert.deepStrictEqual(yield* figures, {})
    })))

  it.live("shows no old figures while the store can't be reached, and goes on when it can", () =>
    ofItsOwn(Effect.gen(function*() {
      const memory = yield* makeMemory()
      let isAway = false
      const away = new Unavailable({ operation: "head", reason: "nobody answers", remedy: "try again" })
      const head = Effect.suspend(() => isAway ? Effect.fail(away) : memory.head)
      const store = yield* makeStore({ ...memory, head })
      yield* Effect.forkChild(observeHealth(store, { every: 5 }))
      yield* until(figures, (all) => "persist.head" in all)
      isAway = true
      yield* until(figures, (all) => !("persist.head" in all))
      isAway = false
      yield* until(figures, (all) => "persist.head" in all)
    })))

  it.effect.each([0, -1, 0.5])("isn't looked at every %s milliseconds", (every) =>
    Effect.gen(function*() {
      assert.match((yield* errorOf(observeHealth(yield* newStore, { every }))).message, /^every: .*; leave it out/)
    }))
})
