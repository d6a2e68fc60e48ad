/** A reader who checks the law of visibility: whatever it was given stays all there is, up to where it has come. */
import type { BackendShape, StoredEvent } from "@persist/core"
import { origin, type Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { everything } from "../backend-sqlite/place.ts"

/** Reads on in the total order, page after page, until `end` says so and the head was reached. */
export const follow = Effect.fnUntraced(function*(backend: BackendShape, end: () => boolean) {
  const seen: Array<StoredEvent> = []
  let after: Position = origin
  const readOn = Effect.gen(function*() {
    const last = end()
    const { items, through } = yield* backend.readAll({ ...everything, after, limit: 50 })
    seen.push(...items)
    const arrived = through === after
    after = through
    return last && arrived
  })
  yield* Effect.repeat(readOn, { until: (arrived) => arrived, schedule: Schedule.spaced(1) })
  return seen
})
