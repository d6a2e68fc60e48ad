/** A durable subscription to run until it has handled enough, and stores to run it over. */
import {
  Catalogue,
  checkpointNamespace,
  type Commit,
  makeStore,
  readCheckpoint,
  runSubscription,
  type StoreShape,
  type SubscriptionOptions
} from "@persist/core"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { makeFaulty } from "./faulty.ts"

/** What a handler refuses an event with. */
export class Refused extends Data.TaggedError("Refused")<{ readonly n: number }> {}

/** The events it handles. */
export const events = Catalogue.make({ N: Schema.Int })

/** Forked so, an effect runs up to its first wait before its parent goes on. */
export const now = { startImmediately: true } as const

/** Appends numbers to the one stream. */
export const append = (store: StoreShape, ...data: ReadonlyArray<number>) =>
  store.log(events).append("s", data.map((n) => ({ type: "N", data: n }) as const), { expected: "any" })

/** The numbers from 1. */
export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** A store of so many events, which fails at once where its backend does. */
export const filled = (count: number) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty()
    const store = yield* makeStore(faulty.backend, { retries: 0 })
    if (count > 0) yield* append(store, ...upTo(count))
    return { faulty, store }
  })

/** How far a reader has saved; `undefined` where it isn't registered. */
export const savedBy = (store: StoreShape, name = "r") =>
  Effect.map(readCheckpoint(store, name), (found) => Option.isSome(found) ? Number(found.value.position) : undefined)

/** Whether a commit saves a checkpoint. */
export const isSave = ({ write }: Commit) => write.some(({ namespace }) => namespace === checkpointNamespace)

/** Runs until `count` events were handled, then stops as a process does that is told to. */
export const handle = Effect.fnUntraced(function*(
  store: StoreShape,
  count: number,
  options: Partial<SubscriptionOptions<typeof events>> = {}
) {
  const seen: Array<number> = []
  const enough = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(runSubscription(store, {
    name: "r",
    events,
    ...options,
    handle: ({ data }) => {
      seen.push(data)
      return seen.length === count ? Deferred.succeed(enough, undefined) : Effect.void
    }
  }))
  yield* Effect.raceFirst(Deferred.await(enough), Fiber.join(fiber))
  yield* Fiber.interrupt(fiber)
  return seen
})
