/** Stores over six functions, for the length of a test. */
import { fromSixFunctions, type SixFunctions } from "@persist/backend-minimal"
import { makeStore, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"

/** Runs a test's body with a store over the functions; closed afterwards. */
export const using = <A>(functions: SixFunctions, use: (store: StoreShape) => Effect.Effect<A, unknown>): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(fromSixFunctions(functions), (backend) => Effect.flatMap(makeStore(backend), use)))
  )

/** An event. */
export const added = (n: number) => ({ type: "Added", data: n })
