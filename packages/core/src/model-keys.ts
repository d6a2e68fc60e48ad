/** The keys of a read model that an event changes. */
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { StoreError } from "./error.ts"
import { noKeys, place, threw } from "./model-fault.ts"
import { nameFault } from "./name.ts"
import type { ReadModel } from "./read-model.ts"

/**
 * Asks a read model for the keys of an event, each once; `Invalid` or `LimitExceeded` where it throws or gives what
 * can't be a key.
 */
export const keysOf = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  event: EventOf<C>,
  nameBytes: number
): Result.Result<ReadonlyArray<string>, StoreError> => {
  const told = Result.try({ try: () => model.keys(event), catch: (cause) => threw("keys", event, cause) })
  if (Result.isFailure(told)) return Result.fail(told.failure)
  const keys = typeof told.success === "string" ? [told.success] : told.success
  if (!Array.isArray(keys)) return Result.fail(noKeys(event))
  for (const key of keys) {
    const fault = nameFault(`keys of ${place(event)}`, key, nameBytes)
    if (fault !== undefined) return Result.fail(fault)
  }
  return Result.succeed(keys.length < 2 ? keys : Array.from(new Set(keys)))
}
