/** What events say of where they came from: the span that appended them, where anybody traces, and what caused them. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { causedBy, type Event, makeStore, Seq, spanOf, type StoreShape, Unavailable } from "@persist/core"
import { isTraced, traceparentOf } from "@persist/core/trace"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { recorder } from "./recorder.ts"

const storeWith = (change: (about: StoreShape["about"]) => StoreShape["about"] = (about) => about) =>
  Effect.flatMap(makeMemory(), (backend) => makeStore({ ...backend, about: change(backend.about) }))

const paid = (meta?: Event["meta"]) => ({ type: "Paid", data: 1, meta })
const any = { expected: "any" } as const
const metas = (store: StoreShape) =>
  Effect.map(Stream.runCollect(store.log().readAll()), (events) => events.map(({ meta }) => meta))

describe("an append", () => {
  it.effect("that is traced has a span, which each of its events carries", () =>
    Effect.gen(function*() {
      const { ended, tracer } = recorder()
      const store = yield* storeWith()
      const { position } = yield* store.log().append("secret-7", [paid(), paid({ by: "ann" })], any).pipe(
        Effect.withSpan("request"),
        Effect.withTracer(tracer)
      )
      const [append, request] = ended
      assert.isDefined(append)
      assert.deepInclude(append, { name: "append", kind: "producer" })
      assert.strictEqual(append.traceId, request?.traceId)
      assert.strictEqual(append.attributes.get("messaging.batch.message_count"), 2)
      assert.deepStrictEqual(append.attributes.get("persist.event.types"), ["Paid"])
      assert.strictEqual(append.attributes.get("persist.position"), position)
      assert.notInclude(JSON.stringify([...append.attributes]), "secret")
      const traceparent = `00-${append.traceId}-${append.spanId}-01`
      assert.deepStrictEqual(yield* metas(store), [{ traceparent }, { by: "ann", traceparent }])
      const [event] = yield* Stream.runCollect(store.log().readAll())
      assert.deepInclude(event === undefined ? {} : spanOf(event), { traceId: append.traceId, spanId: append.spanId })
    }))

  it.effect("stores what it was given where nobody traces, tracing is off, or the span isn't recorded", () =>
    Effect.gen(function*() {
      const { ended, tracer } = recorder()
      const store = yield* storeWith()
      const append = store.log().append("a", paid(), any)
      yield* Effect.withSpan(append, "unseen")
      yield* Effect.withTracer(append, Tracer.nativeTracer)
      yield* append.pipe(Effect.withSpan("off"), Effect.withTracerEnabled(false), Effect.withTracer(tracer))
      assert.deepStrictEqual(ended, [])
      yield* append.pipe(Effect.withSpan("unsampled", { sampled: false }), Effect.withTracer(tracer))
      assert.deepStrictEqual(yield* metas(store), [undefined, undefined, undefined, undefined])
      assert.isFalse(yield* Effect.withFiber((fiber) => Effect.succeed(isTraced(fiber))))
    }))

  it.effect("leaves a traceparent that an event has by itself, wherever else in its meta the word is", () =>
    Effect.gen(function*() {
      const store = yield* storeWith()
      const own = { traceparent: "mine" }
      const nested = { of: { traceparent: "theirs" }, $version: 3 }
      yield* Effect.withTracer(store.log().append("a", [paid(own), paid(nested)], any), recorder().tracer)
      const [first, second] = yield* metas(store)
      assert.deepStrictEqual(first, own)
      assert.deepInclude(second, nested)
      assert.match(JSON.stringify(second), /"traceparent":"00-/)
    }))

  it.effect("is the same under its id whatever span it's in", () =>
    Effect.gen(function*() {
      const store = yield* storeWith()
      const append = store.log().append("a", paid(), { expected: 0, id: "once" })
      const first = yield* Effect.withTracer(append, recorder().tracer)
      const again = yield* Effect.withTracer(append, recorder().tracer)
      const bare = yield* append
      assert.deepStrictEqual([first, again, bare].map((one) => one._tag === "Committed" && one.repeated), [
        false,
        true,
        true
      ])
      assert.strictEqual((yield* metas(store)).length, 1)
    }))

  it.effect("is never refused for being traced: not by a store without meta, nor at its limits", () =>
    Effect.gen(function*() {
      const { tracer } = recorder()
      const bare = yield* storeWith((about) => ({ ...about, lacks: new Set(["meta"] as const) }))
      yield* Effect.withTracer(bare.log().append("a", paid(), any), tracer)
      for (const limit of ["commitBytes", "payloadBytes"] as const) {
        const tight = yield* storeWith((about) => ({ ...about, limits: { ...about.limits, [limit]: 60 } }))
        yield* Effect.withTracer(tight.log().append("a", paid(), any), tracer)
        assert.deepStrictEqual(yield* metas(tight), [undefined])
      }
      assert.deepStrictEqual(yield* metas(bare), [undefined])
    }))

  it.effect("that meets a conflict, or fails, says so in its span", () =>
    Effect.gen(function*() {
      const { ended, tracer } = recorder()
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* Effect.withTracer(store.log().append("a", paid(), { expected: 7 }), tracer)
      assert.strictEqual(ended[0]?.attributes.get("persist.conflict"), true)
      const away = new Unavailable({ operation: "commit", reason: "nobody answers", remedy: "try again" })
      const broken = yield* makeStore({ ...memory, commit: () => Effect.fail(away) }, { retries: 0 })
      yield* Effect.withTracer(Effect.ignore(broken.log().append("a", paid(), any)), tracer)
      const { status } = ended[1] ?? {}
      assert.isTrue(status?._tag === "Ended" && Exit.isFailure(status.exit))
    }))
})

describe("a commit that appends nothing", () => {
  it.effect("has a span where it belongs to a trace, and none by itself", () =>
    Effect.gen(function*() {
      const { ended, tracer } = recorder()
      const store = yield* storeWith()
      const put = store.kv("settings").put("theme", "dark")
      yield* Effect.withTracer(put, tracer)
      assert.deepStrictEqual(ended, [])
      yield* put.pipe(Effect.withSpan("request"), Effect.withTracer(tracer))
      assert.deepStrictEqual(ended.map(({ kind, name }) => [name, kind]), [["commit", "client"], [
        "request",
        "internal"
      ]])
    }))
})

describe("the drafts of transactions", () => {
  it.effect("carry the caller's span", () =>
    Effect.gen(function*() {
      const { tracer } = recorder()
      const store = yield* storeWith()
      const ops = [store.log().ops.append("a", paid(), any)]
      const traced = yield* store.engine.draft(ops).pipe(Effect.withSpan("request"), Effect.withTracer(tracer))
      assert.match(traced.append[0]?.events[0].meta ?? "", /traceparent/)
      assert.isUndefined((yield* Effect.withTracer(store.engine.draft(ops), tracer)).append[0]?.events[0].meta)
    }))
})

describe("traceparent", () => {
  it("is read as W3C Trace Context has it, and nothing else is taken for one", () => {
    const [traceId, spanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"]
    const of = (traceparent: string) => spanOf({ meta: { traceparent } })?.spanId
    const span = Tracer.externalSpan({ traceId, spanId })
    assert.strictEqual(of(traceparentOf(span) ?? ""), spanId)
    assert.strictEqual(of(`cc-${traceId}-${spanId}-03-what-comes-later`), spanId)
    for (
      const wrong of [
        "",
        `00-${traceId}-${spanId}-00`,
        `ff-${traceId}-${spanId}-01`,
        `00-${"0".repeat(32)}-${spanId}-01`,
        `00-${traceId}-${"0".repeat(16)}-01`,
        `00-${traceId.toUpperCase()}-${spanId}-01`,
        `00-${traceId}-${spanId}-01x`
      ]
    ) assert.isUndefined(of(wrong), wrong)
    assert.isUndefined(spanOf({ meta: undefined }))
    assert.isUndefined(traceparentOf(Tracer.externalSpan({ traceId: "not hex", spanId })))
  })
})

describe("causedBy", () => {
  it("names the event, and hands on what belongs together, which the first one names", () => {
    const first = { stream: "order-7", seq: Seq(1), id: undefined, meta: undefined }
    const named = { ...first, id: "e1", meta: { correlationId: "c1", by: "ann" } }
    assert.deepStrictEqual(causedBy(first), { correlationId: "order-7/1", causationId: "order-7/1" })
    assert.deepStrictEqual(causedBy(named), { correlationId: "c1", causationId: "e1" })
    assert.deepStrictEqual(causedBy({ ...first, meta: { correlationId: 7 } }).correlationId, "order-7/1")
  })
})
