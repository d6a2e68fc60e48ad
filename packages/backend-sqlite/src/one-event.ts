/** One event appended alone: by a single statement, which is a transaction of its own, where a batch takes three. */
import type { Append, Commit, NewEvent, Position } from "@persist/core"
import type Database from "better-sqlite3"
import type { NonEmptyReadonlyArray } from "effect/Array"

/** Where an event goes, with its stream and its type by their ids. */
export interface Placed {
  readonly position: number
  readonly stream: number
  readonly seq: number
  readonly type: number
}

/** The append of a batch that is one event and nothing else; it may expect anything. */
export const oneAppendOf = (batch: NonEmptyReadonlyArray<Commit>): Append | undefined => {
  const { append, identity, truncate, write } = batch[0]
  const [only] = append
  if (only === undefined || batch.length > 1 || append.length > 1 || only.events.length > 1) return undefined
  return identity === undefined && write.length === 0 && truncate.length === 0 ? only : undefined
}

/** Appends single events for as long as nobody else writes. */
export class OneEventWriter {
  private readonly incarnation: string
  private readonly insert: Database.Statement<Array<number | string | Uint8Array | undefined>>

  constructor(db: Database.Database, incarnation: string) {
    this.incarnation = incarnation
    this.insert = db.prepare(insertSql)
  }

  /**
   * Whether the event was appended: nothing is done where an event has its position or its seq already, where the head
   * has moved beyond `head` otherwise, or where the store was given another incarnation. Throws what the driver throws,
   * and then it may have happened.
   */
  write({ position, seq, stream, type }: Placed, { at, data, id, meta }: NewEvent, head: Position): boolean {
    return this.insert.run(position, stream, seq, type, at, data, meta, id, head, this.incarnation).changes === 1
  }
}

const insertSql = `INSERT OR IGNORE INTO event (position, stream, seq, type, at, data, meta, id)
SELECT ?, ?, ?, ?, ?, ?, ?, ? FROM store WHERE head <= ? AND incarnation = ?`
