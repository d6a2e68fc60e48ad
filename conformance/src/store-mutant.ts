/** Mutants of stores: core with one function broken, or over a broken backend, and the laws that must notice. */
import type { AppendOptions, BackendShape, Catalogue, Event, Kv, Log, PureSchema, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { type Core, core } from "./core.ts"

/** A bug somebody could write. It must break exactly the laws it names. */
export interface StoreMutant {
  readonly name: string
  /** What is wrong with it, in one sentence. */
  readonly bug: string
  /** Names of the laws of stores that it breaks; all others hold. */
  readonly breaks: ReadonlyArray<string>
  /** Core with the bug in it. */
  readonly core: Core
}

/** Makes a mutant of core's own functions. */
export const coreMutant = (
  name: string,
  bug: string,
  wrong: Partial<Core>,
  breaks: ReadonlyArray<string>
): StoreMutant => ({ name, bug, breaks, core: { ...core, ...wrong } })

/** Makes a mutant whose stores stand on a broken backend. */
export const beneathMutant = (
  name: string,
  bug: string,
  wrong: (backend: BackendShape) => Partial<BackendShape>,
  breaks: ReadonlyArray<string>
): StoreMutant => {
  const makeStore: Core["makeStore"] = (backend, options) => core.makeStore({ ...backend, ...wrong(backend) }, options)
  return coreMutant(name, bug, { makeStore }, breaks)
}

/** Makes a mutant whose stores differ in some of their verbs. */
export const storeMutant = (
  name: string,
  bug: string,
  wrong: (store: StoreShape) => Partial<StoreShape>,
  breaks: ReadonlyArray<string>
): StoreMutant => {
  const makeStore: Core["makeStore"] = (backend, options) =>
    Effect.map(core.makeStore(backend, options), (store) => ({ ...store, ...wrong(store) }))
  return coreMutant(name, bug, { makeStore }, breaks)
}

/** Makes a mutant whose logs differ in some of their verbs. */
export const logMutant = (
  name: string,
  bug: string,
  wrong: <E extends Event, I>(log: Log<E, I>, store: StoreShape) => Partial<Log<E, I>>,
  breaks: ReadonlyArray<string>
): StoreMutant =>
  storeMutant(name, bug, (store) => {
    const broken = <E extends Event, I>(log: Log<E, I>): Log<E, I> => ({ ...log, ...wrong(log, store) })
    const log = (catalogue?: Catalogue) => catalogue === undefined ? broken(store.log()) : broken(store.log(catalogue))
    return { log: log as StoreShape["log"] } // by overloads
  }, breaks)

/** Makes a mutant whose kvs differ in some of their verbs. */
export const kvMutant = (
  name: string,
  bug: string,
  wrong: <A>(kv: Kv<A>, store: StoreShape) => Partial<Kv<A>>,
  breaks: ReadonlyArray<string>
): StoreMutant =>
  storeMutant(name, bug, (store) => {
    const broken = <A>(kv: Kv<A>): Kv<A> => ({ ...kv, ...wrong(kv, store) })
    const kv = (namespace: string, schema?: PureSchema) =>
      schema === undefined ? broken(store.kv(namespace)) : broken(store.kv(namespace, schema))
    // as above
    return { kv: kv as StoreShape["kv"], system: (namespace, schema) => broken(store.system(namespace, schema)) }
  }, breaks)

/** Makes something once for each store. */
export const perStore = <A>(make: () => A): (store: StoreShape) => A => {
  const made = new WeakMap<StoreShape, A>()
  return (store) => {
    const one = made.get(store) ?? make()
    made.set(store, one)
    return one
  }
}

/** A log whose appends are asked for, or run, otherwise than they are called. */
export const appending = <E, I>(
  log: Log<E, I>,
  asked: (options: AppendOptions) => AppendOptions = (options) => options,
  ran: <A, F>(append: Effect.Effect<A, F>) => Effect.Effect<A, F> = (append) => append
): Partial<Log<E, I>> => ({
  // The overloads differ only in what they promise.
  append:
    ((stream: string, events: I | ReadonlyArray<I>, options: AppendOptions) =>
      ran(log.append(stream, events, asked(options)))) as Log<E, I>["append"] // by overloads
})
