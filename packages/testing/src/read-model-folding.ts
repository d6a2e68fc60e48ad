/** Read models folded without a store: states by key, as a store would hold them. */
import { buildReadModel } from "@persist/conformance/properties"
import { type Catalogue, type EventOf, Invalid, nameFault, type ReadModel } from "@persist/core"
import * as Result from "effect/Result"
import { type Folding, folding } from "./folding.ts"
import { eventShown } from "./shown.ts"

/** The states of a read model by key. */
export type StatesByKey<A> = Readonly<Record<string, A>>

/** Makes the fold of a read model over the events of the streams that it reads. */
export const readModelFolding = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  events: ReadonlyArray<EventOf<C>>,
  nameBytes: number
): Folding<StatesByKey<A>> => {
  const { codec, name, prefix = "" } = model
  const what = `read model ${JSON.stringify(name)}`
  return folding(what, events.filter(({ stream }) => stream.startsWith(prefix)), {
    seed: () => new Map<string, A>(),
    step: (states, event) => {
      const folded = Result.try(() => {
        const keys = keysOf(model, event, nameBytes)
        return buildReadModel({ ...model, keys: () => keys }, [event], states)
      })
      if (Result.isSuccess(folded)) return folded.success
      const reason = `its keys or its step can't take ${eventShown(event)}`
      throw new Invalid({ field: what, reason, remedy: String(folded.failure), cause: folded.failure })
    },
    view: (states) =>
      Object.fromEntries(Array.from(states, ([key, state]) => {
        // Through the form it is stored in, which is what a read gives.
        const payload = Result.getOrThrow(codec.encode(`${what}, state of key ${JSON.stringify(key)}`, state))
        return [key, Result.getOrThrow(codec.decode(what, payload))]
      }))
  })
}

const keysOf = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  event: EventOf<C>,
  nameBytes: number
): ReadonlyArray<string> => {
  const keys = model.keys(event)
  const list: ReadonlyArray<string> = typeof keys === "string" ? [keys] : keys
  if (!Array.isArray(list)) {
    throw new Invalid({ field: "keys", reason: "are neither a string nor an array", remedy: "return [] for none" })
  }
  for (const key of list) {
    const fault = nameFault("key", key, nameBytes)
    if (fault !== undefined) throw fault
  }
  return list
}
