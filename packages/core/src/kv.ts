/** The kv: current values by key in namespaces, each with a revision to compare and set by. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import type { KeyName, StoredEntry } from "./backend.ts"
import { type Codec, decodeAll } from "./codec.ts"
import type { Committed, Conflict } from "./commit.ts"
import { type Op, opOf } from "./draft.ts"
import { type Engine, type ReadOptions, unconditional } from "./engine.ts"
import type { Corrupt, StoreError } from "./error.ts"
import type { Meta } from "./event.ts"
import * as Fault from "./fault.ts"
import { stringifyJson } from "./json.ts"
import {
  type Change,
  changedSince,
  countKeys,
  decodeEntry,
  decodeValue,
  scanKeys,
  type SinceOptions,
  watchKeys
} from "./kv-read.ts"
import { isReserved, nameFault, reservedFault } from "./name.ts"
import { suspended, suspendedThen } from "./posted.ts"
import type { ScanOptions } from "./range.ts"
import type { Position, PositionInput } from "./sequence.ts"
import { commitKeys, type CommitOptions } from "./write.ts"

/** A key's value with what goes with it. */
export interface Entry<A> {
  readonly key: string
  readonly value: A
  /** The position of its last write: what a compare-and-set expects. */
  readonly revision: Position
  /** When it was written, in milliseconds since 1970. */
  readonly at: number
  readonly meta: Meta | undefined
}

/** What a key must be for a write to happen. */
export type ExpectedKey = PositionInput | "absent" | "exists" | "any"

/** What a write expects of its key, its metadata, and the commit's id and time. */
export interface PutOptions extends CommitOptions {
  readonly expected?: ExpectedKey | undefined
  readonly meta?: Meta | undefined
}

/** What a delete expects of its key, and the commit's id and time. */
export interface DeleteOptions extends CommitOptions {
  readonly expected?: ExpectedKey | undefined
}

/** Options that expect nothing, so that no conflict is possible. */
export type Unconditional<Options> = Options & { readonly expected?: "any" | undefined }

/** The write happened; `revision` is what the next compare-and-set expects. */
export interface KeyWritten {
  readonly _tag: "Committed"
  readonly key: string
  readonly revision: Position
  /** True where the same commit had happened before under this id. */
  readonly repeated: boolean
}

/** The operations of a kv as parts of a commit: nothing happens until `commit` is given them. */
export interface KvOps<A> {
  readonly put: (key: string, value: A, options?: Pick<PutOptions, "expected" | "meta">) => Op
  readonly delete: (key: string, options?: Pick<DeleteOptions, "expected">) => Op
  /** Only expects something of a key. */
  readonly check: (key: string, expected: ExpectedKey) => Op
  /** Deletes every key of the namespace. */
  readonly clear: () => Op
}

/**
 * The keys of one namespace, which is there as soon as it holds one. Every verb may fail with the store's errors:
 * `Invalid` and `LimitExceeded` (mend the call), `Unavailable` (try again), `OutcomeUnknown` (resolve the commit),
 * `Corrupt` (a stored value that the schema can't read), `Unsupported` and `Denied`.
 */
