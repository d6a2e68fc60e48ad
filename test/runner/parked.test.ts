/** Events that are put aside: which others wait for them, and what a reset finds of them. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { gated } from "@persist/conformance/gate"
import { makeStore, Position, resetReader } from "@persist/core"
import { dropParked, type Processor, reaction, retryParked, subscription } from "@persist/runner"
import { type Parked, parked, parkedKey } from "@persist/runner/names"
import { Aside } from "@persist/runner/parked"
import { partitionOf } from "@persist/runner/partition"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { asideOf, listed, parking, picky, running } from "./picky.ts"
import { until } from "./until.ts"

describe("what is parked", () => {
  it.live("holds back what follows of each of its keys, of several in one page too, with its own failures alone", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seen: Array<string> = []
      yield* fill(store, 3, 2)
      const wrong = picky(seen, ({ data, stream }) => stream !== "order-2" && data.n === 1, 1)
      const aside = yield* running(store, wrong, until(asideOf(store), ({ length }) => length === 4))
      assert.deepStrictEqual(aside, [
        "order-0/1 parked 2",
        "order-1/1 parked 2",
        "order-0/2 behind 0",
        "order-1/2 behind 0"
      ])
      assert.deepStrictEqual(seen, ["order-2/1", "order-2/2"])
    }))

  it.live("is met again after a reset, but for what was dropped", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seen: Array<string> = []
      yield* fill(store, 2, 2)
      const wrong = picky(seen, ({ data }) => data.n === 1, 1)
      yield* running(store, wrong, until(asideOf(store), ({ length }) => length === 4))
      const [first] = yield* listed(store)
      yield* dropParked(store, "picky", first?.position ?? 0)
      yield* resetReader(store, "picky")
      const still = picky(seen, ({ data, stream }) => data.n === 1 && stream === "order-1", 1)
      yield* running(store, still, until(asideOf(store), ({ length }) => seen.length === 1 && length === 3))
      assert.deepStrictEqual(seen, ["order-0/2"])
      // With as many attempts as if it had never been there.
      assert.deepStrictEqual(yield* asideOf(store), ["order-0/1 dropped 2", "order-1/1 parked 2", "order-1/2 behind 0"])
    }))

  it.effect("is its own partition's and processor's alone", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const put = (processor: string, reader: string, position: number) => {
        const state: Parked["state"] = "parked"
        const event = { stream: reader, seq: 1, position, type: "T", attempts: [], keys: [reader] }
        return parked(store).put(parkedKey(processor, position), { ...event, processor, reader, state })
      }
      yield* put("p", "p#0", 1)
      yield* put("p", "p#1", 2)
      yield* put("p/q", "p#0", 3)
      const loaded = yield* new Aside(store, "p", "p#0").load(Position(3))
      assert.deepStrictEqual(loaded.map(({ value }) => value.position), [1])
    }))

  it.live("of a reaction is the one event that fails, and what was given with it takes effect", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const done = store.kv("done")
      yield* fill(store, 5, 1)
      const reacting = reaction({
        name: "reacting",
        events: Counted,
        failure: parking,
        handle: (events) =>
          events.some(({ stream }) => stream === "order-2")
            ? Effect.fail("no")
            : Effect.succeed(events.map(({ stream }) => done.ops.put(stream, 1, { expected: "absent" })))
      })
      yield* running(store, reacting, until(done.count(), (count) => count === 4))
      assert.deepStrictEqual(yield* asideOf(store, "reacting"), ["order-2/1 parked 1"])
    }))

  it.live("and retried goes before what waits behind it, each once", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seen: Array<string> = []
      let broken = true
      yield* fill(store, 1, 4)
      const wrong = picky(seen, () => broken)
      const mended = Effect.gen(function*() {
        yield* until(asideOf(store), ({ length }) => length === 4)
        // The last is asked for alone, and has to wait for the first all the same.
        const [first, , , last] = yield* listed(store)
        yield* retryParked(store, "picky", last?.position ?? 0)
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(asideOf(store), ([one]) => one === "order-0/1 parked 2")
        broken = false
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(Effect.sync(() => seen.length === 4))
      })
      yield* running(store, wrong, mended)
      assert.deepStrictEqual(seen, [1, 2, 3, 4].map((n) => `order-0/${n}`))
      assert.deepStrictEqual(yield* asideOf(store), [])
    }))

  it.live("and dropped while it's tried again stays dropped", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let again = false
      yield* fill(store, 1, 1)
      const wrong = subscription({
        name: "picky",
        events: Counted,
        failure: parking,
        handle: () =>
          Effect.gen(function*() {
            if (again) {
              yield* Deferred.succeed(asked, undefined)
              yield* Deferred.await(goOn)
            }
            return yield* Effect.fail("no")
          })
      })
      const dropped = Effect.gen(function*() {
        const [first] = yield* until(listed(store), ({ length }) => length === 1)
        again = true
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* Deferred.await(asked)
        yield* dropParked(store, "picky", first?.position ?? 0)
        yield* Deferred.succeed(goOn, undefined)
        yield* fill(store, 1, 1, 2)
      })
      // It has finished what it had in hand when it is gone.
      yield* running(store, wrong, dropped)
      assert.deepStrictEqual((yield* asideOf(store))[0], "order-0/1 dropped 1")
    }))

  it.live("and goes through just before somebody asks for it isn't parked any more", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const gate = yield* gated(backend)
      const [store, slow] = [yield* makeStore(backend), yield* makeStore(gate.backend)]
      yield* fill(store, 1, 1)
      yield* running(store, picky([], () => true), until(asideOf(store), ({ length }) => length === 1))
      const [first] = yield* listed(store)
      const position = first?.position ?? 0
      const asking = yield* Effect.forkChild(retryParked(slow, "picky", position))
      yield* gate.arrived
      yield* parked(store).delete(parkedKey("picky", position))
      yield* gate.open
      assert.strictEqual((yield* errorOf(Fiber.join(asking)))._tag, "Invalid")
    }))

  it.live("and dropped first is tried again where somebody asks for it, though nothing else is parked", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seen: Array<string> = []
      let broken = true
      yield* fill(store, 1, 1)
      const asked = Effect.gen(function*() {
        const [first] = yield* until(listed(store), ({ length }) => length === 1)
        yield* dropParked(store, "picky", first?.position ?? 0)
        yield* fill(store, 1, 1, 2)
        broken = false
        yield* until(Effect.sync(() => seen.length === 1))
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(Effect.sync(() => seen.length === 2))
      })
      yield* running(store, picky(seen, ({ data }) => broken && data.n === 1), asked)
      assert.deepStrictEqual(seen, ["order-0/2", "order-0/1"])
    }))

  it.live("since its key can't be told is one partition's: it fails there alone, and goes through once it can be", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const [tried, seen]: [Array<number>, Array<string>] = [[], []]
      let broken = true
      yield* fill(store, 8, 2)
      const wrong = subscription({
        name: "picky",
        events: Counted,
        partitions: 4,
        failure: { ...parking, retries: 1, delay: 1 },
        key: ({ data, position, stream }) => {
          if (!broken || stream !== "order-3" || data.n !== 1) return stream
          tried.push(position)
          throw new Error("no key")
        },
        handle: ({ data, stream }) => Effect.sync(() => seen.push(`${stream}/${data.n}`))
      })
      const mended = Effect.gen(function*() {
        yield* until(Effect.zip(asideOf(store), Effect.sync(() => seen.length)), ([{ length }, n]) => length + n === 16)
        assert.deepStrictEqual(yield* asideOf(store), ["order-3/1 parked 2", "order-3/2 behind 0"])
        const [first] = yield* listed(store)
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(asideOf(store), ([one]) => one === "order-3/1 parked 3")
        broken = false
        yield* retryParked(store, "picky", first?.position ?? 0)
        yield* until(Effect.sync(() => seen.length === 16))
      })
      yield* running(store, wrong, mended)
      assert.deepStrictEqual(seen.slice(-2), ["order-3/1", "order-3/2"])
      assert.strictEqual(new Set(seen).size, 16)
    }))

  it.live("since its key couldn't be told goes to the partition that its key turns out to be in", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const handledIn: Array<number> = []
      const met = new Set<number>()
      let broken = true
      const [parker, home] = ["order-0", "elsewhere"].map((key) => partitionOf(4, key).index)
      assert.notStrictEqual(parker, home)
      const wrong = subscription({
        name: "picky",
        events: Counted,
        partitions: 4,
        failure: parking,
        key: () => {
          if (broken) throw new Error("no key")
          return "elsewhere"
        },
        handle: () => Effect.void
      })
      const watched: Processor = {
        ...wrong,
        assign: (ours, partition) =>
          Effect.map(wrong.assign(ours, partition), (one) => {
            const handle: typeof one.work.handle = (...given) => {
              handledIn.push(partition.index)
              return one.work.handle(...given)
            }
            const keysOf: typeof one.work.keysOf = (event) => {
              met.add(partition.index)
              return one.work.keysOf(event)
            }
            return { ...one, work: { ...one.work, handle, keysOf } }
          })
      }
      yield* fill(store, 1, 1)
      const aside = listed(store)
      const mended = Effect.gen(function*() {
        const [first] = yield* until(aside, ({ length }) => length === 1)
        assert.strictEqual(first?.reader, `picky#${parker}`)
        // Whoever meets it only once it's mended has it without being given it.
        yield* until(Effect.sync(() => met.size === 4))
        broken = false
        yield* retryParked(store, "picky", first?.position ?? 0)
        // It's given, and is no longer aside by the time that one meets it as what comes next.
        yield* until(Effect.sync(() => handledIn.length > 0))
      })
      yield* running(store, watched, mended)
      assert.deepStrictEqual(handledIn, [home])
      assert.deepStrictEqual(yield* aside, [])
    }))
})
