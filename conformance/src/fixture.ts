/** Where the kit gets its stores from: places that hold one store each, opened as often as a law asks. */
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** One isolated place where a store may be: a directory, a database, a bucket, an object in memory. */
export interface Place {
  /**
   * Opens a handle on the store in this place; closed with the scope. The first meets an empty store. While another
   * is open it is a second handle on the same store where `about.shared`; a store that isn't shared may refuse, or
   * open another, empty one. After all were closed it is the same store again, unless `about.durability` is
   * `"memory"`.
   */
  readonly open: Effect.Effect<BackendShape, unknown, Scope.Scope>
  /** Makes the next commit in this place fail on its way to the disk, after it was judged, where that can be done. */
  readonly breakNextCommit?: Effect.Effect<void>
}

/** A kind of store, as the kit meets it: `place` gives a new, empty place, cleared away with the scope. */
export interface Fixture {
  /** What the scoreboard calls it. */
  readonly name: string
  readonly place: Effect.Effect<Place, unknown, Scope.Scope>
}

/** A layer between the kit and a backend: itself a store of the same kind, so every law holds through it. */
export interface Wrapper {
  readonly name: string
  readonly wrap: (backend: BackendShape) => Effect.Effect<BackendShape, unknown, Scope.Scope>
}

/** Makes a fixture for a store that can't be opened twice: each place is a new one, as in memory. */
export const fromOpen = (name: string, open: Place["open"]): Fixture => ({ name, place: Effect.succeed({ open }) })

/** Puts wrappers around every handle of a fixture, the first innermost. */
export const wrapped = (fixture: Fixture, ...wrappers: ReadonlyArray<Wrapper>): Fixture => ({
  name: [fixture.name, ...wrappers.map(({ name }) => name)].join(" + "),
  place: Effect.map(fixture.place, (place) => ({
    ...place,
    open: wrappers.reduce((open, { wrap }) => Effect.flatMap(open, wrap), place.open)
  }))
})

/** Whether something a module exports can serve as a fixture. */
export const isFixture = (u: unknown): u is Fixture =>
  typeof u === "object" && u !== null && "name" in u && typeof u.name === "string" && "place" in u
  && Effect.isEffect(u.place)
