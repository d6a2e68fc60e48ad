/** What follows persist's log: a subscription, a read model over a few keys, through Promises and through Effect. */
import {
  anyEvents,
  ReadModel,
  rebuild,
  removeReader,
  resetReader,
  runSubscription,
  type StoreShape
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Store } from "persist"
import { checkCount, type Folded, groupOf, nothing } from "../payload.ts"
import { orderIn } from "./persist-log.ts"
import type { FeedSide } from "./side.ts"

const model = ReadModel.make({
  name: "by-customer",
  version: 1,
  events: anyEvents,
  value: Schema.Struct({ events: Schema.Int, total: Schema.Int }),
  seed: nothing(),
  keys: (event) => groupOf(orderIn(event)),
  step: ({ events, total }: Folded, event): Folded => ({ events: events + 1, total: total + orderIn(event).total })
})

/** Fails where the model doesn't show so many events. */
const checkModel = Effect.fnUntraced(function*(store: StoreShape, events: number) {
  const states = yield* Stream.runCollect(model.kv(store).scan())
  checkCount(states.reduce((sum, { value }) => sum + value.events, 0), events)
})

const [name, follower] = ["handler", "follower"]

/** The feeds through Promises. */
export const promiseFeedSide = (store: Store): FeedSide => ({
  catchUp: async (events) => {
    let left = events
    const all = Promise.withResolvers<void>()
    const running = store.runSubscription({
      name,
      events: anyEvents,
      handle: () => {
        if (--left === 0) all.resolve()
      }
    })
    await Promise.race([all.promise, running.ended])
    // What ended before it had them all tells here what it had.
    checkCount(events - left, events)
    await running.stop()
    await store.resetReader(name)
  },
  rebuild: async (events) => {
    await store.rebuild(model)
    await Effect.runPromise(checkModel(store.effect, events))
  },
  follow: async (handle) => {
    const running = store.runSubscription({
      name: follower,
      events: anyEvents,
      from: "end",
      handle: (event) => handle(orderIn(event))
    })
    return async () => {
      await running.stop()
      // Whoever follows next begins at the end of then.
      await store.removeReader(follower)
    }
  }
})

/** The feeds through Effect. */
export const effectFeedSide = (store: StoreShape): FeedSide => ({
  catchUp: (events) =>
    Effect.runPromise(Effect.gen(function*() {
      const all = yield* Deferred.make<void>()
      let left = events
      const handle = () =>
        Effect.sync(() => {
          if (--left === 0) Deferred.doneUnsafe(all, Effect.void)
        })
      const fiber = yield* Effect.forkChild(runSubscription(store, { name, events: anyEvents, handle }))
      yield* Effect.raceFirst(Deferred.await(all), Fiber.join(fiber))
      checkCount(events - left, events)
      yield* Fiber.interrupt(fiber)
      yield* resetReader(store, name)
    })),
  rebuild: (events) => Effect.runPromise(Effect.andThen(rebuild(store, model), checkModel(store, events))),
  follow: async (handle) => {
    const fiber = Effect.runFork(runSubscription(store, {
      name: follower,
      events: anyEvents,
      from: "end",
      handle: (event) => Effect.sync(() => handle(orderIn(event)))
    }))
    return () => Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), removeReader(store, follower)))
  }
})
