/** Group commit: who shares a flush, what interruption and failure leave behind, and how the store closes. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, OutcomeUnknown, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { appendOne, gatedStore, makeGate, now } from "./gate.ts"

const refused = new Unavailable({ operation: "commit", reason: "the disk is away", remedy: "try again" })
const unknown = new OutcomeUnknown({ id: undefined, reason: "the reply was lost" })

describe("committer", () => {
  it.effect("an idle store commits at once and alone", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore()
      const fiber = yield* Effect.forkChild(appendOne(log, "a"), now)
      assert.strictEqual((yield* gate.arrived).length, 1)
      yield* gate.open()
      assert.strictEqual((yield* Fiber.join(fiber)).last, 1)
    }))

  it.effect("64 appenders share the flush that follows the one in hand, each with its own result", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore()
      const first = yield* Effect.forkChild(appendOne(log, "first"), now)
      yield* gate.arrived
      const rest = yield* Effect.forEach(
        Array.from({ length: 64 }, (_, i) => `s${i % 8}`),
        (stream) => Effect.forkChild(appendOne(log, stream), now)
      )
      yield* gate.open()
      yield* gate.open()
      yield* Fiber.join(first)
      const results = yield* Effect.forEach(rest, (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(gate.batches.map((batch) => batch.length), [1, 64])
      assert.strictEqual(new Set(results.map(({ position }) => position)).size, 64)
      assert.deepStrictEqual(results.filter(({ stream }) => stream === "s3").map(({ last }) => Number(last)), [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8
      ])
    }))

  it.effect("interrupting a caller whose commit is being flushed lets it happen whole, and its neighbours too", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore()
      const mine = yield* Effect.forkChild(
        log.append("a", [{ type: "N", data: 1 }, { type: "N", data: 2 }], { expected: 0 }),
        now
      )
      const neighbour = yield* Effect.forkChild(appendOne(log, "b"), now)
      yield* gate.arrived
      yield* Fiber.interrupt(mine)
      yield* gate.open()
      yield* Fiber.join(neighbour)
      assert.strictEqual((yield* Stream.runCollect(log.read("a"))).length, 2)
    }))

  it.effect("a failed flush fails every commit of its batch and none of the next", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore({ retries: 0 })
      const both = yield* Effect.forEach(["a", "b"], (stream) =>
        Effect.forkChild(Effect.flip(appendOne(log, stream)), now))
      yield* gate.arrived
      const next = yield* Effect.forkChild(appendOne(log, "c"), now)
      yield* gate.open({ before: refused })
      yield* gate.open()
      assert.deepStrictEqual(
        (yield* Effect.forEach(both, (fiber) =>
          Fiber.join(fiber))).map(({ _tag }) => _tag),
        ["Unavailable", "Unavailable"]
      )
      yield* Fiber.join(next)
      assert.deepStrictEqual([yield* log.lastSeq("a"), yield* log.lastSeq("c")].map(Number), [0, 1])
    }))

  it.live("a batch that left nothing behind is sent again, a bounded number of times", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore({ retries: 2 })
      yield* gate.open({ before: refused })
      yield* gate.open()
      assert.strictEqual((yield* appendOne(log, "a")).last, 1)
      yield* Effect.forEach([1, 2, 3], () => gate.open({ before: refused }))
      assert.strictEqual((yield* Effect.flip(appendOne(log, "a")))._tag, "Unavailable")
      assert.strictEqual(gate.batches.length, 5)
    }))

  it.live("after a lost reply a commit with an id is sent again and happens once", () =>
    Effect.gen(function*() {
      const { gate, store, log } = yield* gatedStore()
      yield* gate.open({ after: unknown })
      yield* gate.open()
      const result = yield* log.append("a", { type: "N", data: 1 }, { expected: 0, id: "once" })
      assert.strictEqual(result._tag === "Committed" && result.repeated, true)
      assert.strictEqual(yield* log.lastSeq("a"), 1)
      assert.isTrue(Option.isSome(yield* store.resolve("once")))
    }))

  it.effect("after a lost reply a commit without an id is not sent again, and its error says what's known", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore()
      yield* gate.open({ after: unknown })
      const error = yield* Effect.flip(appendOne(log, "a"))
      assert.deepStrictEqual([error._tag, gate.batches.length], ["OutcomeUnknown", 1])
    }))

  it.live("each caller of a batch with an unknown outcome is told its own commit's id", () =>
    Effect.gen(function*() {
      const { gate, log } = yield* gatedStore({ retries: 0 })
      const fibers = yield* Effect.forEach(["x", "y"], (id) =>
        Effect.forkChild(Effect.flip(log.append(id, { type: "N", data: 1 }, { expected: "any", id })), now))
      yield* gate.open({ after: unknown })
      const errors = yield* Effect.forEach(fibers, (fiber) =>
        Fiber.join(fiber))
      assert.deepStrictEqual(errors.map((error) => error._tag === "OutcomeUnknown" && error.id), ["x", "y"])
    }))

  it.effect("a backend that dies fails its batch with the defect and the store goes on", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let broken = true
      const store = yield* makeStore({
        ...memory,
        commit: (batch) => Effect.suspend(() => broken ? Effect.die(new Error("bug")) : memory.commit(batch))
      })
      const exit = yield* Effect.exit(appendOne(store.log(), "a"))
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
      broken = false
      assert.strictEqual((yield* appendOne(store.log(), "a")).last, 1)
    }))

  it.effect("closing flushes what waits; afterwards every verb fails with Invalid", () =>
    Effect.gen(function*() {
      const gate = yield* makeGate
      const scope = yield* Scope.make("sequential")
      const store = yield* Scope.provide(makeStore(gate.backend), scope)
      const log = store.log()
      const inHand = yield* Effect.forkChild(appendOne(log, "a"), now)
      yield* gate.arrived
      const waiting = yield* Effect.forkChild(appendOne(log, "b"), now)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), now)
      yield* gate.open()
      yield* gate.open()
      yield* Fiber.join(closing)
      assert.deepStrictEqual([(yield* Fiber.join(inHand)).last, (yield* Fiber.join(waiting)).last].map(Number), [1, 1])
      const kv = store.kv("n")
      const calls = [
        appendOne(log, "c"),
        log.lastSeq("a"),
        Stream.runDrain(log.read("a")),
        Stream.runDrain(log.readAll()),
        Stream.runDrain(log.streams()),
        kv.get("k"),
        kv.put("k", 1),
        Stream.runDrain(kv.scan()),
        kv.count(),
        store.head,
        store.resolve("x"),
        Stream.runDrain(store.namespaces())
      ]
      const errors = yield* Effect.forEach(calls, (call) => Effect.flip(Effect.asVoid(call)))
      assert.strictEqual(errors.length, 12)
      for (const error of errors) {
        assert.deepStrictEqual([error._tag, error._tag === "Invalid" && error.field], ["Invalid", "store"])
      }
    }))

  it.effect("closing ends whoever follows", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make("sequential")
      const store = yield* Scope.provide(makeStore(yield* makeMemory()), scope)
      const kv = store.kv("n")
      const watching = yield* Effect.forkChild(Stream.runCollect(kv.watch({ after: 0 })), now)
      const waking = yield* Effect.forkChild(Stream.runCollect(store.changes), now)
      yield* kv.put("k", 1)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(waking)
      const exit = yield* Fiber.await(watching)
      assert.isTrue(Exit.isSuccess(exit) || !exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
    }))

  it.effect("an option left undefined has its default, a wrong one is refused at once", () =>
    Effect.gen(function*() {
      const unsaid: object = { batchCommits: undefined, waitingCommits: undefined, retries: undefined }
      const store = yield* makeStore(yield* makeMemory(), unsaid)
      assert.strictEqual((yield* appendOne(store.log(), "a")).last, 1)
      const wrong = [{ batchCommits: 0 }, { retries: -1 }, { retries: Number.NaN }, { waitingBytes: 0 }]
      for (const options of wrong) {
        const exit = yield* Effect.exit(Effect.flatMap(makeMemory(), (backend) => makeStore(backend, options)))
        assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
      }
    }))

  it.effect("a backend that throws fails its batch, and the store goes on", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let broken = true
      const store = yield* makeStore({
        ...memory,
        commit: (batch) => {
          if (broken) throw new Error("bug")
          return memory.commit(batch)
        }
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(appendOne(store.log(), "a"))))
      broken = false
      assert.strictEqual((yield* appendOne(store.log(), "a")).last, 1)
    }))

  it.effect("closing fails whoever waits for a position, instead of letting the read go on without it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make("sequential")
      const store = yield* Scope.provide(makeStore(yield* makeMemory()), scope)
      const waiting = yield* Effect.forkChild(Effect.flip(store.kv("n").get("k", { atLeast: 5 })), now)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(waiting)
      assert.deepStrictEqual([error._tag, error._tag === "Invalid" && error.field], ["Invalid", "store"])
    }))
})
