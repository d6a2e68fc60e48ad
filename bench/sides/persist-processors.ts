/** Processors of one runner of persist, all going through the log from its beginning. */
import { anyEvents, type StoreShape } from "@persist/core"
import { reaction, run, whenProcessed } from "@persist/runner"
import * as Effect from "effect/Effect"
import type { FeedSide } from "./side.ts"

/** So many reactions that do nothing, each of so many partitions, until all have come to the head. */
export const processorSide = (store: StoreShape): Pick<Required<FeedSide>, "processors"> => {
  let made = 0
  return {
    processors: (count, partitions) =>
      Effect.runPromise(Effect.gen(function*() {
        const round = made++
        const all = Array.from({ length: count }, (_, i) =>
          reaction({
            name: `processor-${round}-${i}`,
            events: anyEvents,
            partitions,
            handle: () => Effect.succeed([])
          }))
        const head = yield* store.head
        const caughtUp = Effect.forEach(all, (one) => whenProcessed(store, one, head, { within: 600_000 }), {
          discard: true
        })
        yield* Effect.raceFirst(run(store, all), caughtUp)
      }))
  }
}
