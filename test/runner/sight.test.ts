/** What the work of processors lets others see: spans that link back to appends, what caused what, and counters. */
import { assert, describe, it } from "@effect/vitest"
import { Catalogue, type Event, type EventInput, type StoreShape } from "@persist/core"
import { health, reaction, retryParked, run, subscription, workflow } from "@persist/runner"
import { withCausation } from "@persist/runner/origin"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import { recorder } from "../core/recorder.ts"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const eventsOf = (store: StoreShape, stream: string): Effect.Effect<ReadonlyArray<Event>, unknown> =>
  Stream.runCollect(store.log().read(stream))

const linked = ({ links }: Tracer.Span) => links.map(({ span }) => span.spanId)

const processing = (name: string) => (span: Tracer.Span) => span.name === `process ${name}`

describe("the span of what a processor does", () => {
  it.live("is a trace of its own that links to the spans which appended what it handled, each once", () =>
    Effect.gen(function*() {
      const [there, here] = [recorder(), recorder()]
      const store = yield* newStore
      const log = store.log(Counted)
      const one = { type: "Counted", data: { n: 1 } } as const
      const append = (events: ReadonlyArray<typeof one>) =>
        Effect.withTracer(log.append("order-1", events, { expected: "any" }), there.tracer)
      yield* append([one, one])
      yield* append([one])
      yield* log.append("order-1", one, { expected: "any" })
      const copies = reaction({
        name: "copies",
        events: Counted,
        prefix: "order-",
        handle: (events) => Effect.succeed([log.ops.append("copy", events.map(() => one), { expected: "any" })])
      })
      yield* Effect.forkChild(
        run(store, [copies], quick).pipe(Effect.withSpan("the runner"), Effect.withTracer(here.tracer))
      )
      const span = yield* until(
        Effect.sync(() => here.ended.find(processing("copies"))),
        (found) => found !== undefined
      )
      assert.isDefined(span)
      assert.strictEqual(span.kind, "consumer")
      assert.strictEqual(span.parent._tag, "None")
      assert.strictEqual(span.attributes.get("messaging.batch.message_count"), 4)
      assert.deepStrictEqual(linked(span), there.ended.map(({ spanId }) => spanId))
      assert.deepStrictEqual(span.links.map(({ attributes }) => attributes["persist.position"]), [1, 3])
      // What it appended is part of that trace, and leads on.
      const appended = here.ended.find(({ name }) => name === "append")
      assert.strictEqual(appended?.traceId, span.traceId)
      const [copy] = yield* eventsOf(store, "copy")
      assert.include(JSON.stringify(copy?.meta), appended?.spanId ?? "no span")
      // Signs of life are part of no trace, the caller's or another.
      const traces = new Set(here.ended.filter(processing("copies")).map(({ traceId }) => traceId))
      for (const { name, traceId } of here.ended) assert.isTrue(traces.has(traceId), name)
    }))

  it.live("links to 128 spans at most, is a failure where an event failed, and is there for what is tried again", () =>
    Effect.gen(function*() {
      const { ended, tracer } = recorder()
      const store = yield* newStore
      yield* Effect.withTracer(fill(store, 140, 1), recorder().tracer)
      let broken = true
      const picky = subscription({
        name: "picky",
        events: Counted,
        failure: { retries: 0, finally: "park" },
        handle: ({ stream }) => Effect.suspend(() => broken && stream === "order-139" ? Effect.fail("no") : Effect.void)
      })
      yield* Effect.forkChild(Effect.withTracer(run(store, [picky], quick), tracer))
      const sick = yield* until(health(store), ({ processors: [one] }) => one?.parked === 1)
      const failed = ended.find(processing("picky"))
      assert.strictEqual(failed?.links.length, 128)
      assert.isTrue(failed?.status._tag === "Ended" && Exit.isFailure(failed.status.exit))
      broken = false
      const [parked] = yield* eventsOf(store, "order-139")
      yield* retryParked(store, "picky", parked?.position ?? sick.head)
      yield* until(health(store), ({ processors: [one] }) => one?.parked === 0)
      const again = yield* until(Effect.sync(() => ended.findLast(processing("picky"))), (span) => span !== failed)
      assert.strictEqual(again?.attributes.get("persist.position.first"), parked?.position)
      assert.strictEqual(again === undefined ? 0 : linked(again).length, 1)
    }))
})

