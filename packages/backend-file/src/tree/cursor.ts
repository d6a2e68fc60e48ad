/** Cursors: one pass over sorted entries, one at a time, wherever they come from. */
import type { Key } from "../key.ts"
import type { Held } from "./block.ts"

/** A place among sorted entries: on one of them, or past the last, where `key` is `undefined`. */
export interface Cursor {
  readonly key: Key | undefined
  /** Of the entry it's on; no meaning past the last. */
  readonly value: Held
  /** Goes to the next entry; past the last it stays. */
  advance(): void
}

/**
 * Passes over the entries of several cursors as one, in the direction that all of them have. Of a key that several
 * have, the entry of the first of them counts and the others are skipped: give the newest first.
 */
export class MergedCursor implements Cursor {
  key: Key | undefined
  value: Held = null
  private cursors: ReadonlyArray<Cursor>
  private readonly reverse: boolean
  private lowest: Cursor | undefined
  /** What the other cursors have next: as long as the lowest one doesn't reach it, nobody else need be asked. */
  private runnerUp: Key | undefined

  constructor(cursors: ReadonlyArray<Cursor>, reverse: boolean) {
    this.cursors = cursors
    this.reverse = reverse
    this.choose()
  }

  advance(): void {
    const { key, lowest } = this
    if (lowest === undefined || key === undefined) return
    lowest.advance()
    if (lowest.key !== undefined && (this.runnerUp === undefined || this.comesFirst(lowest.key, this.runnerUp))) {
      return this.take(lowest)
    }
    for (const cursor of this.cursors) if (cursor.key === key) cursor.advance()
    this.choose()
  }

  private choose(): void {
    let lowest: Cursor | undefined
    let runnerUp: Key | undefined
    for (const cursor of this.cursors) {
      const { key } = cursor
      if (key === undefined) continue
      if (lowest?.key === undefined || this.comesFirst(key, lowest.key)) {
        runnerUp = lowest?.key
        lowest = cursor
      } else if (runnerUp === undefined || this.comesFirst(key, runnerUp)) runnerUp = key
    }
    this.runnerUp = runnerUp
    this.take(lowest)
  }

  private take(cursor: Cursor | undefined): void {
    this.lowest = cursor
    this.key = cursor?.key
    this.value = cursor?.value ?? null
  }

  private comesFirst(a: Key, b: Key): boolean {
    return this.reverse ? a > b : a < b
  }
}
