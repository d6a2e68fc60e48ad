/** Where streams end: looked up once, then remembered between batches. */
import { noSeq, Seq } from "@persist/core"
import type Database from "better-sqlite3"
import * as queries from "./queries.ts"

/** A stream as the next append meets it; id 0 where it isn't in the file yet. */
export interface Tail {
  id: number
  last: Seq
}

// One for each stream written to lately.
const remembered = 100_000

/** The tails of one handle, which holds them as long as nobody else writes. */
export class Tails {
  private readonly known = new Map<string, Tail>()
  private readonly standing: Database.Statement<[string], { id: number; first: number; last: number | null }>
  private readonly insert: Database.Statement<[string]>

  constructor(db: Database.Database) {
    this.standing = db.prepare(queries.standing)
    this.insert = db.prepare("INSERT INTO stream (name) VALUES (?)")
  }

  /** A stream's tail as it's remembered. */
  recall(stream: string): Tail | undefined {
    return this.known.get(stream)
  }

  /** A stream's tail, looked up where it isn't remembered. */
  of(stream: string): Tail {
    const known = this.known.get(stream)
    if (known !== undefined) return known
    const row = this.standing.get(stream)
    const tail = row ? { id: row.id, last: Seq(Math.max(row.first - 1, row.last ?? 0)) } : { id: 0, last: noSeq }
    this.known.set(stream, tail)
    return tail
  }

  /** The tail of a stream that is in the file from now on. */
  make(stream: string): Tail {
    const tail = this.of(stream)
    if (tail.id === 0) tail.id = Number(this.insert.run(stream).lastInsertRowid)
    return tail
  }

  /** Whether so many are remembered that it's time to forget them. */
  get isFull(): boolean {
    return this.known.size >= remembered
  }

  /** Drops what is remembered. */
  forget(): void {
    this.known.clear()
  }
}
