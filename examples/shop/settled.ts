/** Waiting until the shop has come to rest: everything is done with, and no order is open. */
import { type Processor, whenProcessed } from "@persist/runner"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { query, type StoreShape } from "persist/effect"
import { orderList } from "./read-models.ts"

const lastEvent = (store: StoreShape) =>
  Effect.map(Stream.runCollect(store.log().readAll({ reverse: true, limit: 1 })), ([last]) => last?.position ?? 0)

const anyOpen = Effect.fnUntraced(function*(store: StoreShape) {
  for (const state of ["placed", "paid"] as const) {
    const { items } = yield* query(store, orderList, { where: { state: { eq: state } }, limit: 1 })
    if (items.length > 0) return true
  }
  return false
})

/**
 * Waits until every processor has done with every event, none has come meanwhile, and no order is open: an open one
 * still waits for its payment, or for time to run out. Answers whether that was so within so many milliseconds; where
 * a processor isn't through then, fails with `Unavailable`.
 */
export const settled = Effect.fnUntraced(function*(
  store: StoreShape,
  processors: ReadonlyArray<Processor>,
  within: number
) {
  const end = (yield* Clock.currentTimeMillis) + within
  while (true) {
    const position = yield* lastEvent(store)
    const left = Math.max(0, end - (yield* Clock.currentTimeMillis))
    yield* Effect.forEach(processors, (each) => whenProcessed(store, each, position, { within: left }))
    const quiet = position === (yield* lastEvent(store))
    if (quiet && !(yield* anyOpen(store))) return true
    if ((yield* Clock.currentTimeMillis) >= end) return false
    yield* Effect.sleep(50)
  }
})
