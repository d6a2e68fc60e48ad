/** Workflows: instances moved by events and timers, each once, with what they command in the same commit. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { Catalogue, type Commit, makeStore, type StoreShape } from "@persist/core"
import { run, type Step, workflow } from "@persist/runner"
import { isIn, partitionsOf } from "@persist/runner/partition"
import { timerKey, timers } from "@persist/runner/timers"
import { makeFaults } from "@persist/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const Order = Catalogue.make({
  Placed: Schema.Struct({ id: Schema.String, patience: Schema.Number }),
  Paid: Schema.Struct({ id: Schema.String }),
  Reminded: Schema.Struct({ id: Schema.String, times: Schema.Number }),
  Cancelled: Schema.Struct({ id: Schema.String }),
  Shipped: Schema.Struct({ id: Schema.String })
})

const State = Schema.Struct({ id: Schema.String, patience: Schema.Number, reminders: Schema.Number })
type State = typeof State.Type

// Reminds twice of what isn't paid, then cancels it; ships what is.
const fulfilment = workflow({
  name: "fulfilment",
  events: Order,
  types: ["Placed", "Paid"],
  partitions: 3,
  correlate: ({ data }) => data.id,
  state: State,
  seed: { id: "", patience: 0, reminders: 0 },
  commands: Order,
  step: (state, happened) => {
    const say = (type: "Cancelled" | "Shipped", of: string) => [
      { stream: `order-${of}`, events: [{ type, data: { id: of } }] }
    ]
    switch (happened.type) {
      case "Placed": {
        const { id, patience } = happened.data
        return { state: { id, patience, reminders: 0 }, timers: { due: happened.at + patience } }
      }
      case "Paid":
        return { state: undefined, commands: say("Shipped", happened.data.id) }
      case "$timer": {
        const { id, patience } = state
        const times = state.reminders + 1
        if (times > 2) return { state: undefined, commands: say("Cancelled", id) }
        return {
          state: { ...state, reminders: times },
          commands: [{ stream: `order-${id}`, events: [{ type: "Reminded", data: { id, times } }] }],
          timers: { due: happened.at + patience }
        }
      }
      default:
        return { state }
    }
  }
})

const nowhere = { index: 0, of: 1 }

const place = (store: StoreShape, id: string, patience: number) =>
  store.log(Order).append(`order-${id}`, { type: "Placed", data: { id, patience } }, { expected: 0 })

const pay = (store: StoreShape, id: string) =>
  store.log(Order).append(`order-${id}`, { type: "Paid", data: { id } }, { expected: "any" })

const typesOf = (store: StoreShape, id: string) =>
  Effect.map(Stream.runCollect(store.log(Order).read(`order-${id}`)), (events) => events.map(({ type }) => type))

const endsWith = (type: string) => (types: ReadonlyArray<string>) => types.at(-1) === type

describe("a workflow", () => {
  it.live("is moved by events and by timers, and commands in the same commit", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      yield* place(store, "late", 20)
      yield* place(store, "paid", 3_600_000)
      yield* pay(store, "paid")
      const late = yield* until(typesOf(store, "late"), endsWith("Cancelled"))
      assert.deepStrictEqual(late, ["Placed", "Reminded", "Reminded", "Cancelled"])
      assert.deepStrictEqual(yield* until(typesOf(store, "paid"), endsWith("Shipped")), ["Placed", "Paid", "Shipped"])
      assert.isTrue(Option.isNone(yield* fulfilment.stateOf(store, "paid")))
      // The timer of what was paid is gone with it.
      assert.strictEqual(yield* timers(store).count(), 0)
    }))

  it.live("whose timer runs out while nobody runs it goes on with it later", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const first = yield* Effect.forkChild(run(store, [fulfilment], quick))
      yield* place(store, "a", 100)
      const placed = yield* Clock.currentTimeMillis
      yield* until(timers(store).count(), (count) => count === 1)
      yield* Fiber.interrupt(first)
      const before = yield* typesOf(store, "a")
      // It runs out now, and nobody is there.
      yield* until(Clock.currentTimeMillis, (now) => now > placed + 300)
      assert.deepStrictEqual(yield* typesOf(store, "a"), before)
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      const types = yield* until(typesOf(store, "a"), endsWith("Cancelled"))
      assert.deepStrictEqual(types, ["Placed", "Reminded", "Reminded", "Cancelled"])
    }))

  it.live("whose timer ran out long ago meets what was there by then before it fires", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* place(store, "late", 1)
      // More of its partition than is handled at once.
      const same = partitionsOf(3).find((partition) => isIn(partition, "late")) ?? nowhere
      const ids = Array.from({ length: 15_000 }, (_, i) => `other-${i}`).filter((id) => isIn(same, id))
      assert.isAbove(ids.length, 4000)
      const others = ids.map((id) => ({ type: "Placed" as const, data: { id, patience: 3_600_000 } }))
      yield* store.log(Order).append("others", others, { expected: 0 })
      yield* pay(store, "late")
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      const types = yield* until(typesOf(store, "late"), ({ length }) => length > 2)
      assert.deepStrictEqual(types, ["Placed", "Paid", "Shipped"])
    }))

  it.live("that ends takes its timers with it, and one that isn't its own any more only goes", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const reader = fulfilment.readerOf(partitionsOf(3).find((partition) => isIn(partition, "nobody")) ?? nowhere)
      yield* timers(store).put(timerKey(reader, 1, "nobody", "due"), { instance: "nobody", timer: "due", at: 1 })
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      yield* until(timers(store).count(), (count) => count === 0)
      assert.isTrue(Option.isNone(yield* fulfilment.stateOf(store, "nobody")))
      assert.deepStrictEqual(yield* Stream.runCollect(store.log().readAll()), [])
      yield* place(store, "paid", 3_600_000)
      yield* until(timers(store).count(), (count) => count === 1)
      yield* pay(store, "paid")
      yield* until(typesOf(store, "paid"), endsWith("Shipped"))
      assert.strictEqual(yield* timers(store).count(), 0)
    }))

  it.live("is woken when it's time and not before, as often as it asks, and with the first that is due first", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const woken: Array<readonly [timer: string, late: number]> = []
      const waking = workflow({
        name: "waking",
        events: Order,
        types: ["Placed"],
        correlate: ({ data }) => data.id,
        state: Schema.Struct({ times: Schema.Number }),
        seed: { times: 0 },
        commands: Order,
        step: ({ times }, happened) => {
          if (happened.type !== "$timer") return { state: { times }, timers: { b: happened.at + 40, a: 999 } }
          woken.push([happened.timer, Date.now() - happened.at])
          // Once more for the same time, then no more.
          return { state: { times: times + 1 }, timers: happened.timer === "a" && times < 1 ? { a: happened.at } : {} }
        }
      })
      yield* Effect.forkChild(run(store, [waking], quick))
      yield* place(store, "a", 0)
      yield* until(Effect.sync(() => woken.length === 3))
      assert.deepStrictEqual(woken.map(([timer]) => timer), ["a", "a", "b"])
      for (const [, late] of woken) assert.isAtLeast(late, 0)
      yield* until(timers(store).count(), (count) => count === 0)
    }))

  it.live("commits with what each of its steps commands the instance's state and its checkpoint", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const commits: Array<Commit> = []
      const store = yield* makeStore({
        ...backend,
        commit: (batch) => {
          commits.push(...batch)
          return backend.commit(batch)
        }
      })
      // All in one page.
      for (const id of ["a", "b"]) {
        yield* place(store, id, 3_600_000)
        yield* pay(store, id)
      }
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      for (const id of ["a", "b"]) yield* until(typesOf(store, id), endsWith("Shipped"))
      const commanding = commits.filter(({ append }) => append[0]?.events[0]?.type === "Shipped")
      assert.deepStrictEqual(commanding.map(({ append }) => append.map(({ stream }) => stream)), [[
        "order-a",
        "order-b"
      ]])
      const namespaces = commanding[0]?.write.map(({ namespace }) => namespace)
      assert.includeMembers(namespaces ?? [], ["$checkpoint", "$workflow/fulfilment", "$timer"])
    }))

  it.live("commits what several steps command a stream one after the other, in their order", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 3, 4)
      const copying = workflow({
        name: "copying",
        events: Counted,
        prefix: "order-",
        correlate: ({ stream }) => stream,
        state: Schema.Null,
        seed: null,
        commands: Counted,
        step: (state, happened) => ({
          state,
          commands: "timer" in happened
            ? []
            : [{ stream: `copy-${happened.stream}`, events: [{ type: "Counted", data: happened.data }] }]
        })
      })
      yield* Effect.forkChild(run(store, [copying], quick))
      const data = (stream: string) =>
        Effect.map(Stream.runCollect(store.log(Counted).read(stream)), (events) => events.map((event) => event.data.n))
      for (const stream of ["order-0", "order-1", "order-2"]) {
        const copied = yield* until(data(`copy-${stream}`), ({ length }) => length === 4)
        assert.deepStrictEqual(copied, [1, 2, 3, 4])
      }
    }))

  it.live("does everything once though replies get lost and several run it", () =>
    Effect.gen(function*() {
      const faults = makeFaults(makeMemory())
      const store = yield* makeStore(yield* faults.backend)
      faults.randomly({ seed: 7, lost: 0.2, unavailable: 0.1 })
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      yield* Effect.forkChild(run(store, [fulfilment], quick))
      const ids = Array.from({ length: 10 }, (_, n) => `o${n}`)
      // Whoever places an order meets the same faults: it is placed once, under its id.
      for (const id of ids) yield* Effect.retry(place(store, id, 10), { while: () => true })
      for (const id of ids) {
        const types = yield* until(typesOf(store, id), endsWith("Cancelled"))
        assert.deepStrictEqual(types, ["Placed", "Reminded", "Reminded", "Cancelled"])
      }
    }))

  it.live("that throws is tried again, with nothing of that step done", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      let broken = true
      let tried = 0
      const wrong = workflow({
        name: "wrong",
        events: Order,
        correlate: ({ data }) => data.id,
        state: State,
        seed: { id: "", patience: 0, reminders: 0 },
        commands: Order,
        failure: { retries: 100, delay: 2, longestDelay: 2 },
        step: (state): Step<State, never> => {
          tried++
          if (broken) throw new Error("not yet")
          return { state }
        }
      })
      yield* Effect.forkChild(run(store, [wrong], quick))
      yield* place(store, "a", 1)
      yield* until(Effect.sync(() => tried), (n) => n > 2)
      assert.isTrue(Option.isNone(yield* wrong.stateOf(store, "a")))
      broken = false
      yield* until(wrong.stateOf(store, "a"), Option.isSome)
    }))
})
