/** Read models under a runner: kept by whoever has the lease, each event taking effect exactly once. */
import {
  type BuildOptions,
  type Catalogue,
  type Event,
  type EventOf,
  isStoreError,
  type ReadModel
} from "@persist/core"
import { States } from "@persist/core/model-states"
import { begin, roomForStates } from "@persist/core/run-read-model"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { type FailurePolicy, policyFault, policyOf } from "./failure.ts"
import type { Handled, Processor, Work } from "./processor.ts"

/** How a read model is kept. */
export interface ReadModelOptions extends BuildOptions {
  readonly failure?: FailurePolicy | undefined
}

/**
 * Makes a processor of a read model, known by its name and version: `orders@1`. An event that is parked is missing from
 * the states, and so is what follows with one of its keys, until it goes through. A wrong policy throws `Invalid`.
 */
export const readModel = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  { allowTruncated, failure }: ReadModelOptions = {}
): Processor => {
  const fault = policyFault(failure)
  if (fault !== undefined) throw fault
  const begun: Processor["assign"] = (store) =>
    Effect.map(begin(store, model, { allowTruncated }), ({ checkpoint, source }) => ({
      source,
      work: workOf(model, new States(store, model, roomForStates(store, checkpoint) - roomForParked))
    }))
  return {
    name: model.namespace,
    guarantee: "exactly once",
    partitions: 1,
    policy: policyOf(failure),
    readerOf: () => model.reader,
    register: (store) => Effect.map(begin(store, model, { allowTruncated }), ({ checkpoint }) => checkpoint),
    assign: begun
  }
}

// The key of a parked event, which is deleted in the same commit.
const roomForParked = 1024

/** Events of the model's own catalogue, as they come from its own source. */
type Own<C extends Catalogue> = Event & EventOf<C>

const workOf = <C extends Catalogue, A>(model: ReadModel<C, A>, states: States<C, A>): Work<never> => ({
  keysOf: (event) => {
    const keys = model.keys(event as Own<C>) // read by its own source
    return typeof keys === "string" ? [keys] : keys
  },
  handle: (events) =>
    states.fold(events as ReadonlyArray<Own<C>>, 0).pipe( // read by its own source
      Effect.map((folded): Handled => ({
        count: folded.count,
        ops: [states.op(folded)],
        committed: () => states.committed(folded),
        failed: undefined
      })),
      // What the model can't make something of is its own failure; that the store can't be asked is not.
      Effect.catch((error) =>
        isStoreError(error) && ["Invalid", "LimitExceeded", "Corrupt"].includes(error._tag)
          ? Effect.succeed<Handled>({ count: 0, ops: [], failed: Cause.fail(error) })
          : Effect.fail(error)
      )
    )
})
