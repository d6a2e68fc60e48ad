/** After a restore: what every kind of processor had done counts in the store's new history once it is adopted. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { make as makeSqlite, renewIncarnation, transactions } from "@persist/backend-sqlite"
import { type BackendShape, makeStore, registerReader, type StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import {
  adopt,
  health,
  listStale,
  type Processor,
  type ProcessorKind,
  reaction,
  readModel,
  reset,
  run,
  subscription,
  tables,
  whenProcessed
} from "@persist/runner"
import { knownProcessors, parked, parkedKey } from "@persist/runner/names"
import { timerKey, timers } from "@persist/runner/timers"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { connectionTo, errorOf, newPath } from "../backend-sqlite/place.ts"
import { Counted, countsOf, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const renewed = (backend: BackendShape) =>
  makeStore({ ...backend, about: { ...backend.about, incarnation: "the next one" } })

const counts = countsOf(1)

// What the reaction makes of an event can't be made twice, and the read model throws at what comes twice.
const processorsOf = (store: StoreShape, given: Array<string>): ReadonlyArray<Processor> => [
  reaction({
    name: "copying",
    events: Counted,
    partitions: 2,
    handle: (events) =>
      Effect.succeed(
        events.map(({ data, position }) =>
          store.kv("copies", Schema.Number).ops.put(String(position), data.n, { expected: "absent" })
        )
      )
  }),
  subscription({
    name: "telling",
    events: Counted,
    handle: ({ data, stream }) => Effect.sync(() => given.push(`${stream} ${data.n}`))
  }),
  readModel(counts)
]

/** Runs processors until each has done everything there is. */
const runThrough = Effect.fnUntraced(function*(store: StoreShape, processors: ReadonlyArray<Processor>) {
  const running = yield* Effect.forkChild(run(store, processors, quick))
  const head = yield* store.head
  yield* Effect.forEach(processors, (each) => whenProcessed(store, each, head), { discard: true })
  yield* Fiber.interrupt(running)
})

const known = (store: StoreShape, name: string, kind: ProcessorKind) =>
  knownProcessors(store).put(name, { partitions: 1, kind, guarantee: "exactly once" })

const refusal = (store: StoreShape, name: string, options?: Parameters<typeof adopt>[2]) =>
  Effect.map(errorOf(adopt(store, name, options)), ({ message }) => message)

