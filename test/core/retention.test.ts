/** Retention: what a rule lets go, and who holds it back. */
import { assert, describe, it } from "@effect/vitest"
import {
  compact,
  load,
  makeStore,
  planRetention,
  registerProjection,
  registerReader,
  resetReader,
  retain,
  type RetentionRule,
  saveSnapshot,
  SnapshotPolicy,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { everyEvent, keptEvents } from "./kept-events.ts"
import { append, memoryStore, sum, upTo } from "./ledger.ts"

const planned = (store: StoreShape, rule: RetentionRule) => Stream.runCollect(planRetention(store, rule))

const firstOf = (store: StoreShape, stream: string) =>
  Effect.map(store.log().info(stream), (info) => Number(info?.first))

const never = { snapshots: SnapshotPolicy.never }

/** Appends one event for each time. */
const appendAt = (store: StoreShape, stream: string, ...times: ReadonlyArray<number>) =>
  store.log().append(stream, times.map((at) => ({ type: "Added", data: 1, at })), { expected: "any" })

const filled = Effect.gen(function*() {
  const { backend, store } = yield* memoryStore
  yield* append(store, "a/1", ...upTo(6))
  yield* append(store, "b/1", ...upTo(3))
  yield* append(store, "a/2", ...upTo(4))
  return { backend, store }
})

describe("what a rule lets go", () => {
  it.effect("is what any of its limits lets go, from the front, and the numbering goes on", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1000)
      const cases: ReadonlyArray<readonly [Omit<RetentionRule, "prefix">, number]> = [
        [{ maxCount: 2 }, 4],
        [{ maxCount: 6 }, 1],
        [{ maxCount: 99 }, 1],
        // The third is young, so the fourth, older by its clock, stays behind it.
        [{ maxAge: 500 }, 3],
        [{ maxAge: 900 }, 1],
        [{ maxAge: 1 }, 6],
        [{ before: { seq: 3 } }, 3],
        [{ before: { seq: 99 } }, 6],
        [{ before: { seq: 0 } }, 1],
        [{ before: { position: 4 } }, 4],
        [{ before: { position: 0 } }, 1],
        [{ before: { position: 99 } }, 6],
        [{ before: { at: 200 } }, 2],
        [{ before: { at: 2000 } }, 6],
        [{ maxCount: 3, maxAge: 500 }, 3],
        // The count takes the young one, and the age what lies behind it.
        [{ maxCount: 2, maxAge: 500 }, 6],
        [{ maxAge: 900, before: { seq: 2 } }, 2]
      ]
      for (const [limits, first] of cases) {
        const { store } = yield* memoryStore
        yield* appendAt(store, "a", 100, 200, 600, 300, 400)
        // The canary.
        yield* appendAt(store, "b", 100, 200)
        const rule = { prefix: "a", ...limits }
        const plan = yield* planned(store, rule)
        const head = yield* store.head
        assert.deepStrictEqual(plan.map((cut) => Number(cut.first)), first === 1 ? [] : [first], JSON.stringify(limits))
        assert.strictEqual(yield* firstOf(store, "a"), 1)
        assert.deepStrictEqual(yield* retain(store, rule), {
          streams: plan.length,
          events: first - 1,
          held: 0
        })
        assert.strictEqual(yield* firstOf(store, "a"), first)
        assert.strictEqual(yield* firstOf(store, "b"), 1)
        if (first === 1) assert.strictEqual(yield* store.head, head)
        const { first: next } = yield* appendAt(store, "a", 1000)
        assert.strictEqual(Number(next), 6)
      }
    }))

  it.effect("is told by its name where a rule is wrong", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "prefix"],
        [null, "options"],
        [{ maxCount: 1 }, "prefix"],
        [{ prefix: 1, maxCount: 1 }, "prefix"],
        [{ prefix: "\ud800", maxCount: 1 }, "prefix"],
        [{ prefix: "a" }, "rule"],
        [{ prefix: "a", maxCount: 0 }, "maxCount"],
        [{ prefix: "a", maxCount: 1.5 }, "maxCount"],
        [{ prefix: "a", maxAge: -1 }, "maxAge"],
        [{ prefix: "a", maxAge: "30d" }, "maxAge"],
        [{ prefix: "a", before: 3 }, "before"],
        [{ prefix: "a", before: {} }, "before"],
        [{ prefix: "a", before: { seq: 1, at: 1 } }, "before"],
        [{ prefix: "a", before: { seq: -1 } }, "before.seq"],
        [{ prefix: "a", before: { position: 0.5 } }, "before.position"],
        [{ prefix: "a", before: { at: "now" } }, "before.at"],
        [{ prefix: "a", before: { since: 1 } }, "before.since"],
        [{ prefix: "a", maxcount: 1 }, "maxcount"]
      ]
      const head = yield* store.head
      for (const [rule, field] of [...wrong, [{ prefix: "a", maxCount: 1, archive: {} }, "archive"]] as const) {
        // What a caller without types may pass.
        const untyped = rule as RetentionRule
        const faults = [yield* Effect.flip(Effect.asVoid(retain(store, untyped)))]
        if (field !== "archive") faults.push(yield* Effect.flip(Effect.asVoid(planned(store, untyped))))
        for (const fault of faults) {
          assert.deepStrictEqual([fault._tag, "field" in fault && fault.field], ["Invalid", field])
        }
      }
      assert.strictEqual(yield* store.head, head)
    }))

  it.effect("of many streams, and of one longer than a step, goes in steps that are told", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      const { ops } = store.log()
      const names = upTo(600).map((n) => `s/${String(n).padStart(4, "0")}`)
      const event = { type: "Added", data: 1 }
      for (const name of names) yield* store.commit([ops.append(name, [event, event, event], { expected: 0 })])
      for (let n = 0; n < 3; n++) {
        yield* store.commit([ops.append("s/0300", Array.from({ length: 8000 }, () => event), { expected: "any" })])
      }
      const kept = keptEvents()
      const told: Array<string> = []
      const sofar: Array<number> = []
      const before = yield* everyEvent(store, kept)
      const retained = yield* retain(store, {
        prefix: "s/",
        maxCount: 1,
        archive: kept.archive,
        each: (cuts, { events }) =>
          Effect.sync(() => {
            told.push(...cuts.map(({ stream }) => stream))
            sofar.push(events)
          })
      })
      assert.deepStrictEqual(retained, { streams: 600, events: 600 * 2 + 24_000, held: 0 })
      assert.deepStrictEqual(told, names)
      assert.deepStrictEqual(sofar.length, kept.steps.size)
      assert.isTrue([...kept.steps.values()].every(({ length }) => length <= 10_000))
      const steps = [...kept.steps.keys()]
      assert.deepStrictEqual(steps.map((step) => Number(step.split("-")[0])), upTo(kept.steps.size))
      assert.deepStrictEqual(steps.toSorted(), steps)
      assert.deepStrictEqual(yield* everyEvent(store, kept), before)
    }))
})

