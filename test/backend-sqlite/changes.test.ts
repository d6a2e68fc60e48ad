/** Wake-ups: none is lost, whoever committed, and nothing looks while nobody listens. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import { type BackendShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { afterEach, vi } from "vitest"
import { appendOf, commitOf, errorOf, newPath } from "./place.ts"

/** Opens the changes of a handle: each run waits for the next wake-up. */
const listen = (backend: BackendShape) =>
  Effect.map(Stream.toPull(backend.changes), (pull) => Effect.asVoid(Pull.catchDone(pull, () => Effect.die("ended"))))

/** Runs until the head is what it should be, reading again at each wake-up. */
const until = Effect.fnUntraced(function*(backend: BackendShape, woken: Effect.Effect<void, unknown>, head: number) {
  while ((yield* backend.head) < head) yield* woken
})

describe("changes", () => {
  it.live("emit once when opened, and then for every commit of this handle, however late they are pulled", () =>
    Effect.gen(function*() {
      const backend = yield* make({ path: yield* newPath })
      const woken = yield* listen(backend)
      yield* woken
      for (let n = 1; n <= 5; n++) {
        yield* backend.commit([appendOf("s", "1")])
        yield* woken
      }
      const waiting = yield* Effect.forkChild(woken, { startImmediately: true })
      yield* backend.commit([appendOf("s", "1")])
      yield* backend.commit([appendOf("s", "1")])
      yield* Fiber.join(waiting)
    }))

  it.live("tell of the commits of another handle, those before the first pull included", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const backend = yield* make({ path })
      const other = yield* make({ path })
      const woken = yield* listen(backend)
      yield* woken
      for (let n = 1; n <= 5; n++) {
        yield* other.commit([commitOf({ write: [{ _tag: "Delete", namespace: "n", key: "k" }] })])
        yield* until(backend, woken, n)
      }
      const late = yield* listen(backend)
      yield* other.commit([appendOf("s", "1")])
      yield* late
      yield* until(backend, late, 6)
    }))

  it.live("wake a readonly handle", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const writer = yield* make({ path })
      const reader = yield* make({ path, readonly: true })
      const woken = yield* listen(reader)
      yield* woken
      yield* writer.commit([appendOf("s", "1")])
      yield* until(reader, woken, 1)
    }))

  it.live("wake who listens when the handle closes, so that the next read says so", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const backend = yield* Scope.provide(make({ path: yield* newPath }), scope)
      const opened = yield* Deferred.make<void>()
      let wakes = 0
      const following = yield* Effect.forkChild(
        errorOf(Stream.runForEach(backend.changes, () => {
          wakes++
          return Effect.andThen(backend.head, Deferred.succeed(opened, undefined))
        })),
        { startImmediately: true }
      )
      yield* Deferred.await(opened)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(following)
      assert.strictEqual(error.message, "head: the store is closed; open it again")
      assert.strictEqual(wakes, 2)
      // Nor does a closed handle begin to look again.
      const [first] = yield* Stream.runCollect(Stream.take(backend.changes, 1))
      assert.isUndefined(first)
    }))
})

describe("the poll", () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it.live("runs from the first listener to the last, at its interval, and ends with the handle", () =>
    Effect.gen(function*() {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
      const scope = yield* Scope.make()
      const path = yield* newPath
      const backend = yield* Scope.provide(make({ path, pollInterval: 50 }), scope)
      const other = yield* make({ path })
      yield* Effect.flatten(Effect.flatMap(make({ path: ":memory:" }), listen))
      assert.strictEqual(vi.getTimerCount(), 0)
      const [one, two] = [yield* Scope.make(), yield* Scope.make()]
      const woken = yield* Scope.provide(listen(backend), one)
      yield* woken
      yield* Scope.provide(Effect.flatten(listen(backend)), two)
      assert.strictEqual(vi.getTimerCount(), 1)
      const waiting = yield* Effect.forkChild(woken, { startImmediately: true })
      vi.advanceTimersByTime(500)
      yield* other.commit([appendOf("s", "1")])
      vi.advanceTimersByTime(49)
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      vi.advanceTimersByTime(1)
      yield* Fiber.join(waiting)
      yield* Scope.close(one, Exit.void)
      assert.strictEqual(vi.getTimerCount(), 1)
      yield* Scope.close(two, Exit.void)
      assert.strictEqual(vi.getTimerCount(), 0)
      yield* Effect.flatten(listen(backend))
      assert.strictEqual(vi.getTimerCount(), 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(vi.getTimerCount(), 0)
    }))
})