describe("what is adopted", () => {
  it.live("goes on from where it was, with every event once, though it was refused before", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const before = yield* makeStore(backend)
      const given: Array<string> = []
      yield* fill(before, 3, 2)
      yield* runThrough(before, processorsOf(before, given))
      const store = yield* renewed(backend)
      yield* fill(store, 3, 1, 3)
      const processors = processorsOf(store, given)
      const needs = [["copying", "adopt"], ["counts@1", "reset"], ["telling", "adopt"]]
      assert.deepStrictEqual((yield* listStale(store)).map((each) => [each.name, each.needs]), needs)
      yield* Effect.forkChild(run(store, processors, quick))
      const sick = yield* until(
        health(store),
        ({ processors: all }) => all.every(({ partitions }) => partitions.every(({ state }) => state === "stopped"))
      )
      assert.deepStrictEqual(sick.processors.map(({ name, partitions }) => [name, partitions[0]?.needs]), needs)
      assert.match(
        sick.processors[0]?.partitions[1]?.error?.error ?? "",
        /adopt it \(persist projections adopt copying\)/
      )
      assert.match(
        sick.processors[1]?.partitions[0]?.error?.error ?? "",
        /reset it \(persist projections reset counts@1\)/
      )
      for (const { name } of processors) {
        const asked = yield* adopt(store, name, { dryRun: true })
        assert.isAbove(asked.partitions[0]?.position ?? 0, 0)
        assert.deepStrictEqual(yield* adopt(store, name), asked)
        assert.deepStrictEqual((yield* adopt(store, name)).partitions, [])
      }
      const head = yield* store.head
      yield* Effect.forEach(processors, (each) => whenProcessed(store, each, head), { discard: true })
      assert.deepStrictEqual(given.toSorted(), [0, 1, 2].flatMap((i) => [1, 2, 3].map((n) => `order-${i} ${n}`)))
      assert.strictEqual(yield* store.kv("copies").count(), 9)
      assert.deepStrictEqual(yield* counts.kv(store).get("order-2"), Option.some({ count: 3 }))
      yield* until(health(store), ({ processors: all }) => all.every(({ healthy }) => healthy))
    }))

  it.live("are tables that were restored with the store; others are reset and emptied", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const counting = (db: Database.Database) =>
        tables({
          name: "counting",
          events: Counted,
          transact: transactions({ db }),
          handle: (into, events) =>
            Effect.sync(() => {
              into.exec("CREATE TABLE IF NOT EXISTS total (n INTEGER)")
              for (const { data } of events) into.prepare("INSERT INTO total VALUES (?)").run(data.n)
            })
        })
      const visit = <A, E>(
        use: (store: StoreShape, processor: Processor, db: Database.Database) => Effect.Effect<A, E>
      ) =>
        Effect.scoped(Effect.gen(function*() {
          const store = yield* makeStore(yield* makeSqlite({ path }))
          const db = yield* connectionTo(path)
          return yield* use(store, counting(db), db)
        }))
      const total = (db: Database.Database) => db.prepare("SELECT count(*) FROM total").pluck().get()
      yield* visit((store, processor) => Effect.andThen(fill(store, 2, 2), runThrough(store, [processor])))
      yield* renewIncarnation({ path })
      yield* visit((store, processor, db) =>
        Effect.gen(function*() {
          const waiting = yield* errorOf(whenProcessed(store, processor, 1))
          assert.match(waiting.message, /adopt it \(persist projections adopt counting\), if its tables were restored/)
          yield* adopt(store, "counting")
          yield* fill(store, 2, 1, 3)
          yield* runThrough(store, [processor])
          assert.strictEqual(total(db), 6)
        })
      )
      yield* renewIncarnation({ path })
      yield* visit((store, processor, db) =>
        Effect.gen(function*() {
          yield* reset(store, "counting")
          db.exec("DELETE FROM total")
          yield* runThrough(store, [processor])
          assert.strictEqual(total(db), 6)
        })
      )
    }))

  it.live("is a reader by its name, where no runner ever ran it", () =>
    Effect.gen(function*() {
      const backend = yield* makeMemory()
      const before = yield* makeStore(backend)
      yield* fill(before, 1, 3)
      yield* registerReader(before, "own", { from: { position: 2 } })
      const store = yield* renewed(backend)
      assert.deepStrictEqual((yield* listStale(store)).map(({ kind, needs }) => [kind, needs]), [["reader", "adopt"]])
      yield* adopt(store, "own")
      assert.strictEqual((yield* registerReader(store, "own")).position, 2)
    }))

  it.live("is nothing beyond the head, but a workflow or reader from a place that is said", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      for (const kind of ["workflow", "subscription", "reaction", "read model", "tables"] as const) {
        yield* known(store, kind, kind)
        yield* checkpoints(store).put(kind, { position: 1000, incarnation: store.about.incarnation, prefix: "" })
      }
      const said = yield* listStale(store)
      assert.deepStrictEqual(said.map(({ kind, needs }) => [kind, needs]), [
        ["reaction", "reset"],
        ["read model", "reset"],
        ["subscription", "reset"],
        ["tables", "reset"],
        ["workflow", "adopt"]
      ])
      assert.match(yield* refusal(store, "workflow"), /"workflow" has come to 1000, .*; restore both from one backup/)
      assert.match(yield* refusal(store, "reaction"), /say from where it goes on/)
      assert.match(
        yield* refusal(store, "tables", { from: "end" }),
        /reset it \(persist projections reset tables\) and/
      )
      assert.match(yield* refusal(store, "read model", { from: "end" }), /reset it \(persist projections reset 'read m/)
      assert.match(yield* refusal(store, "workflow", { from: { position: 999 } }), /beyond the store's head/)
      assert.match(yield* refusal(store, "nobody"), /"nobody" isn't known here/)
      const head = yield* store.head
      yield* adopt(store, "workflow", { from: "end" })
      assert.deepStrictEqual(
        Option.map(yield* checkpoints(store).get("workflow"), ({ position }) => position),
        Option.some(head)
      )
      assert.match(yield* refusal(store, "workflow", { from: "end" }), /^from: "workflow" has no checkpoint beyond/)
    }))

  it.effect("is each partition for itself: only those beyond the head are moved, and all that stays is counted", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      for (const [name, kind] of [["flow", "workflow"], ["told", "subscription"]] as const) {
        yield* knownProcessors(store).put(name, { partitions: 2, kind, guarantee: "exactly once" })
        for (const [i, position] of [1, 1000].entries()) {
          yield* checkpoints(store).put(`${name}#${i}`, { position, incarnation: "before", prefix: "" })
          yield* timers(store).put(timerKey(`${name}#${i}`, 9, "i", "t"), { instance: "i", timer: "t", at: 9 })
        }
      }
      for (const [position, state] of [[1, "parked"], [2, "dropped"]] as const) {
        const of = { processor: "flow", reader: "flow#0", keys: ["k"], stream: "s", type: "T", attempts: [] }
        yield* parked(store).put(parkedKey("flow", position), { ...of, seq: position, position, state })
      }
      assert.deepStrictEqual((yield* listStale(store)).map(({ name, needs }) => [name, needs]), [
        ["flow", "adopt"],
        // What one of its partitions needs all do.
        ["told", "reset"]
      ])
      const end = yield* store.head
      const adopted = yield* adopt(store, "flow", { from: "end" })
      assert.deepStrictEqual(adopted.partitions.map(({ position }) => position), [1, end])
      assert.deepInclude(adopted, { timers: 2, parked: 1 })
    }))
})

