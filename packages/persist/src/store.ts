/** The store as Promises: logs and kvs over one backend, and the commits that change several of them at once. */
import type {
  About,
  anyEvents,
  AnyValue,
  Catalogue,
  CommitId,
  CommitOptions,
  Committed,
  Conflict,
  EventOf,
  InputOf,
  NamespaceInfo,
  Op,
  Position,
  PureSchema,
  ReadModel,
  StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { type Kv, type KvReads, promiseKv, promiseKvReads } from "./kv.ts"
import { type Log, promiseLog } from "./log.ts"
import { endFor } from "./own-end.ts"
import { type Projections, promiseProjections } from "./projections.ts"
import { promiseReaders, type Readers } from "./readers.ts"
import { type Following, following, plain, type Reading, reading } from "./reading.ts"
import { promiseRetention, type Retention } from "./retention.ts"
import { type Abortable, call, callPlain } from "./run.ts"
import { keepSurroundings, surroundingsOf } from "./surroundings.ts"

/**
 * An open store; everything in it is reached from here. All its verbs reject with the store's errors, which are classes
 * with a `_tag` and say in their message what to do. Close it, or open it with `await using`.
 */
export interface Store extends Projections, Readers, Retention, AsyncDisposable {
  /** What the backend says of itself: durability, limits, incarnation. */
  readonly about: About
  /** The log, with every event type (data is JSON or bytes) or with those of a catalogue. */
  readonly log: {
    (): Log<EventOf<typeof anyEvents>, InputOf<typeof anyEvents>>
    <C extends Catalogue>(catalogue: C): Log<EventOf<C>, InputOf<C>>
  }
  /** The keys of one namespace, holding JSON or bytes, or what a schema describes; or the states of a read model. */
  readonly kv: {
    (namespace: string): Kv<AnyValue>
    <A>(namespace: string, schema: PureSchema<A>): Kv<A>
    <C extends Catalogue, A>(model: ReadModel<C, A>): KvReads<A>
  }
  /** Makes all operations happen or none. A lost race is a `Conflict`, and then nothing happened. */
  readonly commit: (ops: ReadonlyArray<Op>, options?: CommitOptions & Abortable) => Promise<Committed | Conflict>
  /** What became of the commit with this id; `undefined` means that it never happened. */
  readonly resolve: (id: CommitId, options?: Abortable) => Promise<Committed | undefined>
  /** The last position given out; 0 in a new store. */
  readonly head: (options?: Abortable) => Promise<Position>
  /** Emits once when opened, then at least once after any later commit: a hint to read again. */
  readonly changes: (options?: Abortable) => Following<void>
  /** The namespaces that hold keys, by name, the store's own (`$…`) included. */
  readonly namespaces: (options?: Abortable) => Reading<NamespaceInfo>
  /** The same store as Effect code takes it. */
  readonly effect: StoreShape
  /**
   * Flushes the commits that wait and releases everything; loops that wait for what comes end. Later calls are
   * `Invalid`. Closing again is closing once. A subscription's handler may call it, but not wait for it: see
   * `Running.stop`.
   */
  readonly close: () => Promise<void>
}

/** Makes the Promise interface of a store; closing it closes the scope. */
export const promiseStore = (store: StoreShape, scope: Scope.Closeable): Store => {
  const surroundings = surroundingsOf(scope, store.about.shared)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= Effect.runPromise(Scope.close(scope, Exit.void))
    return endFor((caller) => surroundings.runs.has(caller), "close", closing)
  }
  const log = (catalogue?: Catalogue) =>
    catalogue === undefined ? promiseLog(store.log()) : promiseLog(store.log(catalogue))
  const kv = (from: string | ReadModel<Catalogue, unknown>, schema?: PureSchema) =>
    typeof from === "object" && from !== null
      ? promiseKvReads(from.kv(store), surroundings)
      : schema === undefined
      ? promiseKv(store.kv(from), surroundings)
      : promiseKv(store.kv(from, schema), surroundings)
  const opened: Store = {
    about: store.about,
    log: log as Store["log"], // by overloads, which are core's
    kv: kv as Store["kv"], // by overloads, which are core's
    commit: (ops, options) => call(options, (own) => store.commit(ops, own)),
    resolve: (id, options) => callPlain(options, () => Effect.map(store.resolve(id), Option.getOrUndefined)),
    head: (options) => callPlain(options, () => store.head),
    changes: (options) => following(surroundings, options, plain(store.changes)),
    namespaces: (options) => reading(options, plain(store.namespaces())),
    effect: store,
    ...promiseProjections(store),
    ...promiseReaders(store, surroundings),
    ...promiseRetention(store),
    close,
    [Symbol.asyncDispose]: close
  }
  keepSurroundings(opened, surroundings)
  return opened
}
