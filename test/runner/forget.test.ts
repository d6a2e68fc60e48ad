/** Forgetting processors: nothing of them is left, whatever else happens meanwhile and however much it is. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { gated } from "@persist/conformance/gate"
import {
  catchUp,
  live,
  makeStore,
  readCheckpoint,
  ReadModel,
  registerReader,
  runReadModel,
  type StoreShape
} from "@persist/core"
import { forget, listParked, resume, run, whenProcessed, workflow } from "@persist/runner"
import { goLive } from "@persist/runner/going-live"
import { enlist } from "@persist/runner/known"
import { knownProcessors, leases, parked, parkedKey, runners } from "@persist/runner/names"
import { timerKey, timers } from "@persist/runner/timers"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick } from "./until.ts"

const of = (partitions: number) => [{ name: "p", partitions, kind: "reaction", guarantee: "exactly once" }] as const

describe("a processor", () => {
  it.live("that is forgotten leaves nothing of its own behind, and takes nothing of another's", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const flow = (name: string) =>
        workflow({
          name,
          events: Counted,
          failure: { retries: 0, finally: "park" },
          correlate: ({ stream }) => stream,
          state: Schema.Null,
          seed: null,
          commands: Counted,
          step: (_, happened) => {
            if (happened.type !== "$timer" && happened.data.n === 2) throw new Error("no")
            return { state: null, timers: { later: 9_000_000_000_000 } }
          }
        })
      const both = [flow("p"), flow("p/q")]
      yield* fill(store, 2, 2)
      const fiber = yield* Effect.forkChild(run(store, both, quick))
      for (const each of both) yield* whenProcessed(store, each, yield* store.head)
      yield* Fiber.interrupt(fiber)
      yield* resume(store, "p")
      yield* resume(store, "p/q")
      // As whoever is killed leaves it.
      for (const { name } of both) yield* leases(store).put(name, { runner: "dead", since: 0 })
      yield* forget(store, "p")
      const left = yield* Stream.runCollect(store.namespaces())
      assert.deepStrictEqual(
        Object.fromEntries(left.map(({ keys, namespace }) => [namespace, keys])),
        {
          $checkpoint: 1,
          $control: 1,
          $lease: 1,
          $parked: 2,
          $processor: 1,
          $registration: 1,
          $timer: 2,
          "$workflow/p/q": 2
        }
      )
      assert.deepStrictEqual((yield* Stream.runCollect(listParked(store))).map(({ processor }) => processor), [
        "p/q",
        "p/q"
      ])
    }))

  it.live("is forgotten though the last that ran it was killed, once that was watched for its patience", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* enlist(store, of(1))
      const record = { label: "killed", startedAt: 0, patience: 200, processors: ["p"], partitions: [] }
      const { revision } = yield* runners(store).put("killed", record, { at: 0 })
      // It wakes up while it is watched.
      const watched = yield* Effect.forkChild(forget(store, "p"), { startImmediately: true })
      yield* runners(store).put("killed", record, { expected: revision, at: 0 })
      assert.match((yield* errorOf(Fiber.join(watched))).message, /is run by killed; end it first; if it was killed/)
      yield* forget(store, "p")
      assert.isFalse(yield* knownProcessors(store).has("p"))
    }))

  it.live("isn't forgotten where somebody begins to run it meanwhile", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const gate = yield* gated(backend)
      const [store, slow] = [yield* makeStore(backend), yield* makeStore(gate.backend)]
      yield* enlist(store, of(1))
      const forgotten = yield* Effect.forkChild(forget(slow, "p"))
      yield* gate.arrived
      yield* runners(store).put("new", {
        label: "new",
        startedAt: 0,
        patience: 60_000,
        processors: ["p"],
        partitions: []
      })
      yield* enlist(store, of(1))
      yield* gate.open
      assert.match((yield* errorOf(Fiber.join(forgotten))).message, /"p" is run by new/)
    }))

  it.live("isn't forgotten where the last that ran it, taken for dead, shows itself meanwhile", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const gate = yield* gated(backend)
      const [store, slow] = [yield* makeStore(backend), yield* makeStore(gate.backend)]
      yield* enlist(store, of(1))
      const record = { label: "paused", startedAt: 0, patience: 1, processors: ["p"], partitions: [] }
      yield* runners(store).put("paused", record, { at: 0 })
      const forgotten = yield* Effect.forkChild(forget(slow, "p"))
      yield* gate.arrived
      yield* runners(store).put("paused", { ...record, patience: 60_000 })
      yield* gate.open
      assert.match((yield* errorOf(Fiber.join(forgotten))).message, /"p" is run by paused/)
      assert.isTrue(yield* knownProcessors(store).has("p"))
    }))

  it.live("of which there is more than a commit holds goes in several, and is known until the last of them", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const limits = { ...backend.about.limits, commitEvents: 8 }
      const store = yield* makeStore({ ...backend, about: { ...backend.about, limits } })
      yield* enlist(store, of(2))
      for (const reader of ["p#0", "p#1"]) yield* registerReader(store, reader)
      yield* Effect.forEach(Array.from({ length: 20 }, (_, i) => i), (position) => {
        const [reader, keys] = [`p#${position % 2}`, ["k"]]
        const event = { processor: "p", reader, keys, stream: "s", seq: 1, position, type: "T", attempts: [] }
        return Effect.andThen(
          parked(store).put(parkedKey("p", position), { ...event, state: "parked" }),
          timers(store).put(timerKey(reader, position, "i", "t"), { instance: "i", timer: "t", at: position })
        )
      })
      let commits = 0
      const killed: StoreShape["commit"] = (ops, options) =>
        ++commits === 4 ? Effect.die("killed") : store.commit(ops, options)
      yield* Effect.exit(forget({ ...store, commit: killed }, "p"))
      const kept = Effect.map(
        Stream.runCollect(store.namespaces()),
        (all) => Object.fromEntries(all.map(({ keys, namespace }) => [namespace, keys]))
      )
      const { $checkpoint, $parked, $processor } = yield* kept
      // What says how far it came goes first, and that it's known last.
      assert.deepStrictEqual([$checkpoint, $parked, $processor], [undefined, 1, 1])
      // Somebody begins to run it before the rest is gone.
      const again: StoreShape["commit"] = (ops, options) =>
        Effect.andThen(++commits === 6 ? enlist(store, of(2)) : Effect.void, store.commit(ops, options))
      yield* forget({ ...store, commit: again }, "p")
      assert.deepStrictEqual(yield* kept, { $registration: 1 })
    }))
})

describe("a version of a read model that never had a runner", () => {
  const counts = (version: number) =>
    ReadModel.make({
      name: "counts",
      version,
      events: Counted,
      keys: ({ stream }) => stream,
      seed: 0,
      value: Schema.Int,
      step: (count: number) => count + version
    })
  const [old, next] = [counts(1), counts(2)]

  it.effect("is dropped once another is live and nobody has kept it for the grace period", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      yield* catchUp(store, old)
      yield* catchUp(store, next)
      const alarm = goLive(store, next, { byItself: true, grace: 1000 })
      yield* alarm.fire
      assert.strictEqual((yield* live(store, [old, next])).version, 2)
      yield* TestClock.adjust(900)
      yield* fill(store, 1, 1, 4)
      yield* catchUp(store, old)
      yield* TestClock.adjust(200)
      yield* alarm.fire
      assert.isTrue(Option.isSome(yield* readCheckpoint(store, old.reader)))
      yield* TestClock.adjust(900)
      yield* alarm.fire
      assert.isTrue(Option.isNone(yield* readCheckpoint(store, old.reader)))
      assert.strictEqual(yield* old.kv(store).count(), 0)
    }))

  it.effect("can be forgotten by its name, which ends whoever keeps it; not so what is no read model", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const keeping = yield* Effect.forkChild(runReadModel(store, old), { startImmediately: true })
      yield* Effect.repeat(Effect.yieldNow, {
        until: () => Effect.map(old.kv(store).count(), (count) => count === 1)
      })
      yield* forget(store, "counts@1")
      assert.strictEqual(yield* old.kv(store).count(), 0)
      yield* fill(store, 1, 1, 4)
      assert.strictEqual((yield* Fiber.join(keeping))._tag, "Fenced")
      yield* registerReader(store, "mailer")
      assert.match((yield* errorOf(forget(store, "mailer"))).message, /isn't known here/)
    }))
})