describe("a runner", () => {
  it.live("whose store was given another incarnation beneath it ends with that", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const store = yield* makeStore(yield* makeSqlite({ path }))
      const given: Array<string> = []
      const running = yield* Effect.forkChild(run(store, processorsOf(store, given), quick))
      yield* until(health(store), ({ processors }) => processors.length === 3 && processors.every((one) => one.healthy))
      yield* renewIncarnation({ path })
      const exit = yield* Fiber.await(running)
      assert.strictEqual(Exit.isFailure(exit), true)
      const error = yield* errorOf(exit)
      assert.strictEqual(error._tag === "Unavailable" && error.reopen, true)
      assert.match(error.message, /given another incarnation while it was open; open it again/)
    }))

  it.live("leaves behind why a partition stopped, until it's run again", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      let broken = true
      const working = subscription({
        name: "work",
        events: Counted,
        failure: { retries: 0 },
        handle: () => broken ? Effect.die(new Error("no paper")) : Effect.void
      })
      const partition = Effect.map(health(store), ({ processors: [one] }) => one?.partitions[0])
      const first = yield* Effect.forkChild(run(store, [working], quick))
      yield* until(Effect.map(store.kv("$failure").count(), (count) => count === 1))
      yield* Fiber.interrupt(first)
      const left = yield* partition
      assert.deepStrictEqual([left?.state, left?.error?.error], ["idle", "Error: no paper"])
      broken = false
      const second = yield* Effect.forkChild(run(store, [working], quick))
      yield* whenProcessed(store, working, yield* store.head)
      yield* until(partition, (one) => one?.state === "running" && one.error === undefined)
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual([(yield* partition)?.state, (yield* partition)?.error], ["idle", undefined])
    }))

  it.live("isn't begun with other indexes of a read model under the same version", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 1)
      yield* runThrough(store, [readModel(counts)])
      const { message } = yield* errorOf(run(store, [readModel({ ...counts, readIndexes: [] })], quick))
      assert.match(message, /counts@1.*indexes/)
      assert.deepStrictEqual(yield* Stream.runCollect(store.kv("$runner").scan()), [])
    }))
})
