/** What a partition has in hand: others see that it's still the same, and whoever ends a runner what is waited for. */
import { assert, describe, it } from "@effect/vitest"
import { health, run, subscription } from "@persist/runner"
import { policyOf } from "@persist/runner/failure"
import { reportOf, runningOf } from "@persist/runner/running"
import { Worker } from "@persist/runner/worker"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const only = { index: 0, of: 1 }

/** A subscription that waits at each event until it's let go on; it tells which it has come to. */
const waiting = (hangsAfter: number, at: ReadonlyArray<Deferred.Deferred<void>>, asked: Array<number>) =>
  subscription({
    name: "waiting",
    events: Counted,
    failure: { hangsAfter },
    handle: ({ data }) =>
      Effect.suspend(() => {
        asked.push(data.n)
        const gate = at[data.n - 1]
        return gate === undefined ? Effect.void : Deferred.await(gate)
      })
  })

describe("a partition that has the same in hand for long", () => {
  it.live("hangs, and isn't healthy, until it goes on", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const gate = yield* Deferred.make<void>()
      yield* Effect.forkChild(run(store, [waiting(100, [gate], [])], quick))
      const its = Effect.map(health(store), ({ processors }) => processors[0])
      const hanging = yield* until(its, (one) => one?.partitions[0]?.state === "hanging")
      assert.isFalse(hanging?.healthy)
      assert.isAtLeast(hanging?.partitions[0]?.busyFor ?? 0, 100)
      yield* Deferred.succeed(gate, undefined)
      const well = yield* until(its, (one) => one?.partitions[0]?.state === "running")
      assert.deepStrictEqual([well?.healthy, well?.partitions[0]?.busyFor], [true, 0])
    }))

  it.live("doesn't hang while a subscription goes from one event to the next, however many it was given", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const asked: Array<number> = []
      const processor = waiting(100, gates, asked)
      const checkpoint = yield* processor.register(store, only)
      const assignment = yield* processor.assign(store, only)
      const worker = new Worker({ store, processor: "waiting", policy: policyOf(), checkpoint, assignment })
      const fiber = yield* Effect.forkChild(worker.run)
      const own = { processor, partition: only, reader: "waiting" }
      const running = runningOf({ own, worker, fiber, control: undefined }, 0)
      const reported = (at: number) => {
        const { busyFor, hangs } = reportOf(running, at)
        return [worker.inHand.position, busyFor, hangs]
      }
      yield* until(Effect.sync(() => asked.length === 1))
      assert.deepStrictEqual(reported(1000), [1, undefined, undefined])
      assert.deepStrictEqual(reported(1099), [1, 99, undefined])
      assert.deepStrictEqual(reported(1100), [1, 100, true])
      for (const [i, gate] of gates.entries()) {
        yield* Deferred.succeed(gate, undefined)
        yield* until(Effect.sync(() => asked.length === i + 2))
        if (i === 0) assert.deepStrictEqual(reported(1200), [2, undefined, undefined])
      }
      yield* until(Effect.sync(() => !worker.inHand.isBusy))
      assert.deepStrictEqual(reported(9000), [undefined, undefined, undefined])
    }))

  it.live("is what whoever ends a runner is told that it waits for", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const gate = yield* Deferred.make<void>()
      const [asked, told]: [Array<number>, Array<string>] = [[], []]
      const teller = Logger.layer([Logger.make(({ message }) => {
        told.push(String(message))
      })])
      const running = yield* Effect.forkChild(
        Effect.provide(run(store, [waiting(100, [gate], asked)], quick), teller)
      )
      yield* until(Effect.sync(() => asked.length === 1))
      const ending = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* until(Effect.sync(() => told.length === 1))
      assert.deepStrictEqual(told, ["waiting for what is in hand: waiting at position 1"])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(ending)
    }))
})
