/** A law: one sentence about every store, and the check that tells whether it holds; no test runner inside. */
import type { Ability, BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Fixture, Place } from "./fixture.ts"

/**
 * What a law needs of a store before it can be asked: an ability that `about.lacks` may name, a store that outlives its
 * handle (`"durable"`), one that several handles may write to (`"shared"`), or a place that can break a commit
 * (`"breakable"`). A store that declares it hasn't that is asked to keep to its declaration instead.
 */
export type Need = Ability | "durable" | "shared" | "breakable"

/** What a law's check is: it succeeds where the law holds, and fails with the reason where it doesn't. */
export type Check = (fixture: Fixture) => Effect.Effect<void, unknown, Scope.Scope>

/** One promise of the protocol. Its name is the sentence by which the docs and the scoreboard know it. */
export interface Law {
  readonly name: string
  /** What the laws beside it are about, as in the name of the file that has them. */
  readonly family: string
  readonly needs: ReadonlyArray<Need>
  readonly check: Check
}

/** The body of a law: it gets a new, empty store and the place where that is. */
export type Body = (backend: BackendShape, place: Place) => Effect.fn.Return<void, unknown, Scope.Scope>

/** The body of a law that opens the store itself, as often as it likes. */
export type PlaceBody = (place: Place) => Effect.fn.Return<void, unknown, Scope.Scope>

/** Makes the laws of one family: `const law = lawOf("keys")`, then `law("a sentence", [], function*(backend) …)`. */
export const lawOf = (family: string) => (name: string, needs: ReadonlyArray<Need>, body: Body): Law => {
  const run = Effect.fnUntraced(body)
  return {
    name,
    family,
    needs,
    check: Effect.fnUntraced(function*(fixture) {
      const place = yield* fixture.place
      yield* run(yield* place.open, place)
    })
  }
}

/** Makes the laws of one family whose bodies get a place with nothing in it, and open and close the store there. */
export const placeLawOf = (family: string) => (name: string, needs: ReadonlyArray<Need>, body: PlaceBody): Law => {
  const run = Effect.fnUntraced(body)
  return { name, family, needs, check: (fixture) => Effect.flatMap(fixture.place, run) }
}