export interface Kv<A> {
  readonly namespace: string
  /** The key's value; none where there is no such key, which differs from a stored `null`. */
  readonly get: (key: string, options?: ReadOptions) => Effect.Effect<Option.Option<A>, StoreError>
  /** The key's value with its revision, time and metadata. */
  readonly entry: (key: string, options?: ReadOptions) => Effect.Effect<Option.Option<Entry<A>>, StoreError>
  /** The entries of several keys, in their order, as one consistent read. */
  readonly getMany: (
    keys: ReadonlyArray<string>,
    options?: ReadOptions
  ) => Effect.Effect<ReadonlyArray<Option.Option<Entry<A>>>, StoreError>
  readonly has: (key: string, options?: ReadOptions) => Effect.Effect<boolean, StoreError>
  /** How many keys there are, in all or within bounds. */
  readonly count: (options?: ScanOptions) => Effect.Effect<number, StoreError>
  /** The entries in the order of their keys' UTF-8 bytes, within bounds. Keys written meanwhile don't disturb it. */
  readonly scan: (options?: ScanOptions) => Stream.Stream<Entry<A>, StoreError>
  /** Puts a value; with `expected` it's a compare-and-set, and a lost race is a `Conflict`: nothing happened then. */
  readonly put: {
    (key: string, value: A, options?: Unconditional<PutOptions>): Effect.Effect<KeyWritten, StoreError>
    (key: string, value: A, options: PutOptions): Effect.Effect<KeyWritten | Conflict, StoreError>
  }
  /** Deletes a key; deleting what isn't there changes nothing. */
  readonly delete: {
    (key: string, options?: Unconditional<DeleteOptions>): Effect.Effect<KeyWritten, StoreError>
    (key: string, options: DeleteOptions): Effect.Effect<KeyWritten | Conflict, StoreError>
  }
  /** Puts several values in one commit. */
  readonly putMany: (
    values: Iterable<readonly [key: string, value: A]>,
    options?: CommitOptions
  ) => Effect.Effect<Committed, StoreError>
  /** Deletes several keys in one commit. */
  readonly deleteMany: (keys: Iterable<string>, options?: CommitOptions) => Effect.Effect<Committed, StoreError>
  /** Deletes every key of the namespace in one commit. */
  readonly clear: (options?: CommitOptions) => Effect.Effect<Committed, StoreError>
  /** What changed since a position, each key once at its last write, deletions included; it ends at the head. */
  readonly changedSince: (options: SinceOptions) => Stream.Stream<Change<A>, StoreError>
  /** What changed since a position (`after`, or from now on), then whatever changes; it never ends by itself. */
  readonly watch: (options?: Partial<SinceOptions>) => Stream.Stream<Change<A>, StoreError>
  /** The same operations as parts of a larger commit. */
  readonly ops: KvOps<A>
}

/** Makes the kv of one namespace over a store's engine; `writable` lets the store itself into its `$` namespaces. */
export const makeKv = <A>(engine: Engine, namespace: string, codec: Codec<A>, writable: boolean): Kv<A> => {
  const place = { codec, namespace, writable }
  const ops = makeOps(engine, place, [])
  // The id and the time are the commit's: a verb that is one takes them, a part of one does not.
  const verbs = makeOps(engine, place, commitKeys)
  const getMany: Kv<A>["getMany"] = (keys, options) =>
    Effect.flatMap(
      suspended(() => lookUp(engine, keys.map((key) => ({ namespace, key })), options)),
      (entries) => decodeAll(entries, decodeFound(codec))
    )
  // A key alone is what is asked for most: it takes one step less for each that it can do without.
  const only = <B>(key: string, options: ReadOptions | undefined, answer: (found: Found) => Exit.Exit<B, Corrupt>) =>
    suspendedThen(() => lookUp(engine, [{ namespace, key }], options), answer)
  const toValue = ofFound((entry) => decodeValue(codec, entry))
  const toEntry = ofFound((entry) => decodeEntry(codec, entry))
  const write = (key: string, op: Op, options: CommitOptions | undefined) =>
    engine.write(op["~persist/Op"], options, ofOneWrite(key))
  const many = (made: ReadonlyArray<Op>, options: CommitOptions | undefined) =>
    unconditional(engine.commit(made, options))
  const put = (key: string, value: A, options?: PutOptions) => write(key, verbs.put(key, value, options), options)
  const remove = (key: string, options?: DeleteOptions) => write(key, verbs.delete(key, options), options)
  return {
    namespace,
    get: (key, options) => only(key, options, toValue),
    entry: (key, options) => only(key, options, toEntry),
    getMany,
    has: (key, options) => only(key, options, isThere),
    count: (options) => countKeys(engine, namespace, options),
    scan: (options) => scanKeys(engine, namespace, codec, options),
    // That nothing expected can't conflict is the backend's law, beyond what inference sees; so for `delete`.
    put: put as Kv<A>["put"],
    delete: remove as Kv<A>["delete"], // as for `put`
    putMany: (values, options) => many(Array.from(values, ([key, value]) => ops.put(key, value)), options),
    deleteMany: (keys, options) => many(Array.from(keys, (key) => ops.delete(key)), options),
    clear: (options) => many([ops.clear()], options),
    changedSince: (options) => changedSince(engine, namespace, codec, options),
    watch: (options) => watchKeys(engine, namespace, codec, options),
    ops
  }
}

