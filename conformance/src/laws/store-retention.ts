/** Laws of retention: a rule takes what it says and nothing else, nobody loses what they need, nothing gets lost. */
import { type Archive, type Event, type RetentionCut, type RetentionRule, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { equal, holds } from "../assertion.ts"
import type { Core } from "../core.ts"
import type { Need } from "../law.ts"
import { at, dataOf, failing, untyped } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store retention")
const needs: ReadonlyArray<Need> = ["atomic", "truncate", "streams", "scan"]

const now = 1000

/** Appends one event for each time, of which it's also the data. */
const appendAt = (store: StoreShape, stream: string, ...times: ReadonlyArray<number>) =>
  store.log().append(stream, times.map((time) => ({ type: "T", data: time, at: time })), { expected: "any" })

const planned = (core: Core, store: StoreShape, rule: RetentionRule) =>
  at(now, Stream.runCollect(core.planRetention(store, rule)))

const firstOf = (store: StoreShape, stream: string) =>
  Effect.map(store.log().info(stream), (info) => Number(info?.first))

const shown = ({ boundedBy: by, first, held, removed, stream }: RetentionCut): string =>
  `${stream} ${removed}-${held} ${first} ${by._tag === "Reader" ? by.name : by._tag}`

/** An archive in memory. */
const keeping = () => {
  const steps = new Map<string, ReadonlyArray<Event>>()
  const archive: Archive = {
    keep: (step, events) =>
      Effect.map(Stream.runCollect(events), (all) => {
        steps.set(step, all)
      }),
    discard: (step) =>
      Effect.sync(() => {
        steps.delete(step)
      })
  }
  return { archive, dataIn: () => [...steps.keys()].sort().flatMap((step) => steps.get(step) ?? []) }
}

/** Laws of retention. */
export const storeRetention = [
  law(
    "a rule takes from the front what any of its limits lets go, of its streams alone, and they number on",
    needs,
    function*(
      store,
      { core }
    ) {
      const cases: ReadonlyArray<readonly [Omit<RetentionRule, "prefix">, number]> = [
        [{ maxCount: 2 }, 4],
        [{ maxCount: 5 }, 1],
        // The third is young, and the older ones stay behind it.
        [{ maxAge: 500 }, 3],
        [{ before: { at: 200 } }, 2],
        [{ before: { seq: 4 } }, 4],
        [{ before: { seq: 9 } }, 6],
        [{ maxCount: 1, before: { seq: 4 } }, 5]
      ]
      for (const [i, [limits, first]] of cases.entries()) {
        const stream = `a${i}`
        yield* appendAt(store, stream, 100, 200, 600, 300, 400)
        yield* appendAt(store, `b${i}`, 100, 200)
        const { events } = yield* at(now, core.retain(store, { prefix: stream, ...limits }))
        yield* equal(`events removed by ${JSON.stringify(limits)}`, events, first - 1)
        yield* equal(`first left by ${JSON.stringify(limits)}`, yield* firstOf(store, stream), first)
        yield* equal("first of a stream beside it", yield* firstOf(store, `b${i}`), 1)
        const next = yield* appendAt(store, stream, now)
        yield* equal("the next seq", Number(next.first), 6)
      }
      const { position } = yield* appendAt(store, "c", 1, 2)
      yield* appendAt(store, "c", 3)
      yield* core.retain(store, { prefix: "c", before: { position } })
      yield* equal("what is left from a position on", yield* dataOf(store, "c"), [2, 3])
    }
  ),

  law("retention leaves every registered reader what it has yet to read", needs, function*(store, { core }) {
    yield* appendAt(store, "a", 1, 2, 3)
    const { position } = yield* appendAt(store, "a", 4)
    yield* appendAt(store, "a", 5, 6)
    yield* appendAt(store, "b", 1, 2)
    yield* core.registerReader(store, "slow", { from: { position }, prefix: "a" })
    yield* core.registerReader(store, "fast", { from: "end" })
    yield* core.registerReader(store, "elsewhere", { prefix: "c" })
    const rule = { prefix: "", before: { seq: 9 } }
    yield* equal("what is planned", (yield* planned(core, store, rule)).map(shown), ["a 4-2 5 slow", "b 2-0 3 Rule"])
    yield* equal("what is done", yield* core.retain(store, rule), { streams: 2, events: 6, held: 2 })
    yield* equal("what the slow one has yet to read", yield* dataOf(store, "a"), [5, 6])
  }),

  law("a reader that comes while retention archives loses nothing by it", needs, function*(store, { core }) {
    yield* appendAt(store, "a", 1, 2, 3)
    const { archive, dataIn } = keeping()
    let come = false
    const late: Archive = {
      ...archive,
      keep: (step, events) =>
        Effect.tap(
          archive.keep(step, events),
          Effect.suspend(() => {
            if (come) return Effect.void
            come = true
            return Effect.orDie(Effect.asVoid(core.registerReader(store, "late")))
          })
        )
    }
    const retained = yield* core.retain(store, { prefix: "a", maxCount: 1, archive: late })
    yield* holds(come, "nothing was archived")
    yield* equal("what is done", retained, { streams: 0, events: 0, held: 2 })
    yield* equal("what is left to it", yield* dataOf(store, "a"), [1, 2, 3])
    yield* equal("what the archive has", dataIn().length, 0)
  }),

  law("what retention removes is in the archive, once, whatever ended a run before", needs, function*(store, { core }) {
    for (const stream of ["a", "b"]) yield* appendAt(store, stream, 1, 2, 3, 4)
    const { archive, dataIn } = keeping()
    // One that has kept a step and doesn't say so.
    const torn: Archive<"torn"> = {
      ...archive,
      keep: (step, events) => Effect.andThen(archive.keep(step, events), Effect.fail("torn" as const))
    }
    yield* Effect.flip(core.retain(store, { prefix: "", maxCount: 3, archive: torn }))
    yield* equal("what is left after it", yield* dataOf(store, "a"), [1, 2, 3, 4])
    yield* core.retain(store, { prefix: "", maxCount: 2, archive })
    yield* core.retain(store, { prefix: "b", maxCount: 1, archive })
    const kept = dataIn().map(({ data, stream }) => `${stream}${String(data)}`)
    yield* equal("what the archive has", kept, ["a1", "a2", "b1", "b2", "b3"])
    yield* equal("what is left", [yield* dataOf(store, "a"), yield* dataOf(store, "b")], [[3, 4], [4]])
  }),

  law("a plan of retention changes nothing, and is what is done then", needs, function*(store, { core }) {
    for (const stream of ["a", "b"]) yield* appendAt(store, stream, 1, 2, 3)
    const rule = { prefix: "a", maxCount: 1 }
    const head = yield* store.head
    const plan = yield* planned(core, store, rule)
    yield* equal("the plan", plan.map(shown), ["a 2-0 3 Rule"])
    yield* equal("head", yield* store.head, head)
    const told: Array<RetentionCut> = []
    const each = (cuts: ReadonlyArray<RetentionCut>) => Effect.sync(() => void told.push(...cuts))
    yield* core.retain(store, { ...rule, each })
    yield* equal("what was told of the run", told, plan)
  }),

  law("a retention rule that is wrong in any part is refused by that part's name", needs, function*(store, { core }) {
    yield* appendAt(store, "a", 1, 2, 3)
    const head = yield* store.head
    const cases: ReadonlyArray<readonly [object, string]> = [
      [{ maxCount: 1 }, "prefix"],
      [{ prefix: "a" }, "rule"],
      [{ prefix: "a", maxCount: 0 }, "maxCount"],
      [{ prefix: "a", maxAge: "30d" }, "maxAge"],
      [{ prefix: "a", before: 3 }, "before"],
      [{ prefix: "a", before: { seq: -1 } }, "before.seq"],
      [{ prefix: "a", maxCount: 1, archive: {} }, "archive"],
      [{ prefix: "a", maxCount: 1, dryRun: true }, "dryRun"]
    ]
    for (const [rule, field] of cases) {
      yield* failing(JSON.stringify(rule), core.retain(store, untyped(rule)), "Invalid", field)
    }
    yield* equal("head after all of them", yield* store.head, head)
  })
]