describe("who holds it back", () => {
  it.effect("the slowest reader, by what it has yet to read", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* registerReader(store, "slow", { from: { position: 4 }, prefix: "a/" })
      yield* registerReader(store, "fast", { from: { position: 12 } })
      yield* registerReader(store, "elsewhere", { prefix: "c/" })
      const rule = { prefix: "", maxCount: 1 }
      const bound = { _tag: "Reader", name: "slow", position: 4 }
      const plan = yield* planned(store, rule)
      assert.deepStrictEqual<unknown>(plan, [
        { stream: "a/1", removed: 4, held: 1, first: 5, boundedBy: bound },
        { stream: "a/2", removed: 0, held: 3, first: 1, boundedBy: bound },
        { stream: "b/1", removed: 2, held: 0, first: 3, boundedBy: { _tag: "Rule" } }
      ])
      assert.deepStrictEqual(yield* retain(store, rule), { streams: 2, events: 6, held: 4 })
      assert.deepStrictEqual(
        [yield* firstOf(store, "a/1"), yield* firstOf(store, "a/2"), yield* firstOf(store, "b/1")],
        [5, 1, 3]
      )
    }))

  it.effect("a reader that is registered or reset while it runs", () =>
    Effect.gen(function*() {
      for (const comes of ["new", "reset"] as const) {
        const { backend, store: other } = yield* filled
        if (comes === "reset") yield* registerReader(other, "late", { from: "end" })
        const store = yield* makeStore(backend)
        const kept = keptEvents()
        let met = 0
        const archive = {
          ...kept.archive,
          keep: (...[step, events]: Parameters<typeof kept.archive.keep>) =>
            Effect.andThen(
              met++ > 0
                ? Effect.void
                : Effect.orDie(
                  Effect.asVoid(comes === "new" ? registerReader(other, "late") : resetReader(other, "late"))
                ),
              kept.archive.keep(step, events)
            )
        }
        assert.deepStrictEqual(yield* retain(store, { prefix: "", maxCount: 1, archive }), {
          streams: 0,
          events: 0,
          held: 10
        })
        assert.strictEqual(met, 1)
        assert.strictEqual(kept.steps.size, 0)
        assert.strictEqual(yield* firstOf(store, "a/1"), 1)
      }
    }))

  it.effect("snapshots, by what a load from them still needs", () =>
    Effect.gen(function*() {
      for (const scope of [{ stream: "a/1" }, { prefix: "a/" }, { all: true }] as const) {
        const { store } = yield* filled
        yield* saveSnapshot(store, sum, scope)
        yield* append(store, "a/1", 7, 8)
        const { state } = yield* load(store, sum, { ...scope, ...never })
        const { events, held } = yield* retain(store, { prefix: "a/1", before: { seq: 99 } })
        // Of one stream it also keeps the last event, by which the snapshot knows its history.
        assert.deepStrictEqual([events, held], "stream" in scope ? [5, 3] : [6, 2])
        assert.deepStrictEqual((yield* load(store, sum, { ...scope, ...never })).state, state)
      }
    }))

  it.effect("a registered projection over named streams", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const scope = { streams: ["a/1", "a/2"] }
      yield* registerProjection(store, sum, scope)
      assert.deepStrictEqual((yield* retain(store, { prefix: "", maxCount: 1 })).events, 2)
      yield* saveSnapshot(store, sum, scope)
      const { state } = yield* load(store, sum, { ...scope, ...never })
      assert.deepStrictEqual((yield* retain(store, { prefix: "", before: { seq: 99 } })).events, 5 + 3 + 1)
      assert.deepStrictEqual((yield* load(store, sum, { ...scope, ...never })).state, state)
    }))

  it.effect("nobody: a projection without a snapshot is refused, not answered from the rest", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* retain(store, { prefix: "a/1", maxCount: 2 })
      for (const scope of [{ stream: "a/1" }, { prefix: "a/" }] as const) {
        assert.strictEqual((yield* Effect.flip(load(store, sum, scope)))._tag, "Invalid")
      }
      assert.strictEqual((yield* load(store, sum, { stream: "a/1", allowTruncated: true })).replayed, 2)
    }))

  it.effect("a compaction's note is kept, and what it says goes on", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      yield* saveSnapshot(store, sum, { all: true })
      yield* compact(store, { projection: sum, stream: "a/1", keepEvents: 4 })
      const { state } = yield* load(store, sum, { all: true, ...never })
      yield* retain(store, { prefix: "a/1", maxCount: 2 })
      assert.strictEqual(yield* firstOf(store, "a/1"), 5)
      assert.deepStrictEqual((yield* load(store, sum, { all: true, ...never })).state, state)
    }))
})
