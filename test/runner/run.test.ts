/** Runners of one store: every event to one of them, those of a key in order, whoever comes and goes. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type EventOf, makeStore, readCheckpoint, type StoreShape, Unavailable } from "@persist/core"
import { type Delivery, type FailurePolicy, run, subscription } from "@persist/runner"
import { leases, parked, parkedKey, runners } from "@persist/runner/names"
import { isIn } from "@persist/runner/partition"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

/** What a processor was given: by stream, the numbers in their order. */
class Notes {
  readonly byStream = new Map<string, Array<number>>()
  readonly keys = new Set<string>()
  readonly by = new Map<string, number>()

  note(who: string, { data, stream }: EventOf<typeof Counted>, { key }: Delivery): void {
    const had = this.byStream.get(stream)
    if (had === undefined) this.byStream.set(stream, [data.n])
    else had.push(data.n)
    this.keys.add(key)
    this.by.set(who, (this.by.get(who) ?? 0) + 1)
  }

  get count(): number {
    return Array.from(this.byStream.values()).reduce((sum, { length }) => sum + length, 0)
  }
}

interface Noting {
  readonly partitions?: number
  readonly failure?: FailurePolicy
  readonly fails?: (event: EventOf<typeof Counted>, delivery: Delivery) => boolean
}

const noting = (notes: Notes, who: string, { fails, ...options }: Noting = {}) =>
  subscription({
    name: "noting",
    events: Counted,
    ...options,
    handle: (event, delivery) =>
      Effect.suspend(() => {
        if (fails?.(event, delivery)) return Effect.fail(`no ${event.data.n}`)
        notes.note(who, event, delivery)
        return Effect.void
      })
  })

const counted = (notes: Notes, count: number) => until(Effect.sync(() => notes.count >= count))

const leasesOf = (store: StoreShape) => Stream.runCollect(leases(store).scan())

const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1)

describe("a runner", () => {
  it.live("gives every event to its partition's handler once, those of a stream in order, what comes too", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      yield* fill(store, 10, 5)
      const fiber = yield* Effect.forkChild(run(store, [noting(notes, "a", { partitions: 4 })], quick))
      yield* counted(notes, 50)
      yield* fill(store, 10, 5, 6)
      yield* counted(notes, 100)
      for (const [, seen] of notes.byStream) assert.deepStrictEqual(seen, numbers(10))
      assert.strictEqual(notes.keys.size, 100)
      assert.strictEqual((yield* leasesOf(store)).length, 4)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* leasesOf(store), [])
      assert.strictEqual(yield* runners(store).count(), 0)
    }))

  it.live("shares with those who come, and takes over from those who leave, with nothing lost or given twice", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      const start = (who: string) => Effect.forkChild(run(store, [noting(notes, who, { partitions: 8 })], quick))
      const first = yield* start("first")
      yield* fill(store, 40, 1)
      yield* counted(notes, 40)
      const second = yield* start("second")
      const owners = Effect.map(leasesOf(store), (held) => new Set(held.map(({ value }) => value.runner)))
      yield* until(Effect.map(owners, ({ size }) => size === 2))
      yield* until(Effect.map(leasesOf(store), ({ length }) => length === 8))
      yield* fill(store, 40, 1, 2)
      yield* counted(notes, 80)
      assert.isAbove(notes.by.get("second") ?? 0, 0)
      yield* Fiber.interrupt(first)
      yield* fill(store, 40, 1, 3)
      yield* counted(notes, 120)
      yield* Fiber.interrupt(second)
      for (const [, seen] of notes.byStream) assert.deepStrictEqual(seen, numbers(3))
    }))
})

describe("a runner also", () => {
  it.live("saves that it has passed a long stretch of others' events, so that compaction can go on there", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const { ops } = store.log(Counted)
      const many = Array.from({ length: 600 }, (_, n) => ({ type: "Counted" as const, data: { n } }))
      for (const expected of [0, 600]) yield* store.commit([ops.append("order-0", many, { expected })])
      const idle = isIn({ index: 0, of: 2 }, "order-0") ? "noting#1" : "noting#0"
      yield* Effect.forkChild(run(store, [noting(new Notes(), "a", { partitions: 2 })], quick))
      yield* until(readCheckpoint(store, idle), (found) => Option.isSome(found) && found.value.position >= 1000)
    }))

  it.live("that is ended while it takes a partition leaves nothing running", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      const notes = new Notes()
      const [arrived, never] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const clock = yield* Clock.Clock
      let taken = false
      const held = Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(never))
      const monotonicTimeNanos = Effect.suspend(() => {
        const isNext = taken
        taken = false
        return isNext ? Effect.andThen(held, clock.monotonicTimeNanos) : clock.monotonicTimeNanos
      })
      const own: Clock.Clock = Object.assign(Object.create(clock), { monotonicTimeNanos })
      const processor = noting(notes, "ended")
      const assign: typeof processor.assign = (...to) =>
        Effect.tap(processor.assign(...to), () =>
          Effect.sync(() => {
            taken = true
          }))
      const ended = yield* Effect.forkChild(
        Effect.provideService(run(store, [{ ...processor, assign }], quick), Clock.Clock, own)
      )
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(ended)
      yield* Effect.forkChild(run(store, [noting(notes, "next")], quick))
      yield* counted(notes, 1)
      assert.deepStrictEqual(Array.from(notes.by), [["next", 1]])
    }))

  it.live("looks for a store that can't be reached until it's there again, and says so in two lines", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      let refused = 0
      let down = true
      const away = new Unavailable({ operation: "scan", reason: "nobody answers", remedy: "try again" })
      const scan: typeof backend.scan = (range) => {
        if (!down) return backend.scan(range)
        refused++
        return Effect.fail(away)
      }
      const store = yield* makeStore({ ...backend, scan }, { retries: 0 })
      const notes = new Notes()
      const told: Array<string> = []
      const teller = Logger.layer([Logger.make(({ message }) => {
        told.push(String(Array.isArray(message) ? message[0] : message))
      })])
      yield* Effect.forkChild(run(store, [noting(notes, "a")], quick).pipe(Effect.provide(teller)))
      yield* fill(store, 1, 3)
      yield* until(Effect.sync(() => refused >= 5))
      down = false
      yield* counted(notes, 3)
      assert.deepStrictEqual(told.map((line) => line.replace(/\d+ s$/, "… s")), [
        "the store can't be reached, and is looked for until it can",
        "the store is there again, after … s"
      ])
    }))
})

