/** A store in PostgreSQL that is given another incarnation beneath a runner. */
import { assert, it } from "@effect/vitest"
import { make, renewIncarnation } from "@persist/backend-postgres"
import { makeStore } from "@persist/core"
import { adopt, run, subscription, whenProcessed } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { newPlace } from "../backend-postgres/place.ts"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, fill } from "./orders.ts"
import { quick } from "./until.ts"

it.live("ends the runner, and what is adopted goes on once the store is opened again", () =>
  Effect.gen(function*() {
    const place = yield* newPlace
    const given: Array<number> = []
    const noting = subscription({
      name: "noting",
      events: Counted,
      handle: ({ data }) => Effect.sync(() => given.push(data.n))
    })
    yield* Effect.scoped(Effect.gen(function*() {
      const store = yield* makeStore(yield* make(place))
      const running = yield* Effect.forkChild(run(store, [noting], quick))
      yield* fill(store, 1, 2)
      yield* whenProcessed(store, noting, yield* store.head)
      yield* renewIncarnation(place)
      const error = yield* errorOf(yield* Fiber.await(running))
      assert.strictEqual(error._tag, "Corrupt")
      assert.match(error.message, /given another incarnation.*; open it again/)
    }))
    const store = yield* makeStore(yield* make(place))
    yield* adopt(store, "noting")
    yield* fill(store, 1, 1, 3)
    yield* Effect.forkChild(run(store, [noting], quick))
    yield* whenProcessed(store, noting, yield* store.head)
    assert.deepStrictEqual(given, [1, 2, 3])
  }))
