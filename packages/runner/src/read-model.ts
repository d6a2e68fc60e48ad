/** Read models under a runner: kept by whoever has the lease, each event taking effect exactly once. */
import {
  type BuildOptions,
  type Catalogue,
  type Checkpoint,
  type Event,
  type EventOf,
  Invalid,
  isStoreError,
  type ReadModel,
  type StoreShape
} from "@persist/core"
import { millisFault, optionsFault } from "@persist/core/fault"
import { States } from "@persist/core/model-states"
import { begin, refuseOther, roomForStates } from "@persist/core/run-read-model"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { type FailurePolicy, policyFault, policyOf } from "./failure.ts"
import { type GoingLive, goLive as goingLive } from "./going-live.ts"
import { inherit } from "./live.ts"
import type { Alarm, Handled, Processor, Work } from "./processor.ts"

/** How a read model is kept. */
export interface ReadModelOptions extends BuildOptions {
  readonly failure?: FailurePolicy | undefined
  /**
   * How a version that is built beside the live one comes to be read: `"by itself"` (the default) once it has come as
   * far and misses no event that the other has, or only `"by hand"`, by `switchLive`.
   */
  readonly goLive?: "by itself" | "by hand" | undefined
  /**
   * Milliseconds for which the version that was live before stays readable, a day by default; then it is dropped, once
   * nobody runs it any more. By the clocks of the machine that switched and of the one that drops it.
   */
  readonly grace?: number | undefined
}

const known = ["allowTruncated", "failure", "goLive", "grace"]

const day = 86_400_000

/** A processor of a read model. */
export interface ReadModelProcessor<C extends Catalogue, A> extends Processor {
  readonly model: ReadModel<C, A>
  /** As they were given. */
  readonly options: ReadModelOptions
}

/**
 * Makes a processor of a read model, known by its name and version: `orders@1`. A version that isn't live is built
 * beside the one that is, and goes live in one commit: read `live` of the versions you know. An event that is parked
 * is missing from the states, and so is what follows with one of its keys, until it goes through; what was dropped for
 * the live version is dropped for this one. Wrong options throw `Invalid`, naming the field.
 */
export const readModel = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  options: ReadModelOptions = {}
): ReadModelProcessor<C, A> => {
  const { allowTruncated, failure, goLive = "by itself", grace = day } = options
  const fault = optionsFault(options, known) ?? policyFault(failure) ?? goLiveFault(goLive) ??
    millisFault("grace", grace)
  if (fault !== undefined) throw fault
  const going: GoingLive = { byItself: goLive === "by itself", grace }
  return {
    model,
    options,
    name: model.namespace,
    kind: "read model",
    guarantee: "exactly once",
    partitions: 1,
    policy: policyOf(failure),
    readerOf: () => model.reader,
    refuse: (store) => refuseOther(store, model),
    register: (store) =>
      Effect.flatMap(
        begin(store, model, { allowTruncated }),
        ({ checkpoint }) => Effect.as(inherit(store, model, checkpoint), checkpoint)
      ),
    assign: (store) =>
      Effect.map(begin(store, model, { allowTruncated }), ({ checkpoint, source }) => ({
        source,
        work: workOf(
          model,
          new States(store, model, roomBesideParked(store, checkpoint)),
          goingLive(store, model, going)
        )
      }))
  }
}

const goLiveFault = (goLive: unknown): Invalid | undefined =>
  goLive === "by itself" || goLive === "by hand"
    ? undefined
    : new Invalid({
      field: "goLive",
      reason: "is neither of the two ways",
      remedy: "pass \"by itself\" or \"by hand\""
    })

// A parked event that goes through is deleted in the same commit: one write, which takes the bytes of its key.
const roomBesideParked = (store: StoreShape, checkpoint: Checkpoint) => {
  const { bytes, writes } = roomForStates(store, checkpoint)
  return { bytes: bytes - 1024, writes: writes - 1 }
}

/** Events of the model's own catalogue, as they come from its own source. */
type Own<C extends Catalogue> = Event & EventOf<C>

const workOf = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  states: States<C, A>,
  alarm: Alarm<never>
): Work<never> => ({
  alarm,
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
