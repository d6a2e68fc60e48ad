/** The unit of change: what one commit asks for, and what becomes of it. */
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Invalid, Unsupported } from "./error.ts"
import type { Payload } from "./payload.ts"
import type { Position, Seq } from "./sequence.ts"

/** The caller's name for a commit, unique in the store: what a retry and `resolve` are recognised by. */
export type CommitId = string

/** Names a commit so that it happens once: the same id with the same `digest` gives the first result again. */
export interface Identity {
  readonly id: CommitId
  /** Hash of the commit's content, made by core; backends only compare it. */
  readonly digest: string
}

/** The stream's last seq must be `expected`; `"exists"` is any but 0. */
export interface StreamExpectation {
  readonly _tag: "Stream"
  readonly stream: string
  readonly expected: Seq | "exists"
}

/** The key's revision must be `expected`; a deleted key is `"absent"`, like one never written. */
export interface KeyExpectation {
  readonly _tag: "Key"
  readonly namespace: string
  readonly key: string
  readonly expected: Position | "absent" | "exists"
}

/** What must hold for a commit to happen; everything else is written `"any"` by the caller and left out here. */
export type Expectation = StreamExpectation | KeyExpectation

/** An event on its way in: `at` is milliseconds since 1970, `meta` is JSON text, `id` is carried and not unique. */
export interface NewEvent {
  readonly type: string
  readonly at: number
  readonly data: Payload
  readonly meta: string | undefined
  readonly id: string | undefined
}

/** Events to put at the end of one stream. */
export interface Append {
  readonly stream: string
  readonly events: NonEmptyReadonlyArray<NewEvent>
}

/** A value to keep under a key. */
export interface Put {
  readonly _tag: "Put"
  readonly namespace: string
  readonly key: string
  readonly value: Payload
  readonly meta: string | undefined
}

/** A key to remove; removing what isn't there changes nothing, yet takes a position. */
export interface Delete {
  readonly _tag: "Delete"
  readonly namespace: string
  readonly key: string
}

/** Removes every key of a namespace, one position each. */
export interface Clear {
  readonly _tag: "Clear"
  readonly namespace: string
}

/** A change of the kv. */
export type Write = Put | Delete | Clear

/** Removes the events of a stream below seq `before`; above its end, all of them. The last seq stays. */
export interface Truncate {
  readonly stream: string
  readonly before: Seq
}

/**
 * One atomic change. Core guarantees: every stream and key is named at most once in each list, a cleared namespace
 * has no other write, and everything is within the backend's limits.
 */
export interface Commit {
  readonly identity: Identity | undefined
  /** When the kv writes happened, in milliseconds since 1970. */
  readonly at: number
  readonly expect: ReadonlyArray<Expectation>
  readonly append: ReadonlyArray<Append>
  readonly write: ReadonlyArray<Write>
  readonly truncate: ReadonlyArray<Truncate>
}

/** Where the events of one append went: seqs `first..last`, positions `firstPosition..lastPosition`. */
export interface Appended {
  readonly stream: string
  readonly first: Seq
  readonly last: Seq
  readonly firstPosition: Position
  readonly lastPosition: Position
}

/** The commit happened. */
export interface Committed {
  readonly _tag: "Committed"
  /** The commit's own last position; for a commit that only checks, the head it was checked against. */
  readonly position: Position
  /** One for each append, in order. */
  readonly appended: ReadonlyArray<Appended>
  /** The revision each write took, in order; for a `Clear` that of its last key. */
  readonly revisions: ReadonlyArray<Position>
  /** True where the commit had happened before under the same id, and nothing was done now. */
  readonly repeated: boolean
}

/** The first expectation that did not hold, and what was there instead (0: nothing). Nothing happened. */
export interface Conflict {
  readonly _tag: "Conflict"
  readonly expectation: Expectation
  readonly actual: number
}

/** This one commit of a batch can't be done at all. Nothing of it happened. */
export interface Refused {
  readonly _tag: "Refused"
  readonly error: Invalid | Unsupported
}

/** What became of one commit of a batch. */
export type Outcome = Committed | Conflict | Refused
