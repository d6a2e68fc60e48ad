/** Trials of options: each is given and left out in a case where that must make a difference. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Broken, broken, same, show } from "./assertion.ts"

/** What is seen without an option, and with it. */
export type Trial = readonly [without: Attempt, withIt: Attempt]

type Attempt = Effect.Effect<unknown, unknown, Scope.Scope>

/** Trials of something that is asked with options and without. */
export const trialOf = <O>(attempt: (options: O) => Attempt) => (withIt: O, without: O): Trial => [
  attempt(without),
  attempt({ ...without, ...withIt })
]

/** One trial for every option there is: the compiler names those that are missing. */
export type Trials<Options> = { readonly [Name in keyof Required<Options>]: Trial }

/** Fails unless every option makes its difference; what a call fails with is seen like what it answers. */
export const different = <Options>(trials: Trials<Options>): Effect.Effect<void, Broken, Scope.Scope> =>
  Effect.forEach(
    Object.entries<Trial>(trials),
    Effect.fnUntraced(function*([name, [without, withIt]]) {
      const [before, after] = [yield* seen(without), yield* seen(withIt)]
      if (same(before, after)) return yield* broken(`${name} makes no difference: ${show(before)} with and without it`)
    }),
    { discard: true }
  )

const seen = (attempt: Attempt): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.map(Effect.exit(attempt), (exit) => {
    if (Exit.isSuccess(exit)) return exit.value
    const error = Cause.squash(exit.cause)
    return typeof error === "object" && error !== null && "_tag" in error
      ? `fails: ${String(error._tag)}`
      : String(error)
  })

/** A trial of something that is read with options and without: what its items are by `by`. */
export const reading = <O extends object, A, E>(
  read: (options: O) => Stream.Stream<A, E>,
  by: (item: A) => unknown
) =>
(options: O, without: O): Trial => {
  const items = (given: O) => Effect.map(Stream.runCollect(read(given)), (found) => found.map(by))
  return [items(without), items({ ...without, ...options })]
}
