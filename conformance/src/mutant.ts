/** A mutant: a store that is right but for one step, and the laws that must notice. */
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Fixture } from "./fixture.ts"

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

/** Makes a mutant that differs in what its handles do: `change` gives the verbs that are wrong. */
export const mutant = (
  name: string,
  bug: string,
  change: (backend: BackendShape) => Partial<BackendShape>,
  breaks: ReadonlyArray<string>
): Mutant => ({
  name,
  bug,
  breaks,
  plant: (fixture) => ({
    name,
    place: Effect.map(fixture.place, (place) => ({
      ...place,
      open: Effect.map(place.open, (backend) => ({ ...backend, ...change(backend) }))
    }))
  })
})