const Order = Catalogue.make({ Placed: Schema.Struct({ wait: Schema.Number }), Reminded: Schema.Struct({}) })

const reminding = workflow({
  name: "reminding",
  events: Order,
  types: ["Placed"],
  correlate: ({ stream }) => stream,
  state: Schema.Struct({ stream: Schema.String }),
  seed: { stream: "" },
  commands: Order,
  step: (state, happened) => {
    const remind = (stream: string, meta: Event["meta"]) => [
      { stream: `${stream}-reminders`, events: [{ type: "Reminded", data: {}, meta } as const] }
    ]
    if (happened.type === "$timer") return { state: undefined, commands: remind(state.stream, undefined) }
    if (happened.type !== "Placed") return { state }
    return {
      state: { stream: happened.stream },
      commands: remind(happened.stream, { by: "the workflow", causationId: "its own" }),
      timers: { due: happened.at + happened.data.wait }
    }
  }
})

describe("what a workflow commands", () => {
  it.live("says what caused it, also where a timer ran out in between, unless it says so itself", () =>
    Effect.gen(function*() {
      const [there, here] = [recorder(), recorder()]
      const store = yield* newStore
      const placed = { type: "Placed", data: { wait: 1 }, id: "p1", meta: { correlationId: "c1" } } as const
      yield* Effect.withTracer(store.log(Order).append("a", placed, { expected: 0 }), there.tracer)
      // Nobody traced this one, and it isn't reminded of.
      yield* store.log(Order).append("b", { type: "Placed", data: { wait: 3_600_000 } }, { expected: 0 })
      yield* Effect.forkChild(Effect.withTracer(run(store, [reminding], quick), here.tracer))
      const [first, second] = yield* until(eventsOf(store, "a-reminders"), ({ length }) => length === 2)
      assert.deepInclude(first?.meta, { by: "the workflow", correlationId: "c1", causationId: "its own" })
      assert.deepInclude(second?.meta, { correlationId: "c1", causationId: "p1" })
      // Both were handled together, then the timer. A span ends after its commit.
      const spans = yield* until(
        Effect.sync(() => here.ended.filter(processing("reminding"))),
        ({ length }) => length === 2
      )
      const appended = there.ended.map(({ spanId }) => spanId)
      assert.deepStrictEqual(spans.map(linked), [appended, appended])
    }))

  it.effect("says nothing of it in a store without meta; and what is no event stays that", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const bare = { ...store, about: { ...store.about, lacks: new Set(["meta"] as const) } }
      const causation = { correlationId: "c", causationId: "e" }
      const event: EventInput = { type: "T", data: 1 }
      assert.strictEqual(withCausation(bare, event, causation), event)
      assert.deepStrictEqual(withCausation(store, event, causation), { ...event, meta: causation })
      const wrong = { ...event, meta: [] as unknown as Event["meta"] } // What no types keep from coming.
      assert.strictEqual(withCausation(store, wrong, causation), wrong)
    }))
})

describe("counters", () => {
  it.live("count what this process has handled, and what failed", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 2, 3)
      let tries = 0
      const hard = subscription({
        name: "hard",
        events: Counted,
        failure: { retries: 5, delay: 1 },
        handle: ({ data }) => Effect.suspend(() => data.n === 2 && tries++ < 2 ? Effect.fail("not yet") : Effect.void)
      })
      yield* Effect.forkChild(run(store, [hard], quick))
      yield* until(
        health(store),
        ({ processors: [one] }) => one?.partitions[0]?.position === 6 || one?.healthy === true
      )
      const counted = until(
        Metric.snapshot,
        (all) => all.some(({ id, state }) => id === "persist.processor.events" && "count" in state && state.count === 6)
      )
      const failures = (yield* counted).find(({ id }) => id === "persist.processor.failures")
      assert.deepInclude(failures?.attributes, { processor: "hard", partition: "0" })
      assert.deepInclude(failures?.state, { count: 2 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})
