/** What a store knows of processors, from the side of those who note and forget it at the same time. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { gated } from "@persist/conformance/gate"
import { makeStore } from "@persist/core"
import { forget, listParked, resume, run, whenProcessed, workflow } from "@persist/runner"
import { enlist } from "@persist/runner/known"
import { knownProcessors, leases, runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick } from "./until.ts"

const of = (partitions: number) => [{ name: "p", partitions, kind: "reaction", guarantee: "exactly once" }] as const

describe("a processor", () => {
  it.effect("that is known already is noted again, so that whoever is about to forget it doesn't", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* enlist(store, of(2))
      const seen = Option.getOrThrow(yield* knownProcessors(store).entry("p"))
      yield* enlist(store, of(2))
      const forgotten = yield* knownProcessors(store).delete("p", { expected: seen.revision })
      assert.strictEqual(forgotten._tag, "Conflict")
    }))

  it.effect("that some note at once with different numbers of partitions has one, and the others are refused", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const exits = yield* Effect.forEach([1, 2, 3], (partitions) => Effect.exit(enlist(store, of(partitions))), {
        concurrency: "unbounded"
      })
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 1)
    }))

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
})
