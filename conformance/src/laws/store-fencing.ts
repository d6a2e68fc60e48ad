/** Laws of who may run a subscription: one at a time, of the history it began in, until it is reset or removed. */
import type { Fenced, StoreError, StoreShape } from "@persist/core"
import { anyEvents, Position } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { equal, present } from "../assertion.ts"
import { noting, positionOf, runUntil, savedAt, untilHandled } from "../handlers.ts"
import { count, failing, fill } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store fencing")
const early = { startImmediately: true } as const

const fencedOf = (run: Fiber.Fiber<Fenced, StoreError>) => Effect.map(Fiber.join(run), ({ _tag, name }) => [_tag, name])

const lastPosition = (store: StoreShape) =>
  Effect.flatMap(
    Stream.runCollect(store.log().read("s")),
    (events) => Effect.map(present("the last event", events.at(-1)), ({ position }) => position)
  )

/** Laws of rivals, resets and restores. */
export const storeFencing = [
  law("of two who run one subscription the slower is fenced, and the other goes on", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(3))
    const [holds1, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const slow = yield* Effect.forkChild(
      core.runSubscription(store, {
        name: "runner",
        events: anyEvents,
        handle: () => Effect.andThen(Deferred.succeed(holds1, undefined), Effect.interruptible(Deferred.await(release)))
      }),
      early
    )
    yield* Deferred.await(holds1)
    const handled = yield* noting()
    const fast = yield* Effect.forkChild(
      core.runSubscription(store, { name: "runner", events: anyEvents, handle: handled.handle }),
      early
    )
    yield* savedAt(core, store, "runner", yield* lastPosition(store))
    yield* Deferred.succeed(release, undefined)
    yield* equal("the slow one", yield* fencedOf(slow), ["Fenced", "runner"])
    yield* fill(store, "s", [4])
    yield* untilHandled(handled, 4, fast)
    yield* equal("what the other handled", handled.all, [1, 2, 3, 4])
    yield* Fiber.interrupt(fast)
  }),
  law("a subscription that is reset begins again, and whoever ran it is fenced", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(3))
    const handled = yield* noting()
    const run = core.runSubscription(store, { name: "runner", events: anyEvents, handle: handled.handle })
    const first = yield* Effect.forkChild(run, early)
    yield* savedAt(core, store, "runner", yield* lastPosition(store))
    yield* core.resetReader(store, "runner")
    yield* fill(store, "s", [4])
    yield* equal("the one who ran", yield* fencedOf(first), ["Fenced", "runner"])
    yield* runUntil(core, store, handled, handled.all.length + 4)
    yield* equal("handled", handled.all, [1, 2, 3, 4, 1, 2, 3, 4])
  }),
  law("a subscription that is removed is forgotten, and whoever ran it is fenced", ["readAll", "delete"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(2))
    const handled = yield* noting()
    const run = core.runSubscription(store, { name: "runner", events: anyEvents, handle: handled.handle })
    const first = yield* Effect.forkChild(run, early)
    yield* savedAt(core, store, "runner", yield* lastPosition(store))
    yield* core.removeReader(store, "runner")
    yield* fill(store, "s", [3])
    yield* equal("the one who ran", yield* fencedOf(first), ["Fenced", "runner"])
    yield* equal("checkpoint", yield* positionOf(core, store, "runner"), -1)
    yield* runUntil(core, store, handled, handled.all.length + 3)
    yield* equal("handled", handled.all, [1, 2, 3, 1, 2, 3])
  }),
  law("a subscription whose checkpoint is of another history of the store is told so, and mended by a reset", [
    "readAll"
  ], function*(store, { core, over }) {
    yield* fill(store, "s", count(3))
    yield* runUntil(core, store, yield* noting(), 3)
    const restored = yield* over((backend) => ({
      ...backend,
      about: { ...backend.about, incarnation: `${backend.about.incarnation} restored` }
    }))
    const handled = yield* noting()
    const run = core.runSubscription(restored, { name: "runner", events: anyEvents, handle: handled.handle })
    yield* failing("running on", run, "Corrupt", `"runner"`)
    yield* equal("handled", handled.all, [])
    yield* core.resetReader(restored, "runner")
    yield* runUntil(core, restored, handled, 3)
    yield* equal("handled after a reset", handled.all, [1, 2, 3])
  }),
  law("a subscription whose checkpoint lies beyond the store's head is told so", ["readAll"], function*(
    store,
    { core, over }
  ) {
    yield* fill(store, "s", count(3))
    yield* runUntil(core, store, yield* noting(), 3)
    // A backup that is older than the checkpoint, and says that it is the same store.
    const older = yield* over((backend) => ({
      ...backend,
      head: Effect.map(backend.head, (head) => head === 0 ? head : Position(1))
    }))
    const run = core.runSubscription(older, { name: "runner", events: anyEvents, handle: () => Effect.void })
    yield* failing("running on", run, "Corrupt", `"runner"`)
    yield* runUntil(core, store, yield* noting(), 0)
  })
]
