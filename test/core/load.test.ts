/** Snapshot plus tail: the same answer as a full replay whatever there is to begin with, and less to read. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  compact,
  deleteSnapshots,
  fold,
  Invalid,
  load,
  makeStore,
  project,
  saveSnapshot,
  type Scope,
  SnapshotPolicy,
  Unavailable
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { append, counted, entries, Ledger, memoryStore, overwrite, sum, upTo, warningsIn } from "./ledger.ts"

const never = { snapshots: SnapshotPolicy.never }

const scopes: ReadonlyArray<Scope> = [{ stream: "a" }, { streams: ["a", "b"] }, { prefix: "a" }, { all: true }]

describe("load", () => {
  it("snapshot plus tail is the full replay, at every split, for every scope", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "a/1"), fc.nat(9)), { minLength: 1, maxLength: 9 }),
        (history) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            for (const scope of scopes) {
              for (let split = 0; split <= history.length; split++) {
                const { store } = yield* memoryStore
                for (const [stream, n] of history.slice(0, split)) yield* append(store, stream, n)
                const saved = yield* saveSnapshot(store, sum, scope)
                for (const [stream, n] of history.slice(split)) yield* append(store, stream, n)
                const [whole, short] = [
                  yield* project(store, sum, scope),
                  yield* load(store, sum, { ...scope, ...never })
                ]
                assert.deepStrictEqual(short.state, whole.state)
                assert.strictEqual(short.seq, whole.seq)
                assert.strictEqual(short.from?.key, saved?.key)
                const before = saved === undefined ? 0 : (yield* project(store, sum, {
                  ...scope,
                  asOf: { position: saved.position }
                })).replayed
                assert.strictEqual(short.replayed, whole.replayed - before)
              }
            }
          })))
      ),
      { numRuns: 25 }
    ))

  it("a snapshot changes no answer, as of whatever moment", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(9), fc.nat(3)), { minLength: 1, maxLength: 10 }),
        fc.nat(10),
        fc.nat(10),
        (history, first, second) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { store } = yield* memoryStore
            for (const [i, [stream, n, at]] of history.entries()) {
              yield* store.log().append(stream, { type: "Added", data: n, at }, { expected: "any" })
              if (i === first || i === second) { for (const scope of scopes) yield* saveSnapshot(store, sum, scope) }
            }
            const head = yield* store.head
            for (const scope of scopes) {
              const moments = [
                ...upTo(head).map((position) => ({ position })),
                ...[0, 1, 2, 3].map((at) => ({ at }))
              ]
              for (const asOf of moments) {
                const [whole, short] = [
                  yield* project(store, sum, { ...scope, asOf }),
                  yield* load(store, sum, { ...scope, asOf })
                ]
                assert.deepStrictEqual([short.state, short.position], [whole.state, whole.position])
              }
            }
            for (const seq of upTo(yield* store.log().lastSeq("a"))) {
              const asOf = { stream: "a", asOf: { seq } }
              assert.deepStrictEqual((yield* load(store, sum, asOf)).state, (yield* project(store, sum, asOf)).state)
            }
          })))
      ),
      { numRuns: 40 }
    ))

  it.effect("reads the snapshot's last event and the tail, not the rest", () =>
    Effect.gen(function*() {
      const counting = counted(yield* makeMemory())
      const store = yield* makeStore(counting.backend)
      yield* append(store, "a", ...upTo(50))
      yield* append(store, "b", ...upTo(50))
      for (const scope of scopes) {
        yield* saveSnapshot(store, sum, scope)
        counting.events = 0
        const { replayed } = yield* load(store, sum, scope)
        assert.strictEqual(replayed, 0)
        assert.isAtMost(counting.events, 2)
        assert.isAbove(counting.events, 0)
      }
      yield* append(store, "a", 1, 2, 3)
      for (const scope of scopes) {
        counting.events = 0
        assert.strictEqual((yield* load(store, sum, { ...scope, ...never })).replayed, 3)
        assert.isAtMost(counting.events, 5)
      }
    }))

  it.effect("as of the very moment of a snapshot there is nothing to replay", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      for (const scope of scopes) yield* saveSnapshot(store, sum, scope)
      yield* append(store, "a", ...upTo(4))
      assert.strictEqual((yield* load(store, sum, { stream: "a", asOf: { seq: 4 } })).replayed, 0)
      for (const scope of [{ prefix: "a" }, { all: true }] as const) {
        assert.strictEqual((yield* load(store, sum, { ...scope, asOf: { position: 4 } })).replayed, 0)
      }
    }))

  it.effect("a snapshot of a deleted stream isn't used, nor after it was begun again", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* saveSnapshot(store, sum, { stream: "a" })
      yield* store.log().delete("a", { expected: "any" })
      const refusal = Effect.flip(load(store, sum, { stream: "a" }))
      assert.instanceOf((yield* warningsIn(refusal)).value, Invalid)
      yield* append(store, "a", 9)
      assert.instanceOf((yield* warningsIn(refusal)).value, Invalid)
      const { value } = yield* warningsIn(load(store, sum, { stream: "a", allowTruncated: true }))
      const left = yield* Stream.runCollect(store.log(Ledger).readAll())
      assert.deepStrictEqual([value.state, value.from], [fold(sum, left), undefined])
    }))

  it.effect("a snapshot doesn't stand in for what was truncated or deleted after it", () =>
    Effect.gen(function*() {
      for (const scope of [{ prefix: "a" }, { all: true }] as const) {
        for (const before of [3, 6]) {
          const { store } = yield* memoryStore
          yield* append(store, "a", ...upTo(5))
          yield* saveSnapshot(store, sum, scope)
          yield* append(store, "a2", ...upTo(5))
          if (before === 6) yield* store.log().delete("a2", { expected: "any" })
          else yield* store.log().truncate("a2", before)
          assert.instanceOf(yield* Effect.flip(load(store, sum, { ...scope, ...never })), Invalid)
          yield* deleteSnapshots(store, { force: true })
          assert.instanceOf(yield* Effect.flip(load(store, sum, { ...scope, ...never })), Invalid)
        }
      }
    }))

  it.effect("a snapshot stands in for what was truncated of its events", () =>
    Effect.gen(function*() {
      for (const scope of [{ prefix: "a" }, { all: true }] as const) {
        const { store } = yield* memoryStore
        yield* append(store, "a", ...upTo(5))
        yield* append(store, "a2", ...upTo(5))
        yield* saveSnapshot(store, sum, scope)
        yield* append(store, "a", 6)
        const { state } = yield* project(store, sum, scope)
        // Of stream a an event of the snapshot stays; of a2, which the snapshot ends with, none.
        yield* store.log().truncate("a", 3)
        yield* store.log().delete("a2", { expected: "any" })
        const loaded = yield* load(store, sum, { ...scope, ...never })
        assert.deepStrictEqual([loaded.state, loaded.replayed], [state, 1])
      }
    }))

  it.effect("a snapshot stands in for what was compacted, though all that stays came after it", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", ...upTo(5))
      yield* append(store, "a2", 1)
      yield* saveSnapshot(store, sum, { all: true })
      yield* append(store, "a", 6)
      const { state } = yield* project(store, sum, { all: true })
      assert.strictEqual((yield* compact(store, { projection: sum, stream: "a" })).first, 6)
      assert.deepStrictEqual((yield* load(store, sum, { all: true, ...never })).state, state)
    }))

  it.effect("a stream deleted while all of them are being read stops the replay, and nothing is saved", () =>
    Effect.gen(function*() {
      for (const scope of [{ prefix: "a" }, { all: true }] as const) {
        const { backend, store } = yield* memoryStore
        yield* append(store, "a", ...upTo(5))
        yield* append(store, "a1", ...upTo(5))
        let deleted = false
        const racing = yield* makeStore({
          ...backend,
          readAll: (range) => {
            if (deleted) return backend.readAll(range)
            deleted = true
            const deletion = Effect.orDie(store.log().delete("a", { expected: "any" }))
            return Effect.andThen(deletion, backend.readAll(range))
          }
        })
        const loading = load(racing, sum, { ...scope, snapshots: SnapshotPolicy.every(1) })
        assert.instanceOf(yield* Effect.flip(loading), Invalid)
        assert.isTrue(deleted)
        assert.deepStrictEqual(yield* entries(backend), [])
      }
    }))

  it.effect("what went over a hole is never saved", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      yield* store.log().truncate("a", 2)
      for (const scope of scopes) {
        yield* load(store, sum, { ...scope, allowTruncated: true, snapshots: SnapshotPolicy.every(1) })
      }
      assert.deepStrictEqual(yield* entries(backend), [])
    }))

  it.effect("a save that fails is a warning, and the load succeeds", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      let full = false
      const store = yield* makeStore({
        ...memory,
        commit: (batch) =>
          full
            ? Effect.fail(new Unavailable({ operation: "commit", reason: "disk full", remedy: "make room" }))
            : memory.commit(batch)
      }, { retries: 0 })
      yield* append(store, "a", 1, 2)
      full = true
      const { value, warnings } = yield* warningsIn(
        load(store, sum, { stream: "a", snapshots: SnapshotPolicy.every(1) })
      )
      assert.deepStrictEqual([value.state.seen, value.replayed], [2, 2])
      assert.deepStrictEqual(warnings, ["a snapshot could not be saved"])
    }))

  it.effect("interrupting a save interrupts: it isn't taken for a failed one", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const store = yield* makeStore(memory)
      yield* append(store, "a", 1)
      const asked = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const slow = yield* makeStore({
        ...memory,
        commit: (batch) =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(Deferred.await(go)),
            Effect.andThen(memory.commit(batch))
          )
      })
      const fiber = yield* Effect.forkChild(
        warningsIn(load(slow, sum, { stream: "a", snapshots: SnapshotPolicy.every(1) }))
      )
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      yield* Deferred.succeed(go, undefined)
      assert.isTrue(Exit.hasInterrupts(exit))
    }))

  it.effect("falls back on the older snapshot where the newest is corrupt", () =>
    Effect.gen(function*() {
      const { backend, store } = yield* memoryStore
      yield* append(store, "a", ...upTo(4))
      const older = yield* saveSnapshot(store, sum, { stream: "a" })
      yield* append(store, "a", ...upTo(4))
      const newest = yield* saveSnapshot(store, sum, { stream: "a" })
      assert.isDefined(newest)
      yield* overwrite(backend, newest.key, "broken")
      const { value } = yield* warningsIn(load(store, sum, { stream: "a", ...never }))
      assert.deepStrictEqual([value.from?.key, value.replayed], [older?.key, 4])
    }))
})
