/** Read your writes: waiting until a processor has done with everything up to a position, whoever runs it. */
import {
  origin,
  Position,
  type PositionInput,
  readCheckpoint,
  type StoreError,
  type StoreShape,
  Unavailable
} from "@persist/core"
import * as Fault from "@persist/core/fault"
import { until } from "@persist/core/follow"
import { quoted } from "@persist/core/path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { keyed } from "./parked.ts"
import { type Partition, partitionsOf } from "./partition.ts"
import type { Processor } from "./processor.ts"
import { withOwnRemedy } from "./stale.ts"

/** How long to wait, in milliseconds; 5,000 by default. */
export interface WhenProcessedOptions {
  readonly within?: number | undefined
}

/**
 * Waits until every partition of a processor is done with everything at or below a position, such as that of your own
 * last append, in whatever process each of them runs. What was parked counts as done with. Fails with `Unavailable`
 * where that isn't so in time (is it running?), `Invalid` for what is no position, `Corrupt` where a checkpoint belongs
 * to another history of the store, and as every read.
 */
export const whenProcessed = <R>(
  store: StoreShape,
  processor: Processor<R>,
  position: PositionInput,
  { within = 5000 }: WhenProcessedOptions = {}
): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    const fault = Fault.millisFault("within", within) ??
      Fault.counterFault("position", position)
    if (fault !== undefined) return Effect.fail(fault)
    const waiting = new Set(partitionsOf(processor.partitions))
    // A partition that was there once stays there.
    const there = Effect.gen(function*() {
      // A position that the store itself hasn't reached may still bring events.
      if ((yield* store.head) < position) return false
      for (const partition of waiting) {
        if (!(yield* isThere(store, processor, partition, Position(position)))) return false
        waiting.delete(partition)
      }
      return true
    })
    return until(store.engine, there, within, () => notYet(processor.name, position, within))
  })

const notYet = (name: string, position: number, within: number): Unavailable =>
  new Unavailable({
    operation: "whenProcessed",
    reason: `${quoted(name)} has not come to position ${position} within ${within} ms`,
    remedy: "look at its health, or wait longer"
  })

// A checkpoint isn't moved for every stretch without events of the partition's own: having none of them left is being
// there.
const isThere = Effect.fnUntraced(function*<R>(
  store: StoreShape,
  processor: Processor<R>,
  partition: Partition,
  position: Position
): Effect.fn.Return<boolean, StoreError> {
  const found = yield* withOwnRemedy(store, processor, readCheckpoint(store, processor.readerOf(partition)))
  let after = Option.match(found, { onNone: () => origin, onSome: (checkpoint) => checkpoint.position })
  if (after >= position) return true
  const { source, work } = yield* processor.assign(store, partition)
  while (after < position) {
    const { items, through } = yield* source.read(after, position)
    if (items.some((event) => keyed(event, work.keysOf).length > 0)) return false
    if (through <= after) return true
    after = through
  }
  return true
})
