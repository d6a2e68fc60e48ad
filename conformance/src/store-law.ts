/** Laws of stores: promises that core makes over whatever backend it is given. */
import type { BackendShape, StoreOptions, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Core, core } from "./core.ts"
import type { Fixture } from "./fixture.ts"
import type { Law, Need } from "./law.ts"

/** A law of stores: it goes through core, or through the one it is given. */
export interface StoreLaw extends Law {
  readonly check: (fixture: Fixture, through?: Core) => Effect.Effect<void, unknown, Scope.Scope>
}

/** A store's backend, changed before the store is made over it. */
export type Change = (backend: BackendShape) => BackendShape

/** What a law is asked with. Every store of it is closed with the law's scope. */
export interface Bench {
  readonly core: Core
  /** The backend beneath the law's store. */
  readonly backend: BackendShape
  /** Another store over the same backend, with options or over a change of it; they must not commit at once. */
  readonly over: (change: Change, options?: StoreOptions) => Effect.Effect<StoreShape, never, Scope.Scope>
  /** A store over a second handle; for laws that need `"shared"`. */
  readonly second: Effect.Effect<StoreShape, unknown, Scope.Scope>
  /** A backend in a new, empty place. */
  readonly elsewhere: Effect.Effect<BackendShape, unknown, Scope.Scope>
}

/** The body of a law: it gets a new, empty store, and what it is asked with. */
export type StoreBody = (store: StoreShape, bench: Bench) => Effect.fn.Return<void, unknown, Scope.Scope>

/** Makes laws of one family: `const law = storeLawOf("kv")`, then `law("a sentence", ["scan"], function*(store) …)`. */
export const storeLawOf = (family: string) => (name: string, needs: ReadonlyArray<Need>, body: StoreBody): StoreLaw => {
  const run = Effect.fnUntraced(body)
  return {
    name,
    family,
    needs,
    check: Effect.fnUntraced(function*(fixture, through = core) {
      const place = yield* fixture.place
      const backend = yield* place.open
      const makeStore = through.makeStore
      const bench: Bench = {
        core: through,
        backend,
        over: (change, options) => makeStore(change(backend), options),
        second: Effect.flatMap(place.open, (other) => makeStore(other)),
        elsewhere: Effect.flatMap(fixture.place, ({ open }) => open)
      }
      yield* run(yield* makeStore(backend), bench)
    })
  }
}

/** The same laws, asked of another core. */
export const through = (other: Core | undefined, laws: ReadonlyArray<StoreLaw>): ReadonlyArray<Law> =>
  laws.map((law) => ({ ...law, check: (fixture) => law.check(fixture, other) }))
