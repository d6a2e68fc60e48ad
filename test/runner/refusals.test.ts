/** What can't be run as things are: it says why, and keeps nothing else from running. */
import { assert, describe, it } from "@effect/vitest"
import { anyEvents, type Catalogue, Position, type StoreShape } from "@persist/core"
import { health, listParked, pause, readModel, resume, retryParked, run, subscription } from "@persist/runner"
import { Refusals } from "@persist/runner/refusals"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Counted, countsOf, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const counts = countsOf(1)

const partition = (store: StoreShape, name: string) =>
  Effect.map(health(store), ({ processors }) => processors.find((one) => one.name === name)?.partitions[0])

describe("what can't be run", () => {
  it.live("because it can't begin is stopped, says why, and begins once that is mended and somebody says so", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      yield* store.kv("counts@1").put("somebody's", 1)
      const given: Array<number> = []
      const other = subscription({
        name: "other",
        events: Counted,
        handle: ({ data }) => Effect.sync(() => given.push(data.n))
      })
      yield* Effect.forkChild(run(store, [readModel(counts), other], quick))
      const stopped = yield* until(partition(store, "counts@1"), (one) => one?.state === "stopped")
      assert.match(stopped?.error?.error ?? "", /namespace "counts@1" holds keys/)
      assert.deepStrictEqual([stopped?.runner?.label, stopped?.position], ["here", 0])
      // All that there is may be left to it.
      assert.isAbove(stopped?.lagTime ?? 0, 0)
      yield* until(Effect.sync(() => given.length), (n) => n === 2)
      assert.strictEqual((yield* partition(store, "other"))?.state, "running")
      yield* store.kv("counts@1").delete("somebody's")
      yield* resume(store, "counts@1")
      yield* until(counts.kv(store).get("order-0"), (state) => Option.getOrUndefined(state)?.count === 2)
      yield* until(partition(store, "counts@1"), (one) => one?.state === "running" && one.error === undefined)
    }))

  it.live("beyond an event that can't be decoded stands there and says so, and others go on", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 2)
      yield* store.log(anyEvents).append("order-bad", { type: "Counted", data: "no number" }, { expected: 0 })
      yield* fill(store, 1, 1, 3)
      const given: Array<number> = []
      const raw = subscription({
        name: "raw",
        events: anyEvents,
        handle: ({ seq }) => Effect.sync(() => given.push(seq))
      })
      yield* Effect.forkChild(run(store, [readModel(counts), raw], quick))
      const stopped = yield* until(partition(store, "counts@1"), (one) => one?.state === "stopped")
      assert.match(stopped?.error?.error ?? "", /Corrupt: .*"order-bad"/)
      yield* until(Effect.sync(() => given.length), (n) => n === 4)
      assert.deepStrictEqual(yield* counts.kv(store).get("order-0"), Option.some({ count: 2 }))
      yield* resume(store, "counts@1")
      yield* until(partition(store, "counts@1"), (one) => (one?.error?.at ?? 0) > (stopped?.error?.at ?? 0))
    }))

  it.live("is only the event that can't be decoded, where what fails is parked; it goes through once it can be", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const log = store.log(anyEvents)
      yield* fill(store, 3, 2)
      for (const data of ["no number", "none either"]) {
        yield* log.append("order-1", { type: "Counted", data }, { expected: "any" })
        yield* log.append("other", { type: "Unknown", data }, { expected: "any" })
      }
      yield* fill(store, 1, 1, 3)
      const given: Array<string> = []
      const telling = (events: Catalogue) =>
        subscription({
          name: "telling",
          events,
          partitions: 3,
          failure: { retries: 5, finally: "park" },
          handle: ({ data, stream }) => Effect.sync(() => given.push(`${stream} ${JSON.stringify(data)}`))
        })
      const first = yield* Effect.forkChild(run(store, [telling(Counted)], quick))
      const list = Stream.runCollect(listParked(store))
      const parked = yield* until(list, ({ length }) => length === 4)
      assert.deepStrictEqual(parked.map(({ attempts, state, stream }) => [stream, state, attempts.length]), [
        ["order-1", "parked", 1],
        ["other", "parked", 1],
        ["order-1", "behind", 0],
        ["other", "behind", 0]
      ])
      assert.match(parked[0]?.attempts[0]?.error ?? "", /^Corrupt: event 3 of stream "order-1"/)
      yield* until(Effect.sync(() => given.length), (n) => n === 7)
      // It can't be decoded yet.
      yield* retryParked(store, "telling", parked[0]?.position ?? 0)
      yield* until(list, ([one]) => one?.attempts.length === 2)
      yield* Fiber.interrupt(first)
      yield* Effect.forkChild(run(store, [telling(anyEvents)], quick))
      for (const { position, state } of parked) if (state === "parked") yield* retryParked(store, "telling", position)
      yield* until(list, ({ length }) => length === 0)
      assert.deepStrictEqual(
        given.slice(7).toSorted(),
        [
          "order-1 \"no number\"",
          "order-1 \"none either\"",
          "other \"no number\"",
          "other \"none either\""
        ].toSorted()
      )
    }))

  it("is tried again after ten seconds, or once somebody says something of it", () => {
    const refusals = new Refusals()
    const control = Position(7)
    refusals.note("p", Cause.fail("no"), { at: 0, since: 1000, control })
    assert.deepStrictEqual(
      [1000, 10_999, 11_000].map((now) => refusals.holds("p", now, control)),
      [true, true, false]
    )
    assert.isFalse(refusals.holds("p", 1000, Position(8)))
    assert.isFalse(refusals.holds("q", 1000, control))
    assert.deepStrictEqual(refusals.reports.map(({ reader, state }) => [reader, state]), [["p", "stopped"]])
    refusals.clear("p")
    assert.isFalse(refusals.holds("p", 1000, control))
    assert.deepStrictEqual(refusals.reports, [])
  })

  it.live("is nobody's matter any more once it's paused", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* store.kv("counts@1").put("somebody's", 1)
      yield* Effect.forkChild(run(store, [readModel(counts)], quick))
      yield* until(partition(store, "counts@1"), (one) => one?.state === "stopped")
      yield* pause(store, "counts@1")
      yield* until(partition(store, "counts@1"), (one) => one === undefined)
    }))
})
