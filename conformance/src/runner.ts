/** Asks a store whether the laws hold, and reports; a defect, a refusal to open or a law without end is a failure. */
import type { About } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { declaration, missing } from "./declaration.ts"
import type { Fixture } from "./fixture.ts"
import type { Law, Need } from "./law.ts"

/** What came of one law. `Declined`: the store declares it hasn't what the law needs, and keeps to that. */
export type Verdict =
  | { readonly _tag: "Passed" }
  | { readonly _tag: "Declined"; readonly needs: ReadonlyArray<Need> }
  | { readonly _tag: "Failed"; readonly reason: string }

/** A law and what came of it. */
export interface Answer {
  readonly name: string
  readonly family: string
  readonly outcome: Verdict
}

/** What a store is and which laws it obeys; `passed` counts those it declined and was right to. */
export interface Report {
  readonly backend: string
  /** What the store said of itself; `undefined` where it could not be opened. */
  readonly about: About | undefined
  readonly laws: ReadonlyArray<Answer>
  readonly passed: number
  readonly total: number
}

/** How to run the laws; both have a default. */
export interface Options {
  /** How many laws at once: 4. */
  readonly concurrency?: number
  /** Milliseconds after which a law counts as one that never ends: 30,000. A guard, and no part of any law. */
  readonly limit?: number
  /** Told of each law as it is answered. */
  readonly onAnswer?: (answer: Answer, done: number, total: number) => void
}

/** Asks one law of a store. Never fails: what goes wrong is the verdict. */
export const ask = (fixture: Fixture, law: Law, limit = 30_000): Effect.Effect<Verdict> => asker(fixture, limit)(law)

/** Asks laws of a store, one by one, and what the store says of itself only once: that takes a store of its own. */
export const asker = (fixture: Fixture, limit: number): (law: Law) => Effect.Effect<Verdict> => {
  let known: About | undefined
  const about = Effect.suspend(() =>
    known === undefined
      ? Effect.tap(aboutOf(fixture), (told) =>
        Effect.sync(() => {
          known = told
        }))
      : Effect.succeed(known)
  )
  return (law) => guarded(Effect.flatMap(about, (told) => judgeBy(fixture, told, law)), limit)
}

const guarded = (verdict: Effect.Effect<Verdict, unknown, Scope.Scope>, limit: number): Effect.Effect<Verdict> =>
  Effect.scoped(verdict).pipe(
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.succeed<Verdict>({ _tag: "Failed", reason: `did not finish within ${limit} ms` })
    }),
    Effect.catchCause((cause) => Effect.succeed<Verdict>({ _tag: "Failed", reason: reasonOf(cause) }))
  )

const judgeBy = Effect.fnUntraced(function*(fixture: Fixture, about: About, law: Law): Effect.fn.Return<
  Verdict,
  unknown,
  Scope.Scope
> {
  const needs = yield* missing(fixture, about, law.needs)
  if (needs.length === 0) {
    yield* law.check(fixture)
    return { _tag: "Passed" }
  }
  for (const need of needs) yield* declaration(need)(fixture)
  return { _tag: "Declined", needs }
})

const aboutOf = (fixture: Fixture) =>
  Effect.scoped(Effect.flatMap(fixture.place, (place) => Effect.map(place.open, ({ about }) => about)))

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return String(error)
  return cause.reasons.some(({ _tag }) => _tag === "Die") ? `died: ${error.stack ?? error.message}` : error.message
}

/** Asks every law of a store, some at once. */
export const run = Effect.fnUntraced(
  function*(fixture: Fixture, laws: ReadonlyArray<Law>, options: Options = {}): Effect.fn.Return<Report> {
    const { concurrency = 4, limit = 30_000, onAnswer } = options
    const about = yield* aboutOf(fixture).pipe(Effect.catchCause(() => Effect.succeed(undefined)))
    let done = 0
    const answers = yield* Effect.forEach(
      laws,
      (law) =>
        Effect.map(
          about ? guarded(judgeBy(fixture, about, law), limit) : ask(fixture, law, limit),
          (outcome): Answer => {
            const answer = { name: law.name, family: law.family, outcome }
            onAnswer?.(answer, ++done, laws.length)
            return answer
          }
        ),
      { concurrency }
    )
    return {
      backend: fixture.name,
      about,
      laws: answers,
      passed: answers.filter(({ outcome }) => outcome._tag !== "Failed").length,
      total: answers.length
    }
  }
)