describe("an event that fails", () => {
  it.live("is tried again, and told how often it was", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      const attempts: Array<number> = []
      yield* fill(store, 1, 5)
      const processor = noting(notes, "a", {
        failure: { delay: 1 },
        fails: ({ data }, { attempt }) => {
          if (data.n === 3) attempts.push(attempt)
          return data.n === 3 && attempt < 4
        }
      })
      yield* Effect.forkChild(run(store, [processor], quick))
      yield* counted(notes, 5)
      assert.deepStrictEqual(notes.byStream.get("order-0"), numbers(5))
      assert.deepStrictEqual(attempts, [0, 1, 2, 3, 4])
    }))

  it.live("stops its partition where it is, and no other, until somebody resumes it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      let broken = true
      yield* fill(store, 20, 2)
      const processor = noting(notes, "a", {
        partitions: 4,
        failure: { retries: 1, delay: 1 },
        fails: ({ data, stream }) => broken && stream === "order-7" && data.n === 1
      })
      const fiber = yield* Effect.forkChild(run(store, [processor], quick))
      const states = Effect.map(Stream.runCollect(runners(store).scan()), (records) =>
        records.flatMap(({ value }) =>
          value.partitions.map(({ error, state }) => [state, error?.error] as const)
        ))
      yield* until(Effect.map(states, (all) => all.some(([state]) => state === "stopped")))
      assert.deepStrictEqual(
        (yield* states).filter(([state]) => state === "stopped"),
        [["stopped", "Error: no 1"]]
      )
      assert.isUndefined(notes.byStream.get("order-7"))
      broken = false
      yield* Fiber.interrupt(fiber)
      yield* Effect.forkChild(run(store, [processor], quick))
      yield* counted(notes, 40)
      for (const [, seen] of notes.byStream) assert.deepStrictEqual(seen, [1, 2])
    }))

  it.live("is parked with its failures, what follows of its key behind it, and comes in order once retried", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      let broken = true
      yield* fill(store, 5, 3)
      const processor = noting(notes, "a", {
        failure: { retries: 1, delay: 1, finally: "park" },
        fails: ({ data, stream }) => broken && stream === "order-2" && data.n === 2
      })
      yield* Effect.forkChild(run(store, [processor], quick))
      yield* counted(notes, 13)
      yield* until(Effect.map(parked(store).count(), (count) => count === 2))
      const [poison, behind] = yield* Stream.runCollect(parked(store).scan())
      assert.deepInclude(poison?.value, { state: "parked", stream: "order-2", seq: 2, keys: ["order-2"] })
      assert.deepStrictEqual(poison?.value.attempts.map(({ error }) => error), ["Error: no 2", "Error: no 2"])
      assert.deepInclude(behind?.value, { state: "behind", stream: "order-2", seq: 3, attempts: [] })
      assert.deepStrictEqual(notes.byStream.get("order-2"), [1])
      broken = false
      if (poison !== undefined) yield* parked(store).put(poison.key, { ...poison.value, state: "retry" })
      yield* counted(notes, 15)
      for (const [, seen] of notes.byStream) assert.deepStrictEqual(seen, numbers(3))
      yield* until(Effect.map(parked(store).count(), (count) => count === 0))
      yield* fill(store, 5, 1, 4)
      yield* counted(notes, 20)
      for (const [, seen] of notes.byStream) assert.deepStrictEqual(seen, numbers(4))
    }))

  it.live("that is dropped lets what follows it go on", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = new Notes()
      yield* fill(store, 2, 3)
      const processor = noting(notes, "a", {
        failure: { retries: 0, finally: "park" },
        fails: ({ data, stream }) => stream === "order-1" && data.n === 2
      })
      yield* Effect.forkChild(run(store, [processor], quick))
      yield* until(Effect.map(parked(store).count(), (count) => count === 2))
      const [poison] = yield* Stream.runCollect(parked(store).scan())
      assert.isDefined(poison)
      yield* parked(store).put(poison.key, { ...poison.value, state: "dropped" })
      yield* counted(notes, 5)
      assert.deepStrictEqual(notes.byStream.get("order-1"), [1, 3])
      const kept = yield* parked(store).entry(parkedKey("noting", poison.value.position))
      assert.deepStrictEqual(Option.map(kept, ({ value }) => value.state), Option.some("dropped"))
    }))
})
