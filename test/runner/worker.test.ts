/** One partition's run, from the side of whoever may have lost it without knowing. */
import { assert, describe, it } from "@effect/vitest"
import { moveCheckpoint } from "@persist/core"
import { subscription } from "@persist/runner"
import { policyOf } from "@persist/runner/failure"
import { Worker } from "@persist/runner/worker"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"

const only = { index: 0, of: 1 }

describe("whoever was overtaken", () => {
  for (const finally_ of ["stop", "park"] as const) {
    it.live(`and then fails is fenced, and doesn't ${finally_}: others have made what it fails at`, () =>
      Effect.gen(function*() {
        const store = yield* newStore
        yield* fill(store, 1, 3)
        const [asked, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const failure = { retries: 0, finally: finally_ }
        const processor = subscription({
          name: "slow",
          events: Counted,
          failure,
          handle: () =>
            Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Deferred.await(goOn)),
              Effect.andThen(Effect.fail("that's done already"))
            )
        })
        const checkpoint = yield* processor.register(store, only)
        const assignment = yield* processor.assign(store, only)
        const worker = new Worker({ store, processor: "slow", policy: policyOf(failure), checkpoint, assignment })
        const running = yield* Effect.forkChild(worker.run)
        yield* Deferred.await(asked)
        yield* moveCheckpoint(store, checkpoint, 3)
        yield* Deferred.succeed(goOn, undefined)
        assert.deepInclude(yield* Fiber.join(running), { _tag: "Fenced", name: "slow" })
        assert.strictEqual(worker.report.state, "running")
        assert.isFalse(
          (yield* store.namespaces().pipe(Stream.runCollect)).some(({ namespace }) => namespace === "$parked")
        )
      }))
  }
})
