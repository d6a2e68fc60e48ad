/** Laws of durable subscriptions: at least once each, in order, across restarts, crashes and failures. */
import { anyEvents } from "@persist/core"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { equal, every, holds } from "../assertion.ts"
import { mortal } from "../gate.ts"
import { noting, positionOf, runUntil, savedAt, untilHandled } from "../handlers.ts"
import { count, fill, fillLong } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store runners")
const early = { startImmediately: true } as const

class Failed extends Data.TaggedError("Failed")<{ readonly at: unknown }> {}

/** Laws of runners. */
export const storeRunners = [
  law("what was appended before a subscription first ran is handled like what comes later", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", [1, 2])
    const handled = yield* noting()
    const run = yield* Effect.forkChild(runUntil(core, store, handled, 4), early)
    yield* Effect.yieldNow
    yield* fill(store, "t", [3, 4])
    yield* Fiber.join(run)
    yield* equal("data", handled.all, [1, 2, 3, 4])
  }),
  law("a subscription that was stopped goes on where it stopped, and handles nothing twice", ["readAll"], function*(
    store,
    { core }
  ) {
    const handled = yield* noting()
    for (const n of count(4)) {
      yield* fill(store, "s", count(5, n * 5 - 4))
      yield* runUntil(core, store, handled, n * 5 - 2)
    }
    yield* runUntil(core, store, handled, 20)
    yield* equal<unknown>("data", handled.all, count(20))
  }),
  law(
    "a subscription that crashes at any save loses nothing, and repeats only what it had not saved",
    ["readAll"],
    function*(
      _,
      { core, elsewhere }
    ) {
      const all: ReadonlyArray<unknown> = count(6)
      let saves = 0
      for (const moment of ["before", "after"] as const) {
        for (const nth of [0, 1, 2, 3]) {
          const store = yield* core.makeStore(yield* elsewhere)
          const told = yield* fill(store, "s", count(6))
          const process = mortal(store.engine.backend, nth, moment)
          const dying = yield* core.makeStore(process.backend, { retries: 0 })
          const options = { name: "runner", events: anyEvents, batch: 2 }
          const before: Array<unknown> = []
          const note = ({ data }: { readonly data: unknown }) => Effect.sync(() => before.push(data))
          const crash = yield* Effect.exit(core.runSubscription(dying, { ...options, handle: note }))
          const what = `after a crash ${moment} commit ${nth}`
          yield* equal(`how it ended ${what}`, [crash._tag, process.died()], ["Failure", true])
          const saved = yield* positionOf(core, store, "runner")
          const kept = told.filter(({ position }) => position <= saved).length
          yield* equal(`handled ${what}, as far as it was saved`, before.slice(0, kept), all.slice(0, kept))
          const handled = yield* noting()
          const rest = yield* Effect.forkChild(
            core.runSubscription(store, { ...options, handle: handled.handle }),
            early
          )
          yield* untilHandled(handled, 6 - kept, rest)
          yield* Fiber.interrupt(rest)
          yield* equal(`handled in the next run ${what}`, handled.all, all.slice(kept))
          if (kept > 0) saves++
        }
      }
      yield* holds(saves >= 3, "nothing was ever saved")
    }
  ),
  law("a handler that fails ends its subscription, with all before that event saved", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(5))
    const seen: Array<unknown> = []
    const run = core.runSubscription(store, {
      name: "runner",
      events: anyEvents,
      handle: ({ data }) => {
        seen.push(data)
        return data === 3 && seen.length < 6 ? Effect.fail(new Failed({ at: data })) : Effect.void
      }
    })
    for (const _ of count(2)) {
      const failure = yield* Effect.flip(run)
      yield* equal("failure", [failure._tag, failure._tag === "Failed" && failure.at], ["Failed", 3])
    }
    yield* equal("handled so far", seen, [1, 2, 3, 3])
    const handled = yield* noting()
    yield* runUntil(core, store, handled, 3)
    yield* equal("handled then", handled.all, [3, 4, 5])
  }),
  law("a page whose handler fails is given again whole", ["readAll"], function*(store, { core }) {
    yield* fill(store, "s", count(4))
    const pages: Array<ReadonlyArray<unknown>> = []
    const run = core.runSubscriptionPages(store, {
      name: "runner",
      events: anyEvents,
      batch: 2,
      handle: ({ items }) => {
        pages.push(items.map(({ data }) => data))
        return pages.length === 2 || pages.length === 4 ? Effect.fail(new Failed({ at: pages.length })) : Effect.void
      }
    })
    yield* Effect.flip(run)
    yield* Effect.flip(Effect.andThen(fill(store, "s", [5]), run))
    yield* equal("the page that failed, given again", pages[2], pages[1])
    yield* equal<unknown>(
      "everything else",
      [pages[0], pages[2], pages[3]].flat(),
      count(pages.flat().length - (pages[1]?.length ?? 0))
    )
    yield* equal("number of pages", pages.length, 4)
  }),
  law("whoever interrupts a subscription waits for the event in hand, which is then saved", ["readAll"], function*(
    store,
    { core }
  ) {
    const [first] = yield* fill(store, "s", count(3))
    const [begun, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    // Nothing else ends a handler that may not be interrupted.
    yield* Effect.addFinalizer(() => Deferred.succeed(release, undefined))
    const finished: Array<unknown> = []
    const run = yield* Effect.forkChild(
      core.runSubscription(store, {
        name: "runner",
        events: anyEvents,
        handle: ({ data }) =>
          Deferred.succeed(begun, undefined).pipe(
            Effect.andThen(Deferred.await(release)),
            Effect.andThen(Effect.sync(() => finished.push(data)))
          )
      }),
      early
    )
    yield* Deferred.await(begun)
    const interrupting = yield* Effect.forkChild(Fiber.interrupt(run), early)
    yield* Effect.yieldNow
    yield* Deferred.succeed(release, undefined)
    yield* Fiber.join(interrupting)
    yield* equal("events that were finished", finished, [1])
    yield* equal("saved", yield* positionOf(core, store, "runner"), first?.position)
  }),
  law("a stretch that is none of a subscription's is passed, and saved", ["readAll"], function*(store, { core }) {
    const run = yield* Effect.forkChild(
      core.runSubscription(store, { name: "runner", events: anyEvents, prefix: "none", handle: () => Effect.void }),
      early
    )
    yield* fillLong(store, "other", count(1010))
    const passed = yield* Stream.runCollect(store.log().readAll({ limit: 901 }))
    yield* savedAt(core, store, "runner", passed.at(-1)?.position ?? 0)
    yield* Fiber.interrupt(run)
    yield* every("events that were passed", passed, ({ stream }) => stream === "other")
  })
]
