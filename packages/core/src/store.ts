/** The store: logs and kvs over one backend, and the commits that change several of them at once. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import type * as Stream from "effect/Stream"
import { type About, Backend, type BackendShape, type NamespaceInfo } from "./backend.ts"
import { anyEvents, type Catalogue, type EventOf, type InputOf } from "./catalogue.ts"
import { type Codec, jsonCodec, type PureSchema, schemaCodec } from "./codec.ts"
import type { CommitId, Committed, Conflict } from "./commit.ts"
import type { Op } from "./draft.ts"
import { type Engine, makeEngine, type StoreOptions } from "./engine.ts"
import type { StoreError } from "./error.ts"
import type { Json } from "./json.ts"
import { type Kv, makeKv } from "./kv.ts"
import { type Log, makeLog } from "./log.ts"
import { nameFault } from "./name.ts"
import { pages } from "./pages.ts"
import { type Position, unbounded } from "./sequence.ts"
import type { CommitOptions } from "./write.ts"

/** What a kv without a schema holds. */
export type AnyValue = Json | Uint8Array

/** A store: everything in it is reached from here. All its verbs fail with `StoreError`s. */
export interface StoreShape {
  /** What the backend says of itself: durability, limits, incarnation. */
  readonly about: About
  /** The log, with every event type (data is JSON or bytes) or with those of a catalogue. */
  readonly log: {
    (): Log<EventOf<typeof anyEvents>, InputOf<typeof anyEvents>>
    <C extends Catalogue>(catalogue: C): Log<EventOf<C>, InputOf<C>>
  }
  /** The keys of one namespace, holding JSON or bytes, or what a schema describes. */
  readonly kv: {
    (namespace: string): Kv<AnyValue>
    <A>(namespace: string, schema: PureSchema<A>): Kv<A>
  }
  /** A namespace of the store's own (`$…`), for those who build on it: user code uses `kv`. */
  readonly system: <A>(namespace: string, schema: PureSchema<A>) => Kv<A>
  /** Makes all operations happen or none. A lost race is a `Conflict`, and then nothing happened. */
  readonly commit: (ops: ReadonlyArray<Op>, options?: CommitOptions) => Effect.Effect<Committed | Conflict, StoreError>
  /** What became of the commit with this id; none means that it never happened. */
  readonly resolve: (id: CommitId) => Effect.Effect<Option.Option<Committed>, StoreError>
  /** The last position given out; 0 in a new store. */
  readonly head: Effect.Effect<Position, StoreError>
  /** Emits once when opened, then at least once after any later commit: a hint to read again. */
  readonly changes: Stream.Stream<void, StoreError>
  /** The namespaces that hold keys, by name, the store's own (`$…`) included. */
  readonly namespaces: () => Stream.Stream<NamespaceInfo, StoreError>
  /** The parts a facet is made of, for those who build another one. */
  readonly engine: Engine
}

/** The service of a store. */
export class Store extends Context.Service<Store, StoreShape>()("@persist/core/Store") {
  /** A store over the `Backend` that's provided. */
  static readonly layer: Layer.Layer<Store, never, Backend> = Layer.effect(
    Store,
    Effect.flatMap(Backend, (backend) => makeStore(backend))
  )
}

/** Makes a store over a backend. Closing the scope flushes the commits that wait; later calls fail with `Invalid`. */
export const makeStore = (
  backend: BackendShape,
  options: StoreOptions = {}
): Effect.Effect<StoreShape, never, Scope> =>
  Effect.map(makeEngine(backend, options), (engine) => ({
    about: engine.about,
    // What `log` and `kv` give for which argument is said by their overloads.
    log: (<C extends Catalogue>(catalogue?: C) =>
      catalogue === undefined
        ? makeLog(engine, anyEvents)
        : makeLog(engine, catalogue)) as StoreShape["log"], // by overloads
    kv: (<A>(namespace: string, schema?: PureSchema<A>) =>
      makeKv<unknown>(engine, namespace, codecOf(schema), false)) as StoreShape["kv"], // by overloads
    system: (namespace, schema) =>
      makeKv(engine, namespace, schemaCodec(schema), true),
    commit: engine.commit,
    resolve: (id) => resolve(engine, id),
    head: engine.reading(undefined, backend.head),
    changes: engine.changes,
    namespaces: () => listNamespaces(engine),
    engine
  }))

const codecOf = (schema: PureSchema | undefined): Codec<unknown> =>
  // Which values a codec takes is checked where the kv's type is given, in `StoreShape.kv`.
  schema === undefined ? jsonCodec as Codec<unknown> : schemaCodec(schema)

const resolve = (engine: Engine, id: CommitId): Effect.Effect<Option.Option<Committed>, StoreError> =>
  Effect.suspend(() => {
    const fault = nameFault("id", id, engine.about.limits.nameBytes)
    return fault === undefined ? engine.reading(undefined, engine.backend.resolve(id)) : Effect.fail(fault)
  })

interface NamespacesFrom {
  readonly after: string | undefined
}

const listNamespaces = (engine: Engine): Stream.Stream<NamespaceInfo, StoreError> =>
  pages<NamespaceInfo, NamespaceInfo, NamespacesFrom>(
    unbounded,
    { after: undefined },
    ({ after }, wanted) =>
      Effect.map(engine.reading(undefined, engine.backend.namespaces({ after, limit: wanted })), (items) => ({
        items,
        next: items.length < wanted ? undefined : { after: items.at(-1)?.namespace }
      })),
    Effect.succeed
  )
