/** Parked events that are tried again: what of it happens in one commit, and what is said of them meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeSqlite, transactions } from "@persist/backend-sqlite"
import { type EventOf, makeStore, type StoreShape } from "@persist/core"
import { dropParked, reaction, retryParked, subscription, tables, whenProcessed } from "@persist/runner"
import { parked } from "@persist/runner/names"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { connectionTo, newPath } from "../backend-sqlite/place.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { asideOf, listed, parking, running } from "./picky.ts"
import { until } from "./until.ts"

/** Asks that the first event that is parked be tried again. */
const retryFirst = Effect.fnUntraced(function*(store: StoreShape) {
  const [first] = yield* until(listed(store), ({ length }) => length > 0)
  yield* retryParked(store, "picky", first?.position ?? 0)
})

describe("a parked event that is tried again", () => {
  it.live("is parked until the commit in which it takes effect, and not after it", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const done = store.kv("done")
      let broken = true
      yield* fill(store, 1, 1)
      const reacting = reaction({
        name: "picky",
        events: Counted,
        failure: parking,
        handle: (events) =>
          broken ? Effect.fail("no") : Effect.succeed(events.map(({ stream }) => done.ops.put(stream, 1)))
      })
      // Of every commit: whether it has taken effect, and whether it is parked.
      const seen: Array<string> = []
      const commit: StoreShape["commit"] = (ops, options) =>
        Effect.tap(
          store.commit(ops, options),
          () =>
            Effect.map(
              Effect.zip(done.count(), parked(store).count()),
              ([effects, aside]) => seen.push(`${effects} ${aside}`)
            )
        )
      const mended = Effect.gen(function*() {
        yield* until(listed(store), ({ length }) => length === 1)
        broken = false
        yield* retryFirst(store)
        yield* until(done.count(), (count) => count === 1)
      })
      yield* running({ ...store, commit }, reacting, mended)
      assert.deepStrictEqual(new Set(seen), new Set(["0 0", "0 1", "1 0"]))
    }))

  it.live("of tables is parked no more once its transaction was committed, and is written once", () =>
    Effect.scoped(Effect.gen(function*() {
      const path = yield* newPath
      const store = yield* makeStore(yield* makeSqlite({ path }))
      const db = yield* connectionTo(path)
      db.exec("CREATE TABLE given (n INTEGER)")
      let broken = true
      yield* fill(store, 1, 1)
      const counting = tables({
        name: "picky",
        events: Counted,
        failure: parking,
        transact: transactions({ db }),
        handle: (into, events) =>
          Effect.suspend(() => {
            if (broken) return Effect.fail("no")
            for (const { data } of events) into.prepare("INSERT INTO given VALUES (?)").run(data.n)
            return Effect.void
          })
      })
      const mended = Effect.gen(function*() {
        yield* until(listed(store), ({ length }) => length === 1)
        broken = false
        yield* retryFirst(store)
        yield* until(Effect.sync(() => db.prepare("SELECT count(*) FROM given").pluck().get()), (n) => n !== 0)
      })
      // It has finished what it had in hand when it is gone.
      yield* running(store, counting, mended)
      assert.deepStrictEqual(yield* asideOf(store), [])
      assert.deepStrictEqual(db.prepare("SELECT n FROM given").pluck().all(), [1])
    })))

  it.live("is told how often it was delivered before", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const attempts: Array<number> = []
      yield* fill(store, 1, 1)
      const telling = subscription({
        name: "picky",
        events: Counted,
        failure: { ...parking, retries: 1, delay: 1 },
        handle: (_, { attempt }) => Effect.suspend(() => attempts.push(attempt) < 4 ? Effect.fail("no") : Effect.void)
      })
      const asked = Effect.gen(function*() {
        yield* until(asideOf(store), ([one]) => one === "order-0/1 parked 2")
        yield* retryFirst(store)
        yield* until(asideOf(store), ([one]) => one === "order-0/1 parked 3")
        yield* retryFirst(store)
        yield* until(listed(store), ({ length }) => length === 0)
      })
      yield* running(store, telling, asked)
      assert.deepStrictEqual(attempts, [0, 1, 2, 3])
    }))

  it.live("and fails in the partition that its key turned out to be in holds back what follows of that key", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      let broken = true
      const wrong = subscription({
        name: "picky",
        events: Counted,
        partitions: 4,
        failure: parking,
        key: ({ stream }) => {
          if (broken && stream === "order-0") throw new Error("no key")
          return "elsewhere"
        },
        handle: ({ data, stream }) => stream === "order-0" && data.n === 1 ? Effect.fail("no") : Effect.void
      })
      yield* fill(store, 2, 1)
      const mended = Effect.gen(function*() {
        // The partition it goes to has come further by then.
        yield* whenProcessed(store, wrong, yield* store.head)
        broken = false
        yield* retryFirst(store)
        // With the failures that it has had there.
        yield* until(asideOf(store), ([one]) => one === "order-0/1 parked 1")
        yield* fill(store, 1, 1, 2)
        yield* until(listed(store), ({ length }) => length === 2)
      })
      yield* running(store, wrong, mended)
      assert.deepStrictEqual(yield* asideOf(store), ["order-0/1 parked 1", "order-0/2 behind 0"])
      assert.deepStrictEqual((yield* listed(store)).map(({ keys }) => keys), [["elsewhere"], ["elsewhere"]])
    }))
})

describe("an event that waits behind a parked one", () => {
  it.live("and is dropped while what is between them is tried again stays dropped", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const [failing, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const seen: Array<string> = []
      yield* fill(store, 2, 2)
      // Of order-1 the first fails once, when the second of order-0 was put aside beside it.
      const handle = ({ data, stream }: EventOf<typeof Counted>) =>
        Effect.gen(function*() {
          if (stream === "order-0") return yield* Effect.fail("no")
          if (data.n === 1 && !(yield* Deferred.isDone(failing))) {
            yield* Deferred.succeed(failing, undefined)
            yield* Deferred.await(goOn)
            return yield* Effect.fail("not yet")
          }
          return seen.push(`${stream}/${data.n}`)
        })
      const wrong = subscription({
        name: "picky",
        events: Counted,
        failure: { ...parking, retries: 1, delay: 1 },
        handle
      })
      const dropped = Effect.gen(function*() {
        yield* Deferred.await(failing)
        const waiting = (yield* listed(store)).find(({ state }) => state === "behind")
        yield* dropParked(store, "picky", waiting?.position ?? 0)
        yield* Deferred.succeed(goOn, undefined)
        yield* until(Effect.sync(() => seen.length === 2))
      })
      yield* running(store, wrong, dropped)
      assert.deepStrictEqual(yield* asideOf(store), ["order-0/1 parked 2", "order-0/2 dropped 0"])
    }))
})
