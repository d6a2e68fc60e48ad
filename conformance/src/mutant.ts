/** A mutant: a store that is right but for one step, and the laws that must notice. */
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Fixture, Place } from "./fixture.ts"

/** A bug somebody could write. It must break exactly the laws it names. */
export interface Mutant {
  readonly name: string
  /** What is wrong with it, in one sentence. */
  readonly bug: string
  /** Names of the laws it breaks; all others hold. */
  readonly breaks: ReadonlyArray<string>
  /** The fixture with the bug in it. */
  readonly plant: (fixture: Fixture) => Fixture
}

/** The verbs that are wrong. */
export type Wrong = Partial<BackendShape>

/** Makes a mutant that differs in what its handles do, whichever handle it is. */
export const mutant = (
  name: string,
  bug: string,
  wrong: (backend: BackendShape) => Wrong,
  breaks: ReadonlyArray<string>
): Mutant => placeMutant(name, bug, () => wrong, breaks)

/** Which handle of a place this is: `handle` counts those ever opened, `life` the times the place was open, from 1. */
export interface Opening {
  readonly handle: number
  readonly life: number
}

/** Makes a mutant that keeps something for each place: `begin` is called for each, what it gives for each handle. */
export const placeMutant = (
  name: string,
  bug: string,
  begin: () => (backend: BackendShape, opening: Opening) => Wrong,
  breaks: ReadonlyArray<string>
): Mutant => ({
  name,
  bug,
  breaks,
  plant: (fixture) => ({ name, place: Effect.map(fixture.place, (place) => plantIn(place, begin())) })
})

const plantIn = (place: Place, wrong: (backend: BackendShape, opening: Opening) => Wrong): Place => {
  let handle = 0
  let life = 0
  let open = 0
  return {
    ...place,
    open: Effect.gen(function*() {
      const backend = yield* place.open
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          if (open++ === 0) life++
          handle++
        }),
        () => Effect.sync(() => open--)
      )
      return { ...backend, ...wrong(backend, { handle, life }) }
    })
  }
}
