/** The kv as Promises: current values by key in namespaces, each with a revision to compare and set by. */
import type {
  Change,
  CommitOptions,
  Committed,
  Conflict,
  DeleteOptions,
  Entry,
  KeyWritten,
  Kv as CoreKv,
  KvOps,
  KvReads as CoreKvReads,
  PutOptions,
  ReadOptions,
  ScanOptions,
  SinceOptions,
  Unconditional
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Following, following, type Reading, reading } from "./reading.ts"
import { type Abortable, call, callOption } from "./run.ts"
import type { Surroundings } from "./surroundings.ts"

/**
 * The keys of one namespace, which is there as soon as it holds one. Every verb may reject with the store's errors:
 * `Invalid` and `LimitExceeded` (mend the call), `Unavailable` (try again), `OutcomeUnknown` (resolve the commit),
 * `Corrupt` (a stored value that the schema can't read), `Unsupported` and `Denied`.
 */
export interface Kv<A> {
  readonly namespace: string
  /** The key's value; `undefined` where there is no such key, which differs from a stored `null`. */
  readonly get: (key: string, options?: ReadOptions & Abortable) => Promise<A | undefined>
  /** The key's value with its revision, time and metadata. */
  readonly entry: (key: string, options?: ReadOptions & Abortable) => Promise<Entry<A> | undefined>
  /** The entries of several keys, in their order, as one consistent read. */
  readonly getMany: (
    keys: ReadonlyArray<string>,
    options?: ReadOptions & Abortable
  ) => Promise<ReadonlyArray<Entry<A> | undefined>>
  readonly has: (key: string, options?: ReadOptions & Abortable) => Promise<boolean>
  /** How many keys there are, in all or within bounds. */
  readonly count: (options?: ScanOptions & Abortable) => Promise<number>
  /** The entries in the order of their keys' UTF-8 bytes, within bounds. Keys written meanwhile don't disturb it. */
  readonly scan: (options?: ScanOptions & Abortable) => Reading<Entry<A>>
  /** Puts a value; with `expected` it's a compare-and-set, and a lost race is a `Conflict`: nothing happened then. */
  readonly put: {
    (key: string, value: A, options?: Unconditional<PutOptions> & Abortable): Promise<KeyWritten>
    (key: string, value: A, options: PutOptions & Abortable): Promise<KeyWritten | Conflict>
  }
  /** Deletes a key; deleting what isn't there changes nothing. */
  readonly delete: {
    (key: string, options?: Unconditional<DeleteOptions> & Abortable): Promise<KeyWritten>
    (key: string, options: DeleteOptions & Abortable): Promise<KeyWritten | Conflict>
  }
  /** Puts several values in one commit. */
  readonly putMany: (
    values: Iterable<readonly [key: string, value: A]>,
    options?: CommitOptions & Abortable
  ) => Promise<Committed>
  /** Deletes several keys in one commit. */
  readonly deleteMany: (keys: Iterable<string>, options?: CommitOptions & Abortable) => Promise<Committed>
  /** Deletes every key of the namespace in one commit. */
  readonly clear: (options?: CommitOptions & Abortable) => Promise<Committed>
  /** What changed since a position, each key once at its last write, deletions included; it ends at the head. */
  readonly changedSince: (options: SinceOptions & Abortable) => Reading<Change<A>>
  /** What changed since a position (`after`, or from now on), then whatever changes; it never ends by itself. */
  readonly watch: (options?: Partial<SinceOptions> & Abortable) => Following<Change<A>>
  /** The same operations as parts of a larger commit: `store.commit([log.ops.append(…), kv.ops.put(…)])`. */
  readonly ops: KvOps<A>
}

/** The verbs of a kv that read. */
export type KvReads<A> = Pick<
  Kv<A>,
  "namespace" | "get" | "entry" | "getMany" | "has" | "count" | "scan" | "changedSince" | "watch"
>

/** Makes the Promise interface of what reads a kv. */
export const promiseKvReads = <A>(kv: CoreKvReads<A>, surroundings: Surroundings): KvReads<A> => ({
  namespace: kv.namespace,
  get: (key, options) => callOption(options, (own) => kv.get(key, own)),
  entry: (key, options) => callOption(options, (own) => kv.entry(key, own)),
  getMany: (keys, options) =>
    call(options, (own) => Effect.map(kv.getMany(keys, own), (found) => found.map(Option.getOrUndefined))),
  has: (key, options) => call(options, (own) => kv.has(key, own)),
  count: (options) => call(options, kv.count),
  scan: (options) => reading(options, kv.scan),
  changedSince: (options) => reading(options, kv.changedSince),
  watch: (options) => following(surroundings, options, kv.watch)
})

/** Makes the Promise interface of a kv. */
export const promiseKv = <A>(kv: CoreKv<A>, surroundings: Surroundings): Kv<A> => {
  const put = (key: string, value: A, options: PutOptions & Abortable) =>
    call(options, (own) => kv.put(key, value, own))
  const remove = (key: string, options: DeleteOptions & Abortable) => call(options, (own) => kv.delete(key, own))
  return {
    ...promiseKvReads(kv, surroundings),
    put: put as Kv<A>["put"], // by overloads, which are core's
    putMany: (values, options) => call(options, (own) => kv.putMany(values, own)),
    delete: remove as Kv<A>["delete"], // by overloads, which are core's
    deleteMany: (keys, options) => call(options, (own) => kv.deleteMany(keys, own)),
    clear: (options) => call(options, kv.clear),
    ops: kv.ops
  }
}
