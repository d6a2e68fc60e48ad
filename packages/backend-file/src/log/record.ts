/** What lies where in a record, and what records say: the half of the format that readers and writers share. */
import type { Position, Seq } from "@persist/core"

/** Bits of a record's flags: its payload is bytes and not text, it has `meta`, it has an id. */
export const flag = { bytes: 1, meta: 2, id: 4 } as const

/** Where the names and payloads of each kind of record begin: behind what has a fixed length. */
export const fixed = { event: 44, put: 36, tombstone: 30, truncation: 36, identified: 22 } as const

/** What is left of a stream that was shortened: its first readable seq, and its last, which outlives the events. */
export interface Truncation {
  readonly stream: string
  readonly first: Seq
  readonly last: Seq
  readonly position: Position
}

/** A commit that has an id: its content by a digest, what came of it as text, and the commit's own last position. */
export interface Identified {
  readonly id: string
  readonly digest: string
  readonly result: string
  readonly position: Position
}
