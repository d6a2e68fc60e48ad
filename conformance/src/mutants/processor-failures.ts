/** Mutants of what fails: given up too soon or too late, kept in the wrong place, or not listened to. */
import type { FailurePolicy } from "@persist/runner"
import { parked, parkedKey } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import { processing } from "../processing.ts"
import { processorMutant } from "../processor-mutant.ts"

const failing = (wrong: (policy: FailurePolicy) => FailurePolicy): Partial<typeof processing> => ({
  subscription: (definition) => processing.subscription({ ...definition, failure: wrong(definition.failure ?? {}) })
})

/** Broken in what becomes of failures. */
export const processorFailures = [
  processorMutant("once is enough", "tries nothing again", failing((policy) => ({ ...policy, retries: 0 })), [
    "an event that fails is tried again as often as its policy says, and then its partition stops there",
    "an event that fails too often is parked with its failures, and holds back only what follows of its key",
    "a dropped event is never handled, not even after a reset, and what waits behind it goes on"
  ]),

  processorMutant(
    "parks always",
    "parks what it should stop at",
    failing((policy) => ({ ...policy, finally: "park" })),
    [
      "an event that fails is tried again as often as its policy says, and then its partition stops there"
    ]
  ),

  processorMutant(
    "stops always",
    "stops at what it should park",
    failing((policy) => ({ ...policy, finally: "stop" })),
    [
      "an event that fails too often is parked with its failures, and holds back only what follows of its key",
      "a parked event that is retried goes through before what waits behind it, and that in order",
      "a dropped event is never handled, not even after a reset, and what waits behind it goes on"
    ]
  ),

  processorMutant("one key for all", "keeps everything of a partition in the order of one key", {
    subscription: (definition) =>
      processing.subscription(definition.partitions === undefined ? { ...definition, key: () => "all" } : definition)
  }, [
    "an event that fails too often is parked with its failures, and holds back only what follows of its key",
    "a parked event that is retried goes through before what waits behind it, and that in order",
    "a dropped event is never handled, not even after a reset, and what waits behind it goes on"
  ]),

  processorMutant("drops what should be retried", "drops an event that is asked for again", {
    retryParked: processing.dropParked
  }, [
    "a parked event that is retried goes through before what waits behind it, and that in order"
  ]),

  processorMutant("drops without a trace", "removes what is dropped, so that nobody knows of it later", {
    dropParked: (store, processor, position) =>
      Effect.andThen(
        processing.dropParked(store, processor, position),
        Effect.asVoid(parked(store).delete(parkedKey(processor, position)))
      )
  }, [
    "a dropped event is never handled, not even after a reset, and what waits behind it goes on"
  ]),

  processorMutant("deaf to a pause", "goes on with what is paused", { pause: () => Effect.void }, [
    "a processor that is paused stands still, whoever runs it, and goes on when it's resumed"
  ]),

  processorMutant("deaf to a resume", "doesn't go on with what is resumed", { resume: () => Effect.void }, [
    "an event that fails is tried again as often as its policy says, and then its partition stops there",
    "a processor that is paused stands still, whoever runs it, and goes on when it's resumed"
  ]),

  processorMutant("waits for one", "takes a processor for done when its first partition is", {
    whenProcessed: (store, processor, position, options) => {
      const first = { index: 0, of: processor.partitions }
      const one = {
        ...processor,
        partitions: 1,
        readerOf: () => processor.readerOf(first),
        assign: () => processor.assign(store, first)
      }
      return processing.whenProcessed(store, one, position, options)
    }
  }, [
    "whoever waits for a processor goes on when each partition is done with what was there, and not before"
  ]),

  processorMutant("all is well", "finds nothing wrong with any processor", {
    health: (store) =>
      Effect.map(processing.health(store), (found) => ({
        ...found,
        processors: found.processors.map((one) => ({ ...one, healthy: true }))
      }))
  }, [
    "health tells who runs each partition and what is left, and misses what nobody runs any more"
  ])
]
