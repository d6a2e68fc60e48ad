/** Blocks held in memory: the ones used lately, of all runs together, within a number of bytes. */

/** What a cache holds. */
export interface Cached {
  readonly byteLength: number
}

/** One run's part of a cache, by offset in its file. */
export interface Shelf<A extends Cached> {
  recent: Map<number, A>
  older: Map<number, A>
}

/**
 * A cache in two generations: what is used goes to the recent one; once that holds half of what is allowed, it becomes
 * the older one, and what was in that and not used since is let go. About as good as least recently used, and a hit
 * costs one look-up.
 */
export class BlockCache<A extends Cached> {
  private readonly half: number
  private readonly shelves = new Set<Shelf<A>>()
  private bytes = 0

  constructor(mostBytes: number) {
    this.half = mostBytes / 2
  }

  /** A place for the blocks of one run, until {@link drop}. */
  shelf(): Shelf<A> {
    const shelf: Shelf<A> = { recent: new Map(), older: new Map() }
    this.shelves.add(shelf)
    return shelf
  }

  get(shelf: Shelf<A>, offset: number): A | undefined {
    const recent = shelf.recent.get(offset)
    if (recent !== undefined) return recent
    const older = shelf.older.get(offset)
    if (older !== undefined) this.add(shelf, offset, older)
    return older
  }

  add(shelf: Shelf<A>, offset: number, block: A): void {
    shelf.recent.set(offset, block)
    this.bytes += block.byteLength
    if (this.bytes < this.half) return
    for (const each of this.shelves) {
      each.older = each.recent
      each.recent = new Map()
    }
    this.bytes = 0
  }

  /** Lets go of a run's blocks. */
  drop(shelf: Shelf<A>): void {
    this.shelves.delete(shelf)
    for (const { byteLength } of shelf.recent.values()) this.bytes -= byteLength
  }
}
