/** What follows persist's log: a subscription, a read model over a few keys, through Promises and through Effect. */
import { anyEvents, ReadModel, rebuild, resetReader, runSubscription, type StoreShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { Store } from "persist"
import { type Folded, nothing, type Order } from "../payload.ts"
import { orderIn } from "./persist-log.ts"
import type { FeedSide } from "./side.ts"

/** Twenty keys: the last two digits of the customer, by five. */
const keyOf = ({ customer }: Order): string => `group-${Number(customer.slice(-2)) % 20}`

const model = ReadModel.make({
  name: "by-customer",
  version: 1,
  events: anyEvents,
  value: Schema.Struct({ events: Schema.Int, total: Schema.Int }),
  seed: nothing(),
  keys: (event) => keyOf(orderIn(event)),
  step: ({ events, total }: Folded, event): Folded => ({ events: events + 1, total: total + orderIn(event).total })
})

const name = "handler"

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
    await running.stop()
    await store.resetReader(name)
  },
  rebuild: async () => void await store.rebuild(model),
  follow: async (handle) => {
    const running = store.runSubscription({
      name: "follower",
      events: anyEvents,
      from: "end",
      handle: (event) => handle(orderIn(event))
    })
    return () => running.stop()
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
      yield* Fiber.interrupt(fiber)
      yield* resetReader(store, name)
    })),
  rebuild: () => Effect.runPromise(Effect.asVoid(rebuild(store, model))),
  follow: async (handle) => {
    const fiber = Effect.runFork(runSubscription(store, {
      name: "follower",
      events: anyEvents,
      from: "end",
      handle: (event) => Effect.sync(() => handle(orderIn(event)))
    }))
    return () => Effect.runPromise(Effect.asVoid(Fiber.interrupt(fiber)))
  }
})
