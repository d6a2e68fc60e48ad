/** Retention that breaks off: whatever ends a run, every event is in the store or in the archive, once. */
import { assert, describe, it } from "@effect/vitest"
import { makeStore, retain, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { makeFaulty } from "./faulty.ts"
import { everyEvent, keptEvents } from "./kept-events.ts"
import { append, memoryStore, upTo } from "./ledger.ts"

const firstOf = (store: StoreShape, stream: string) =>
  Effect.map(store.log().info(stream), (info) => Number(info?.first))

const filled = Effect.gen(function*() {
  const { backend, store } = yield* memoryStore
  yield* append(store, "a/1", ...upTo(6))
  yield* append(store, "a/2", ...upTo(4))
  return { backend, store }
})

describe("whatever ends a run", () => {
  it.effect("every event is in the store or the archive, once, and the next run goes on", () =>
    Effect.gen(function*() {
      for (const fault of ["refused", "dies before", "dies after"] as const) {
        // The claim, two steps, and leaving.
        for (let n = 1; n <= 4; n++) {
          const faulty = yield* makeFaulty({ commitEvents: 5 })
          const store = yield* makeStore(faulty.backend, { retries: 0 })
          for (const stream of ["a", "b", "c", "d"]) yield* append(store, stream, ...upTo(4))
          const kept = keptEvents()
          const before = yield* everyEvent(store, kept)
          const rule = { prefix: "", archive: kept.archive }
          faulty.failAt(n, fault)
          yield* Effect.exit(retain(store, { ...rule, maxCount: 2 }))
          assert.isTrue(faulty.failed())
          const again = yield* makeStore(faulty.backend)
          // Time has passed: more of them may go than when it broke off.
          const { events } = yield* retain(again, { ...rule, maxCount: 1 })
          assert.isAbove(events, 3)
          assert.deepStrictEqual(yield* everyEvent(again, kept), before, `${fault} ${n}`)
          assert.deepStrictEqual([...kept.steps.values()].flat().length, 12, `${fault} ${n}`)
        }
      }
    }))

  it.effect("an archive that fails has removed nothing", () =>
    Effect.gen(function*() {
      const { store } = yield* filled
      const archive = { keep: () => Effect.fail("full" as const), discard: () => Effect.void }
      assert.strictEqual(yield* Effect.flip(retain(store, { prefix: "", maxCount: 1, archive })), "full")
      assert.strictEqual(yield* firstOf(store, "a/1"), 1)
    }))

  // A store with another one's run of the same rule, which goes by the first time it is asked for.
  const rivals = Effect.gen(function*() {
    const { backend, store } = yield* filled
    const other = yield* makeStore(backend)
    const kept = keptEvents()
    const before = yield* everyEvent(store, kept)
    const rule = { prefix: "", maxCount: 1 }
    let met = false
    const rival = Effect.suspend(() => {
      if (met) return Effect.void
      met = true
      return Effect.orDie(Effect.asVoid(retain(other, { ...rule, archive: kept.archive })))
    })
    return { before, kept, rival, rule, store }
  })
  type Keep = ReturnType<typeof keptEvents>["archive"]["keep"]

  it.effect("of two runs at once the earlier leaves it to the later", () =>
    Effect.gen(function*() {
      const { before, kept, rival, rule, store } = yield* rivals
      const keep = (...given: Parameters<Keep>) => Effect.andThen(kept.archive.keep(...given), rival)
      const fault = yield* Effect.flip(retain(store, { ...rule, archive: { ...kept.archive, keep } }))
      assert.deepStrictEqual([fault._tag, "operation" in fault && fault.operation], ["Unavailable", "retain"])
      assert.deepStrictEqual(yield* everyEvent(store, kept), before)
      assert.strictEqual(yield* firstOf(store, "a/1"), 6)
    }))

  it.effect("of two runs at once the earlier leaves nothing in the archive that the later didn't see there", () =>
    Effect.gen(function*() {
      const { before, kept, rival, rule, store } = yield* rivals
      const keep = (...[step, events]: Parameters<Keep>) =>
        Effect.gen(function*() {
          const all = yield* Stream.runCollect(events)
          yield* rival
          yield* kept.archive.keep(step, Stream.fromIterable(all))
        })
      yield* Effect.flip(retain(store, { ...rule, archive: { ...kept.archive, keep } }))
      assert.deepStrictEqual(yield* everyEvent(store, kept), before)
    }))

  it.effect("what several runs have left in the archive is voided by the one that comes to it", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* filled
      const kept = keptEvents()
      const before = yield* everyEvent(store, kept)
      const rule = { prefix: "", maxCount: 1 }
      // It dies with its first step archived and not removed.
      const dying = {
        ...kept.archive,
        keep: (...given: Parameters<typeof kept.archive.keep>) =>
          Effect.andThen(kept.archive.keep(...given), Effect.die("killed"))
      }
      // The next one doesn't come to voiding that.
      const away = { ...kept.archive, discard: () => Effect.fail("away" as const) }
      yield* Effect.exit(retain(store, { ...rule, archive: dying }))
      assert.strictEqual(kept.steps.size, 1)
      assert.strictEqual(yield* Effect.flip(retain(yield* makeStore(backend), { ...rule, archive: away })), "away")
      yield* retain(yield* makeStore(backend), { ...rule, archive: kept.archive })
      assert.deepStrictEqual(yield* everyEvent(store, kept), before)
    }))
})
