/** The protocol: the few verbs a store implements. Calls reach a backend validated, encoded and within its limits. */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Commit, CommitId, Committed, Outcome } from "./commit.ts"
import type { BackendError } from "./error.ts"
import type { Payload } from "./payload.ts"
import type { Position, Seq } from "./sequence.ts"

/** What an acknowledged commit survives: nothing beyond the object, the process's end, power loss, the machine's. */
export type Durability = "memory" | "process" | "disk" | "replicated"

/** The declared limits; core refuses what is over them before the backend sees it. */
export interface Limits {
  /** Largest `data`, `value` or `meta`, in bytes. */
  readonly payloadBytes: number
  /** Most events, writes and truncations in one commit. */
  readonly commitEvents: number
  /** Largest sum of payloads in one commit, in bytes. */
  readonly commitBytes: number
  /** Longest name in UTF-8 bytes. */
  readonly nameBytes: number
}

/** Something the protocol asks for that a backend of reduced means may declare it can't do; it then refuses it. */
export type Ability =
  | "atomic"
  | "resolve"
  | "truncate"
  | "delete"
  | "clear"
  | "readAll"
  | "streams"
  | "scan"
  | "changed"
  | "namespaces"
  | "meta"
  | "bytes"

/** What a backend says of itself. Each declaration is asserted both ways by the conformance kit. */
export interface About {
  /** The kind of store, as in its URL's scheme. */
  readonly name: string
  readonly durability: Durability
  /** Whether another handle or process may write to the same store. */
  readonly shared: boolean
  /** Whether an acknowledgement can be lost; core then gives every commit an id, unless the backend lacks `resolve`. */
  readonly ambiguous: boolean
  /** What it can't do; empty for every full backend. */
  readonly lacks: ReadonlySet<Ability>
  readonly limits: Limits
  /**
   * Identity of this store's history: a store made anew has another, a copied file keeps it until an operator renews it
   * (docs/guarantees.md).
   */
  readonly incarnation: string
}

/** An event as it is stored: `at` in milliseconds since 1970, `meta` JSON text. */
export interface StoredEvent {
  readonly stream: string
  readonly seq: Seq
  readonly position: Position
  readonly type: string
  readonly at: number
  readonly data: Payload
  readonly meta: string | undefined
  readonly id: string | undefined
}

/** A key's current value. */
export interface StoredEntry {
  readonly _tag: "Entry"
  readonly namespace: string
  readonly key: string
  readonly value: Payload
  readonly meta: string | undefined
  /** The position of the key's last write. */
  readonly revision: Position
  /** When it was written, in milliseconds since 1970. */
  readonly at: number
}

/** A key that was deleted, and when. */
export interface Tombstone {
  readonly _tag: "Tombstone"
  readonly namespace: string
  readonly key: string
  readonly revision: Position
  readonly at: number
}

/** A stream's name, first readable seq and last seq; `first` is `last + 1` where nothing is left to read. */
export interface StreamInfo {
  readonly stream: string
  readonly first: Seq
  readonly last: Seq
}

/** A namespace that holds keys, and how many. */
export interface NamespaceInfo {
  readonly namespace: string
  readonly keys: number
}

/** Which key. */
export interface KeyName {
  readonly namespace: string
  readonly key: string
}

/** Events of one stream with `from <= seq <= to`, at most `limit` (at least 1), last first if `reverse`. */
export interface StreamRange {
  readonly stream: string
  readonly from: Seq
  readonly to: Seq
  readonly limit: number
  readonly reverse: boolean
}

/**
 * Events of all streams with `after < position <= to`, of streams whose name starts with `prefix` and of these `types`
 * (`undefined`: any), at most `limit` counted after the filter, last first if `reverse`.
 */
export interface AllRange {
  readonly after: Position
  readonly to: Position
  readonly prefix: string
  readonly types: ReadonlyArray<string> | undefined
  readonly limit: number
  readonly reverse: boolean
}

/** A page in the total order, and how far it looked: nothing at or below `through` within the range is missing. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** Forwards: continue after it. At the end of the range it is the head, or `to` where that is less. */
  readonly through: Position
}

/** Streams with this name prefix and a name above `after` (by UTF-8 bytes), in that order. */
export interface StreamsRange {
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
  /** Whether only streams that begin above seq 1 are wanted: any number of the others may be left out then. */
  readonly shortened?: boolean | undefined
}

/** Keys of a namespace with `gte <= key < lt` by UTF-8 bytes (`undefined`: unbounded), last first if `reverse`. */
export interface KeyRange {
  readonly namespace: string
  readonly gte: string | undefined
  readonly lt: string | undefined
  readonly limit: number
  readonly reverse: boolean
}

/** Keys of a namespace whose last write is above `after`, by revision. */
export interface ChangedRange {
  readonly namespace: string
  readonly after: Position
  readonly limit: number
}

/** Namespaces with a name above `after`, by UTF-8 bytes. */
export interface NamespacesRange {
  readonly after: string | undefined
  readonly limit: number
}

/**
 * The verbs. A reader who was given position p never later meets anything new at or below p. A page without `through`
 * is shorter than its limit only where there is no more.
 */
export interface BackendShape {
  readonly about: About
  /**
   * Judges each commit in turn against the ones before it, then makes them all durable with one flush.
   * Answers one outcome for each, in order; a failure means that none of them happened, or `OutcomeUnknown`.
   * Core never runs two at once on one handle and never interrupts one.
   */
  readonly commit: (
    batch: NonEmptyReadonlyArray<Commit>
  ) => Effect.Effect<NonEmptyReadonlyArray<Outcome>, BackendError>
  /** What became of the commit with this id: none means that it never happened. */
  readonly resolve: (id: CommitId) => Effect.Effect<Option.Option<Committed>, BackendError>
  readonly readStream: (range: StreamRange) => Effect.Effect<ReadonlyArray<StoredEvent>, BackendError>
  readonly readAll: (range: AllRange) => Effect.Effect<Page<StoredEvent>, BackendError>
  readonly streams: (range: StreamsRange) => Effect.Effect<ReadonlyArray<StreamInfo>, BackendError>
  /** The entries of these keys, in their order; `undefined` where there is none. */
  readonly get: (
    keys: ReadonlyArray<KeyName>
  ) => Effect.Effect<ReadonlyArray<StoredEntry | undefined>, BackendError>
  readonly scan: (range: KeyRange) => Effect.Effect<ReadonlyArray<StoredEntry>, BackendError>
  /** What changed since, deletions included: each key once, at its last write. */
  readonly changed: (range: ChangedRange) => Effect.Effect<Page<StoredEntry | Tombstone>, BackendError>
  /** Namespaces that hold at least one key. */
  readonly namespaces: (range: NamespacesRange) => Effect.Effect<ReadonlyArray<NamespaceInfo>, BackendError>
  /** The last position given out; 0 in a new store. */
  readonly head: Effect.Effect<Position, BackendError>
  /** Emits once when opened, then at least once after any later commit. A hint to read again, never the data. */
  readonly changes: Stream.Stream<void, BackendError>
}

/** The store beneath a `Store`: provide one of the `backend-*` layers. */
export class Backend extends Context.Service<Backend, BackendShape>()("@persist/core/Backend") {}

/** Limits that every official backend declares; a backend of smaller means declares its own. */
export const defaultLimits: Limits = {
  payloadBytes: 8 * 1024 * 1024,
  commitEvents: 10_000,
  commitBytes: 64 * 1024 * 1024,
  nameBytes: 1024
}
