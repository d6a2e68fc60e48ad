/** Laws of processors: promises of whoever runs them, alone or with others, over whatever backend it is given. */
import type { BackendShape, StoreError, StoreShape } from "@persist/core"
import type { Processor } from "@persist/runner"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Fixture } from "./fixture.ts"
import type { Law, Need } from "./law.ts"
import { type Processing, processing } from "./processing.ts"
import type { Change } from "./store-law.ts"
import { makeTurnedClock } from "./turned-clock.ts"

/** A law of processors: it goes through them as they are, or through those it is given. */
export interface ProcessorLaw extends Law {
  readonly check: (fixture: Fixture, through?: Processing) => Effect.Effect<void, unknown, Scope.Scope>
}

/** Something that runs until it's interrupted. */
export type Runner = Fiber.Fiber<never, StoreError>

/** How a law runs processors. */
export interface StartOptions {
  /** The store, as this process sees it; the law's own where nothing is said. */
  readonly store?: StoreShape
  readonly label?: string
}

/** What a law is asked with. */
export interface ProcessorBench extends Processing {
  /**
   * Runs processors as a process of its own would: by the law's clock, looking around all the time, and alive for
   * {@link patience}. It ends with the law.
   */
  readonly start: (
    processors: ReadonlyArray<Processor>,
    options?: StartOptions
  ) => Effect.Effect<Runner, never, Scope.Scope>
  /** Turns the law's clock on by so many milliseconds. */
  readonly turn: (millis: number) => Effect.Effect<void>
  /** Does something by the law's clock. */
  readonly by: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Another store over the same backend, or over a change of it. */
  readonly over: (change: Change) => Effect.Effect<StoreShape, never, Scope.Scope>
  /** A backend in a new, empty place. */
  readonly elsewhere: Effect.Effect<BackendShape, unknown, Scope.Scope>
}

/** How long a law's runners may be silent, in milliseconds; longer than any law takes, so that only turning ends it. */
export const patience = 600_000

/** What every law of processors needs; some say what they need beside it. */
export const needs: ReadonlyArray<Need> = ["readAll", "scan", "atomic", "delete", "changed"]

/** The body of a law: it gets a new, empty store, and what it is asked with. */
export type ProcessorBody = (
  store: StoreShape,
  bench: ProcessorBench
) => Effect.fn.Return<void, unknown, Scope.Scope>

/** Makes laws of one family: `const law = processorLawOf("processors")`, then `law("a sentence", function*() …)`. */
export const processorLawOf =
  (family: string) => (name: string, body: ProcessorBody, more: ReadonlyArray<Need> = []): ProcessorLaw => {
    const asked = Effect.fnUntraced(body)
    return {
      name,
      family,
      needs: [...needs, ...more],
      check: Effect.fnUntraced(function*(fixture, through = processing) {
        const place = yield* fixture.place
        const backend = yield* place.open
        const { by, turn } = yield* makeTurnedClock
        const store = yield* through.makeStore(backend)
        const start: ProcessorBench["start"] = (processors, { label, store: own = store } = {}) =>
          Effect.forkScoped(by(through.run(own, processors, { label, patience, interval: 4 })))
        yield* asked(store, {
          ...through,
          // A slow machine is no broken store: only what never comes is late.
          whenProcessed: (own, processor, position, options) =>
            through.whenProcessed(own, processor, position, { within: patience, ...options }),
          start,
          turn,
          by,
          over: (change) => through.makeStore(change(backend)),
          elsewhere: Effect.flatMap(fixture.place, ({ open }) => open)
        })
      })
    }
  }

/** The same laws, asked of other processors. */
export const throughProcessing = (other: Processing, laws: ReadonlyArray<ProcessorLaw>): ReadonlyArray<Law> =>
  laws.map((law) => ({ ...law, check: (fixture) => law.check(fixture, other) }))
