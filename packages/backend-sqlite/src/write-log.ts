/** Writing events, inside the transaction of a batch: several to a statement, which is quicker than one each. */
import type { NewEvent } from "@persist/core"
import type Database from "better-sqlite3"

type Value = number | string | Uint8Array | undefined

const columns = 8
// More to a statement than this gains nothing.
const rows = 8

/** The events of a batch on their way: those that wait are written by the next `flush`. */
export class EventWriter {
  private readonly insertOne: Database.Statement<[Array<Value>]>
  private readonly insertMany: Database.Statement<[Array<Value>]>
  /** The values of the rows that wait, one after the other. */
  private readonly waiting: Array<Value> = []

  constructor(db: Database.Database) {
    this.insertOne = db.prepare<[Array<Value>]>(insertSql(1))
    this.insertMany = db.prepare<[Array<Value>]>(insertSql(rows))
  }

  /** Adds an event, whose stream and type are given by their ids. */
  add(position: number, stream: number, seq: number, type: number, { at, data, id, meta }: NewEvent): void {
    this.waiting.push(position, stream, seq, type, at, data, meta, id)
    if (this.waiting.length < columns * rows) return
    this.insertMany.run(this.waiting)
    this.drop()
  }

  /** Writes what waits: before anything is read from the table or taken out of it, and before the end. */
  flush(): void {
    for (let i = 0; i < this.waiting.length; i += columns) this.insertOne.run(this.waiting.slice(i, i + columns))
    this.drop()
  }

  /** Forgets what waits, with the batch that it belongs to. */
  drop(): void {
    this.waiting.length = 0
  }
}

const insertSql = (count: number): string =>
  `INSERT INTO event (position, stream, seq, type, at, data, meta, id) VALUES ${
    Array.from({ length: count }, () => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")
  }`
