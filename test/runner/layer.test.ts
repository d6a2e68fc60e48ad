/** A runner as a Layer: it runs while the layer lives, gives everything back, and doesn't end in silence. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, Store, type StoreShape } from "@persist/core"
import { type Processor, run, Runner, type RunnerOptions, subscription } from "@persist/runner"
import { knownProcessors, leases, runners } from "@persist/runner/names"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

class Sink extends Context.Service<Sink, Array<number>>()("test/Sink") {}

/** A processor that needs a service, and notes there what it was given. */
const sinking = (handle: (n: number) => Effect.Effect<unknown, string> = () => Effect.void, partitions = 1) =>
  subscription({
    name: "sinking",
    events: Counted,
    partitions,
    failure: { retries: 0 },
    handle: ({ data: { n } }) => Effect.andThen(handle(n), Effect.map(Sink, (sink) => sink.push(n)))
  })

/** A runner's layer over a store, with the numbers that it hands over. */
const over = (store: StoreShape, sink: Array<number>, processor: Processor<Sink>, options: RunnerOptions = {}) =>
  Runner.layer([processor], { ...quick, ...options }).pipe(
    Layer.provide(Layer.succeed(Store, store)),
    Layer.provide(Layer.succeed(Sink, sink))
  )

const failing = (n: number) => n === 2 ? Effect.fail("no 2") : Effect.void

describe("a runner's layer", () => {
  it.live("is there once others can see it, runs what it's given, and gives everything back when it's released", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const sink: Array<number> = []
      const inHand = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const last = sinking((n) =>
        n === 3 ? Effect.andThen(Deferred.succeed(inHand, undefined), Deferred.await(goOn)) : Effect.void
      )
      const program = Effect.gen(function*() {
        yield* Runner
        assert.strictEqual(yield* runners(store).count(), 1)
        assert.strictEqual(yield* leases(store).count(), 1)
        yield* Deferred.await(inHand)
      })
      const running = yield* Effect.forkChild(Effect.provide(program, over(store, sink, last)))
      yield* Deferred.await(inHand)
      // By then it is being released, and waits for what is in hand.
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      assert.strictEqual(yield* leases(store).count(), 1)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(running)
      assert.deepStrictEqual(sink, [1, 2, 3])
      assert.strictEqual(yield* runners(store).count(), 0)
      assert.strictEqual(yield* leases(store).count(), 0)
    }))

  it.live("gives everything back before the store that is made beside it closes", () =>
    Effect.gen(function*() {
      const sink: Array<number> = []
      const backend = yield* makeMemory()
      const stored = Layer.effect(Store, makeStore(backend))
      const layers = Runner.layer([sinking()], quick).pipe(
        Layer.provideMerge(stored),
        Layer.provide(Layer.succeed(Sink, sink))
      )
      const seen = until(Effect.sync(() => sink.length === 2))
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* fill(yield* Store, 1, 2)
          yield* seen
        }),
        layers
      )
      const again = yield* makeStore(backend)
      assert.strictEqual(yield* leases(again).count(), 0)
      assert.strictEqual(yield* runners(again).count(), 0)
      assert.strictEqual(yield* knownProcessors(again).count(), 1)
    }))

  it.live("isn't built with what no runner can run", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const refused = Effect.fnUntraced(function*(processor: Processor<Sink>, options: RunnerOptions, field: string) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(over(store, [], processor, options))))
        assert.strictEqual(error._tag === "Invalid" ? error.field : error._tag, field)
      })
      yield* Effect.scoped(Layer.build(over(store, [], sinking())))
      yield* refused(sinking(undefined, 2), {}, "partitions")
      yield* refused(sinking(), { patience: 0 }, "patience")
      yield* refused(sinking(), { interval: Number.NaN }, "interval")
      yield* refused(sinking(), { interval: 500, patience: 1000 }, "interval")
      // Of no type that there is.
      yield* refused(sinking(), { whenStopped: "retire" as "die" }, "whenStopped")
      yield* refused(sinking(), { patient: 3 } as RunnerOptions, "patient")
      yield* refused(undefined as unknown as Processor<Sink>, {}, "processors[0]")
      const twins = Effect.flip(run(store, [sinking(), sinking()], quick))
      const error = yield* Effect.provideService(twins, Sink, [])
      assert.strictEqual(error._tag === "Invalid" ? error.field : error._tag, "processors[1]")
    }))

  it.live("tells what ends its run: in the log, and whoever waits for it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const sink: Array<number> = []
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel} ${String(message)}`))
      const exit = yield* Effect.exit(
        Effect.provide(
          Effect.flatMap(Runner, ({ ended }) => ended),
          Layer.provideMerge(over(store, sink, sinking(failing), { whenStopped: "die" }), Logger.layer([logger]))
        )
      )
      assert.strictEqual(Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit, "no 2")
      assert.deepStrictEqual(sink, [1])
      assert.deepStrictEqual(logged.filter((line) => line.startsWith("Error ")), ["Error the runner has ended"])
      assert.strictEqual(yield* leases(store).count(), 0)
    }))

  it.live("says nothing of being released", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      yield* Effect.provide(Runner, Layer.provideMerge(over(store, [], sinking()), Logger.layer([logger])))
      assert.deepStrictEqual(logged, [])
    }))
})
