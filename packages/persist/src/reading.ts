/** What is read, as async iterables: page by page, nothing before it's asked for. */
import type { StoreError } from "@persist/core"
import * as Stream from "effect/Stream"
import { Cursor } from "./cursor.ts"
import { type Abortable, type Own, plainFault, run, runUntil, split } from "./run.ts"
import type { Surroundings } from "./surroundings.ts"

/**
 * Something to read that never ends by itself: `for await (const one of following)` goes on until it is left, the
 * signal aborts (then it throws the reason), or the store closes. Each loop starts anew.
 */
export interface Following<A> {
  readonly [Symbol.asyncIterator]: () => AsyncIterator<A, undefined>
}

/** Something to read: in a loop, `for await (const one of reading)`, or all at once. Each time it is read anew. */
export interface Reading<A> extends Following<A> {
  /** Reads everything into an array. */
  readonly toArray: () => Promise<Array<A>>
}

/** The reading of a verb's stream that ends. */
export const reading = <O extends Abortable | undefined, A>(
  options: O,
  verb: (own: Own<O>) => Stream.Stream<A, StoreError>
): Reading<A> => {
  const [own, signal] = split(options)
  const source = verb(own)
  const all = () => Stream.runCollect(source)
  return {
    [Symbol.asyncIterator]: () => new Cursor(source, signal, undefined),
    toArray: () => signal === undefined ? run(all, undefined) : runUntil(signal, all)
  }
}

/** The reading of a verb's stream that waits for more. */
export const following = <O extends Abortable | undefined, A>(
  surroundings: Surroundings,
  options: O,
  verb: (own: Own<O>) => Stream.Stream<A, StoreError>
): Following<A> => {
  const [own, signal] = split(options)
  const source = verb(own)
  return { [Symbol.asyncIterator]: () => new Cursor(source, signal, surroundings) }
}

/** The stream of a verb that core gives no options: the signal is its only one, and it fails `Invalid` for others. */
export const plain = <A>(
  source: Stream.Stream<A, StoreError>
): (own: object | undefined) => Stream.Stream<A, StoreError> =>
(own) => {
  const fault = plainFault(own)
  return fault === undefined ? source : Stream.fail(fault)
}
