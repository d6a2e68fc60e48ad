/** A processor that parks what it can't handle, and what lies aside of it. */
import type { EventOf, StoreShape } from "@persist/core"
import { listParked, type Processor, run, subscription } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Counted } from "./orders.ts"
import { quick } from "./until.ts"

/** Parks an event when it fails first. */
export const parking = { retries: 0, finally: "park" } as const

/** A subscription that notes what goes well, by stream and number. */
export const picky = (seen: Array<string>, fails: (event: EventOf<typeof Counted>) => boolean, retries = 0) =>
  subscription({
    name: "picky",
    events: Counted,
    failure: { ...parking, retries, delay: 1 },
    handle: (event) =>
      Effect.suspend(() => {
        if (fails(event)) return Effect.fail("no")
        seen.push(`${event.stream}/${event.data.n}`)
        return Effect.void
      })
  })

/** What is parked of a processor. */
export const listed = (store: StoreShape, processor = "picky") => Stream.runCollect(listParked(store, processor))

/** The same in words: which event, how it stands, and how often it failed. */
export const asideOf = (store: StoreShape, processor?: string) =>
  Effect.map(
    listed(store, processor),
    (events) => events.map(({ attempts, seq, state, stream }) => `${stream}/${seq} ${state} ${attempts.length}`)
  )

/** Runs a processor while something is done; it has finished what it had in hand by the answer. */
export const running = <A>(store: StoreShape, processor: Processor, use: Effect.Effect<A, unknown>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(run(store, [processor], quick))
    const found = yield* use
    yield* Fiber.interrupt(fiber)
    return found
  })