const makeOps = <A>(
  { about: { incarnation } }: Engine,
  { codec, namespace, writable }: { readonly codec: Codec<A>; readonly namespace: string; readonly writable: boolean },
  ofCommit: ReadonlyArray<string>
): KvOps<A> => {
  const putKeys = ["expected", "meta", ...ofCommit]
  const deleteKeys = ["expected", ...ofCommit]
  const forbidden = writable || !isReserved(namespace) ? undefined : reservedFault("namespace", namespace)
  return {
    put: (key, value, options) =>
      opOf(incarnation, (draft) => {
        const fault = forbidden ?? Fault.optionsFault(options, putKeys)
        if (fault !== undefined) return fault
        const encoded = codec.encode("value", value)
        if (Result.isFailure(encoded)) return encoded.failure
        const meta = options?.meta === undefined ? undefined : stringifyJson("meta", options.meta)
        if (meta !== undefined && Result.isFailure(meta)) return meta.failure
        return draft.put(
          { namespace, key, value: encoded.success, meta: meta?.success },
          options?.expected ?? "any"
        )
      }),
    delete: (key, options) =>
      opOf(incarnation, (draft) =>
        forbidden ?? Fault.optionsFault(options, deleteKeys) ??
          draft.delete(namespace, key, options?.expected ?? "any")),
    check: (key, expected) => opOf(incarnation, (draft) => draft.checkKey(namespace, key, expected)),
    clear: () => opOf(incarnation, (draft) => forbidden ?? draft.clear(namespace))
  }
}

const ofOneWrite = (key: string) => (outcome: Committed | Conflict): KeyWritten | Conflict => {
  if (outcome._tag === "Conflict") return outcome
  return { _tag: "Committed", key, revision: outcome.revisions[0] ?? outcome.position, repeated: outcome.repeated }
}

/** What a backend has found under the keys it was asked for. */
type Found = ReadonlyArray<StoredEntry | undefined>

/** Asks for keys, once it's run. */
const lookUp = (
  engine: Engine,
  keys: ReadonlyArray<KeyName>,
  options: ReadOptions | undefined
): Effect.Effect<Found, StoreError> => {
  const limit = engine.about.limits.nameBytes
  let fault = Fault.optionsFault(options, readKeys)
  for (let i = 0; i < keys.length && fault === undefined; i++) {
    const name = keys[i]
    fault = nameFault("namespace", name?.namespace, limit) ?? nameFault("key", name?.key, limit)
  }
  return fault === undefined ? engine.lookUp(options, keys) : Effect.fail(fault)
}

const readKeys = ["atLeast"]

const ofFound =
  <B>(decode: (entry: StoredEntry) => Result.Result<B, Corrupt>) =>
  ([found]: Found): Exit.Exit<Option.Option<B>, Corrupt> => {
    if (found === undefined) return Exit.succeed(Option.none())
    const decoded = decode(found)
    return Result.isFailure(decoded) ? Exit.fail(decoded.failure) : Exit.succeed(Option.some(decoded.success))
  }

const isThere = ([found]: Found): Exit.Exit<boolean> => Exit.succeed(found !== undefined)

const decodeFound =
  <A>(codec: Codec<A>) => (stored: StoredEntry | undefined): Result.Result<Option.Option<Entry<A>>, Corrupt> =>
    stored === undefined
      ? Result.succeed(Option.none())
      : Result.map(decodeEntry(codec, stored), Option.some)
