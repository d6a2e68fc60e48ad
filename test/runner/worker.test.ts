/** One partition's run, from the side of whoever may have lost it without knowing. */
import { assert, describe, it } from "@effect/vitest"
import { moveCheckpoint } from "@persist/core"
import { subscription } from "@persist/runner"
import { policyOf } from "@persist/runner/failure"
import type { Assignment, Handled } from "@persist/runner/processor"
import { Worker } from "@persist/runner/worker"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { until } from "./until.ts"

const only = { index: 0, of: 1 }

describe("a partition with alarms", () => {
  it.live("does what is due when what it has in hand is done, and not meanwhile", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const done: Array<string> = []
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const processor = subscription({ name: "slow", events: Counted, handle: () => Effect.void })
      const checkpoint = yield* processor.register(store, only)
      const { source, work } = yield* processor.assign(store, only)
      const nothing: Handled = { count: 1, ops: [], failed: undefined }
      const assignment: Assignment<never> = {
        source,
        work: {
          keysOf: work.keysOf,
          handle: () =>
            Effect.gen(function*() {
              yield* Deferred.succeed(asked, undefined)
              yield* Deferred.await(goOn)
              done.push("event")
              return nothing
            }),
          alarm: {
            next: Effect.as(Deferred.await(asked), Option.some(0)),
            fire: Effect.sync(() => {
              done.push("alarm")
              return nothing
            })
          }
        }
      }
      const worker = new Worker({ store, processor: "slow", policy: policyOf(), checkpoint, assignment })
      const running = yield* Effect.forkChild(worker.run)
      yield* Deferred.await(asked)
      // So often as the alarm takes to be heard many times over.
      for (let turns = 0; turns < 100; turns++) yield* Effect.yieldNow
      assert.deepStrictEqual(done, [])
      yield* Deferred.succeed(goOn, undefined)
      yield* until(Effect.sync(() => done.length > 1))
      assert.deepStrictEqual(done.slice(0, 2), ["event", "alarm"])
      yield* Fiber.interrupt(running)
    }))

  it.live("does nothing more that is due once it's stopped, though that waited for its turn by then", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const processor = subscription({ name: "slow", events: Counted, handle: () => Effect.void })
      const checkpoint = yield* processor.register(store, only)
      const { source, work } = yield* processor.assign(store, only)
      let fired = 0
      const failed: Handled = { count: 0, ops: [], failed: Cause.die("no") }
      const assignment: Assignment<never> = {
        source,
        work: {
          keysOf: work.keysOf,
          handle: ([event]) =>
            event?.seq === 1
              ? Effect.succeed({ count: 1, ops: [], failed: undefined })
              : Deferred.succeed(asked, undefined).pipe(Effect.andThen(Deferred.await(goOn)), Effect.as(failed)),
          alarm: {
            // What was due once, with nothing left before it, is due whatever comes: it asks for its turn at once.
            next: Effect.suspend(() =>
              fired === 0 ? Effect.succeedSome(0) : Effect.as(Deferred.await(asked), Option.some(0))
            ),
            fire: Effect.sync(() => {
              fired++
              return { count: 1, ops: [], failed: undefined }
            })
          }
        }
      }
      const policy = policyOf({ retries: 0 })
      const worker = new Worker({ store, processor: "slow", policy, checkpoint, assignment })
      const running = yield* Effect.forkChild(worker.run)
      yield* until(Effect.sync(() => worker.report.position > 0 && fired === 1))
      yield* fill(store, 1, 1, 2)
      yield* Deferred.await(asked)
      // So often as the alarm takes to ask for its turn many times over.
      for (let turns = 0; turns < 100; turns++) yield* Effect.yieldNow
      yield* Deferred.succeed(goOn, undefined)
      assert.strictEqual((yield* Fiber.join(running))._tag, "Stopped")
      for (let turns = 0; turns < 100; turns++) yield* Effect.yieldNow
      assert.strictEqual(fired, 1)
    }))

  it.live("that was overtaken is fenced where what is due fails, and doesn't stop", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const processor = subscription({ name: "slow", events: Counted, handle: () => Effect.void })
      const checkpoint = yield* processor.register(store, only)
      const { source, work } = yield* processor.assign(store, only)
      const fire = Effect.as(moveCheckpoint(store, checkpoint, checkpoint.position), {
        count: 0,
        ops: [],
        failed: Cause.die("that's done already")
      })
      const assignment: Assignment<never> = {
        source,
        work: { ...work, alarm: { next: Effect.succeedSome(0), fire } }
      }
      const policy = policyOf({ retries: 0 })
      const worker = new Worker({ store, processor: "slow", policy, checkpoint, assignment })
      assert.deepInclude(yield* worker.run, { _tag: "Fenced", name: "slow" })
    }))
})

describe("whoever was overtaken", () => {
  for (const finally_ of ["stop", "park"] as const) {
    it.live(`and then fails is fenced, and doesn't ${finally_}: others have made what it fails at`, () =>
      Effect.gen(function*() {
        const store = yield* newStore
        yield* fill(store, 1, 3)
        const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const failure = { retries: 0, finally: finally_ }
        const processor = subscription({
          name: "slow",
          events: Counted,
          failure,
          handle: () =>
            Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Deferred.await(goOn)),
              Effect.andThen(Effect.fail("that's done already"))
            )
        })
        const checkpoint = yield* processor.register(store, only)
        const assignment = yield* processor.assign(store, only)
        const worker = new Worker({ store, processor: "slow", policy: policyOf(failure), checkpoint, assignment })
        const running = yield* Effect.forkChild(worker.run)
        yield* Deferred.await(asked)
        yield* moveCheckpoint(store, checkpoint, 3)
        yield* Deferred.succeed(goOn, undefined)
        assert.deepInclude(yield* Fiber.join(running), { _tag: "Fenced", name: "slow" })
        assert.strictEqual(worker.report.state, "running")
        assert.isFalse(
          (yield* store.namespaces().pipe(Stream.runCollect)).some(({ namespace }) => namespace === "$parked")
        )
      }))
  }
})
