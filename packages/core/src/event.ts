/** An event as users meet it: decoded, and discriminated by its type. */
import type { Json } from "./json.ts"
import type { Position, Seq } from "./sequence.ts"

/** What goes with an event beside its data: who, why, from where. Keys that start with `$` are the store's own. */
export interface Meta {
  readonly [key: string]: Json
}

/** Something that happened: `data` is what the catalogue's schema for `type` makes of the stored payload. */
export interface Event<Type extends string = string, Data = unknown> {
  readonly stream: string
  /** Place within the stream, from 1. */
  readonly seq: Seq
  /** Place in the store's total order. */
  readonly position: Position
  readonly type: Type
  /** When it happened, in milliseconds since 1970. */
  readonly at: number
  readonly data: Data
  /** `undefined` where none was given; an empty one counts as none. */
  readonly meta: Meta | undefined
  /** The caller's own id for it; carried, not unique. */
  readonly id: string | undefined
}

/** An event of a type that the catalogue doesn't know, let through by the policy `"pass"`, its data as stored. */
export interface UnknownEvent extends Event<string, Json | Uint8Array> {
  readonly unknown: true
}

/** An event to append: `at` (milliseconds since 1970) is the clock's unless an import sets it. */
export interface EventInput<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Data
  readonly at?: number | undefined
  readonly meta?: Meta | undefined
  readonly id?: string | undefined
}
