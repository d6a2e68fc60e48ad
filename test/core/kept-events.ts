/** An archive in memory, and whether it and a store together hold every event once. */
import { type Archive, type Event, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** An archive, and what is in it by step. */
export interface KeptEvents {
  readonly archive: Archive
  readonly steps: Map<string, ReadonlyArray<Event>>
}

/** Makes an empty archive. */
export const keptEvents = (): KeptEvents => {
  const steps = new Map<string, ReadonlyArray<Event>>()
  return {
    steps,
    archive: {
      keep: (step, events) =>
        Effect.map(Stream.runCollect(events), (all) => {
          steps.set(step, all)
        }),
      discard: (step) =>
        Effect.sync(() => {
          steps.delete(step)
        })
    }
  }
}

/** Every event of the archive and of a store, in the order of their positions: each must be there once. */
export const everyEvent = (store: StoreShape, { steps }: KeptEvents) =>
  Effect.map(
    Stream.runCollect(store.log().readAll()),
    (left) => [...[...steps.values()].flat(), ...left].sort((a, b) => a.position - b.position)
  )
