/** Strong reads of a read model as Promises: as of the head, however far it has been kept. */
import type { QueryPage, StrongOptions, StrongQuery, StrongReads as CoreStrongReads, StrongStates } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Abortable, call } from "./run.ts"

/**
 * The verbs that read a read model as of the head. They reject with `Unavailable` where it is farther behind than
 * `tail`, 10,000 of its events by default; `Invalid` for what can't be asked, and where the model can't take an event
 * of these keys; `Corrupt` where its checkpoint is of another history of the store; otherwise as every read.
 */
export interface StrongReads<A> {
  /** The state of a key; `undefined` where it has none. */
  readonly get: (key: string, options?: StrongOptions & Abortable) => Promise<A | undefined>
  /** The states of several keys, all as of one position. */
  readonly getMany: (keys: ReadonlyArray<string>, options?: StrongOptions & Abortable) => Promise<StrongStates<A>>
  /** Finds states by their fields as `query` does, each page as of the head or later. */
  readonly query: (asked?: StrongQuery<NoInfer<A>> & Abortable) => Promise<QueryPage<A>>
}

/** Makes the Promise interface of strong reads. */
export const promiseStrong = <A>(reads: CoreStrongReads<A>): StrongReads<A> => ({
  get: (key, options) => call(options, (own) => Effect.map(reads.get(key, own), Option.getOrUndefined)),
  getMany: (keys, options) => call(options, (own) => reads.getMany(keys, own)),
  query: (asked) => call(asked, (own) => reads.query(own))
})
