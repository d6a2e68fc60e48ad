/** One pass of the log for those that are at the same place: what one reads the others are given, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type AllRange, type BackendShape, makeStore, Position, type StoreShape } from "@persist/core"
import { eventSource } from "@persist/core/event-pages"
import { reaction, run, whenProcessed } from "@persist/runner"
import { Feed } from "@persist/runner/feed"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { makeDice } from "../crash/dice.ts"
import { Counted } from "./orders.ts"
import { quick, until } from "./until.ts"

/** A store that tells which pages of the log were asked for, and how many commits were made. */
const counting = Effect.gen(function*() {
  const backend = yield* makeMemory()
  const asked: Array<AllRange> = []
  const readAll: BackendShape["readAll"] = (range) => {
    asked.push(range)
    return backend.readAll(range)
  }
  let saves = 0
  const commit: BackendShape["commit"] = (batch) => {
    for (const { write } of batch) saves += write.filter(({ namespace }) => namespace === "$checkpoint").length
    return backend.commit(batch)
  }
  const store = yield* makeStore({ ...backend, readAll, commit })
  return { store, asked, saves: () => saves, pages: () => asked.filter(({ limit }) => limit > 1) }
})

const range = (after: number, prefix = "", types?: ReadonlyArray<string>): AllRange => ({
  after: Position(after),
  to: Position(Number.MAX_SAFE_INTEGER),
  prefix,
  types,
  limit: 1000,
  reverse: false
})

const read = (store: StoreShape, asked: AllRange) => store.engine.backend.readAll(asked)

const many = (store: StoreShape, streams: number, each: number) =>
  Effect.forEach(
    Array.from({ length: streams }, (_, i) => i),
    (i) =>
      store.log(Counted).append(
        `${i % 2 === 0 ? "order" : "stock"}-${i}`,
        Array.from({ length: each }, (_, n) => ({ type: "Counted" as const, data: { n } })),
        { expected: 0 }
      )
  )

/** A store of which two readers of one feed have read the first page. */
const bothRead = Effect.gen(function*() {
  const { store } = yield* counting
  yield* many(store, 4, 5)
  const feed = new Feed(store)
  const [one, other] = [feed.storeFor("one"), feed.storeFor("other")]
  yield* read(one, range(0))
  yield* read(other, range(0))
  return { feed, one, store }
})

describe("readers at the same place", () => {
  it.effect("are given one page, each its own events of it", () =>
    Effect.gen(function*() {
      const { pages, store } = yield* counting
      yield* many(store, 10, 50)
      const feed = new Feed(store)
      const [orders, stock] = [feed.storeFor("orders"), feed.storeFor("stock")]
      yield* read(orders, range(100, "order-"))
      const first = yield* read(stock, range(100, "stock-"))
      assert.isTrue(first.items.every(({ stream }) => stream.startsWith("stock-")))
      assert.strictEqual(pages().length, 2, "who reads alone reads only its own")
      assert.deepStrictEqual(pages().map(({ prefix }) => prefix), ["order-", ""])
      const again = yield* read(orders, range(100, "order-"))
      assert.strictEqual(pages().length, 2)
      assert.deepStrictEqual(again, yield* read(store, range(100, "order-")))
    }))

  it.effect("are given them also where what their streams' names have in common ends within a letter", () =>
    Effect.gen(function*() {
      const { pages, store } = yield* counting
      for (const stream of ["😀-1", "😁-1"]) {
        yield* store.log(Counted).append(stream, { type: "Counted", data: { n: 1 } }, { expected: 0 })
      }
      const feed = new Feed(store)
      yield* read(feed.storeFor("one"), range(0, "😀"))
      const { items } = yield* read(feed.storeFor("other"), range(0, "😁"))
      assert.deepStrictEqual(items.map(({ stream }) => stream), ["😁-1"])
      // What isn't well-formed is asked for as something else by a backend that keeps UTF-8.
      assert.deepStrictEqual(pages().map(({ prefix }) => prefix), ["😀", ""])
    }))

  it.effect("are not told for long of what was deleted", () =>
    Effect.gen(function*() {
      const { one, store } = yield* bothRead
      yield* store.log().delete("order-0", { expected: 5 })
      yield* TestClock.adjust(1000)
      const { items } = yield* read(one, range(0))
      assert.deepStrictEqual(items.filter(({ stream }) => stream === "order-0"), [])
    }))

  it.effect("get nothing beyond where they read to, though the page that is there goes further", () =>
    Effect.gen(function*() {
      const { feed, one, store } = yield* bothRead
      const to = Position(7)
      const { items, through } = yield* read(one, { ...range(0), to })
      assert.deepStrictEqual([items.at(-1)?.position, through], [7, 7])
      // Nor does a single event bring others along, such as one that was parked.
      const source = yield* Effect.fromResult(eventSource(store, Counted, {}))
      const decoded = feed.sourceFor("one", feed.decoded(), source)
      yield* decoded.read(Position(0), yield* store.head)
      const single = yield* decoded.read(Position(6), to)
      assert.deepStrictEqual([single.items.map(({ position }) => position), single.through], [[7], 7])
    }))

  it.effect("get what they would get alone, wherever they are and whatever they want", () =>
    Effect.gen(function*() {
      const { store } = yield* counting
      yield* many(store, 30, 200)
      const dice = makeDice("feed")
      const feed = new Feed(store)
      const stores = [0, 1, 2, 3].map((n) => feed.storeFor(`reader-${n}`))
      const at = [0, 0, 0, 0]
      const filters = [["", undefined], ["order-", undefined], ["stock-1", ["Counted"]], ["", ["Other"]]] as const
      for (let turn = 0; turn < 200; turn++) {
        const who = dice.below(4)
        const [prefix, types] = filters[who] ?? filters[0]
        const asked = range(at[who] ?? 0, prefix, types)
        const { items, through } = yield* read(stores[who] ?? store, asked)
        const alone = yield* read(store, { ...asked, to: through, limit: Number.MAX_SAFE_INTEGER })
        assert.deepStrictEqual(items, alone.items)
        at[who] = dice.below(20) === 0 ? dice.below(6000) : through
      }
    }))
})

describe("processors of one runner", () => {
  it.live("pass the log once together, and save once for many events", () =>
    Effect.gen(function*() {
      const { pages, saves, store } = yield* counting
      yield* many(store, 20, 500)
      const counts = new Map<string, number>()
      const partitioned = reaction({
        name: "partitioned",
        events: Counted,
        partitions: 8,
        handle: (events) =>
          Effect.sync(() => {
            for (const { stream } of events) counts.set(stream, (counts.get(stream) ?? 0) + 1)
            return []
          })
      })
      yield* Effect.forkChild(run(store, [partitioned], quick))
      const all = Effect.sync(() => Array.from(counts.values()).reduce((sum, n) => sum + n, 0))
      yield* until(all, (handled) => handled === 10_000)
      // Alone each of the eight reads ten pages, and looks for more.
      const full = pages().filter(({ after }) => after < 9000)
      assert.isBelow(full.length, 2 * 10)
      // Each registers, takes its lease, and has about 1,250 events; a save for each page would make eighty more.
      assert.isBelow(saves(), 8 * 5)
      yield* whenProcessed(store, partitioned, yield* store.head)
      assert.deepStrictEqual(Array.from(counts.values()), Array.from({ length: 20 }, () => 500))
    }))
})
