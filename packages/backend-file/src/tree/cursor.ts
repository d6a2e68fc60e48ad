/** Cursors: one pass over sorted entries, one at a time, wherever they come from. */
import type { Key } from "../key.ts"
import type { Held } from "./block.ts"

/** An entry that can be written as blocks hold it. */
export interface Encodable {
  readonly key: Key | undefined
  /** How many bytes it takes. */
  readonly size: number
  /** Writes it. */
  encode(into: Buffer, at: number): void
}

/** A place among sorted entries: on one, or past the last, where `key` is `undefined` and the rest means nothing. */
export interface Cursor extends Encodable {
  /** Whether the entry says that its key was deleted. */
  readonly deleted: boolean
  /** The entry's value; made anew for each call. */
  value(): Held
  /** Goes to the next entry; past the last it stays. */
  advance(): void
}

/** One of several cursors, and how old its entries are: of one key the lowest rank counts. */
interface Source {
  readonly cursor: Cursor
  readonly rank: number
}

/**
 * Passes over the entries of several cursors as one, in the direction that all of them have. Of a key that several
 * have, the entry of the first of them counts and the others are skipped: give the newest first.
 */
export class MergedCursor implements Cursor {
  key: Key | undefined
  private readonly reverse: boolean
  /** Those with entries left, sorted by the entry they're on. */
  private readonly order: Array<Source>
  private lowest: Cursor | undefined

  constructor(cursors: ReadonlyArray<Cursor>, reverse: boolean) {
    this.reverse = reverse
    this.order = cursors.map((cursor, rank) => ({ cursor, rank }))
      .filter(({ cursor }) => cursor.key !== undefined)
      .sort((a, b) => this.precedes(a, b) ? -1 : 1)
    this.take()
  }

  get deleted(): boolean {
    return this.lowest?.deleted ?? false
  }

  get size(): number {
    return this.lowest?.size ?? 0
  }

  value(): Held {
    return this.lowest?.value() ?? null
  }

  encode(into: Buffer, at: number): void {
    this.lowest?.encode(into, at)
  }

  advance(): void {
    const passed = this.key
    if (passed === undefined) return
    do this.step()
    while (this.order[0]?.cursor.key === passed)
    this.take()
  }

  private take(): void {
    this.lowest = this.order[0]?.cursor
    this.key = this.lowest?.key
  }

  // Advances the first one, and moves it to where it belongs then.
  private step(): void {
    const { order } = this
    const moved = order[0]
    if (moved === undefined) return
    moved.cursor.advance()
    if (moved.cursor.key === undefined) return void order.shift()
    const next = order[1]
    // Mostly it stays: neighbouring keys tend to be in one run.
    if (next === undefined || this.precedes(moved, next)) return
    let low = 2
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = order[middle]
      if (other !== undefined && this.precedes(other, moved)) low = middle + 1
      else high = middle
    }
    order.copyWithin(0, 1, low)
    order[low - 1] = moved
  }

  private precedes(a: Source, b: Source): boolean {
    const first = a.cursor.key
    const second = b.cursor.key
    if (first === undefined || second === undefined) return second === undefined
    if (this.reverse ? first > second : first < second) return true
    return first === second && a.rank < b.rank
  }
}
