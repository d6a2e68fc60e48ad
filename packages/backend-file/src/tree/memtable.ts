/** A memtable: what was written since the last seal, found by key at once and in order when somebody asks for it. */
import type { Key } from "../key.ts"
import type { Held } from "./block.ts"
import type { Cursor } from "./cursor.ts"
import type { TreeRange } from "./tree.ts"

// So many new keys wait to be sorted: more make for longer pauses, fewer for more merging.
const mostUnsorted = 1024

// What an entry takes in memory beyond its bytes.
const entryOverhead = 160

/** Writes and deletions by key. The newest of a key alone is kept. */
export class Memtable {
  private readonly held = new Map<Key, Held>()
  private unsorted: Array<Key> = []
  /** Each sorted, each at least twice as long as the next: a key is merged as often as the table doubles. */
  private readonly sorted: Array<ReadonlyArray<Key>> = []
  /** About how much memory it takes; what was overwritten counts on. */
  bytes = 0

  get entries(): number {
    return this.held.size
  }

  /** `undefined` where it doesn't tell of the key. */
  get(key: Key): Held | undefined {
    return this.held.get(key)
  }

  set(key: Key, value: Held): void {
    const before = this.held.size
    this.held.set(key, value)
    this.bytes += value === null ? 0 : value.byteLength
    if (this.held.size === before) return
    this.bytes += key.length + entryOverhead
    this.unsorted.push(key)
    if (this.unsorted.length >= mostUnsorted) this.sort()
  }

  /** Cursors over the entries of a range, deletions included; no key is in two of them. */
  cursors(range: TreeRange): ReadonlyArray<Cursor> {
    this.sort()
    return this.sorted.map((keys) => new MemoryCursor(keys, this.held, range))
  }

  private sort(): void {
    if (this.unsorted.length === 0) return
    let keys: ReadonlyArray<Key> = this.unsorted.sort()
    this.unsorted = []
    for (
      let last = this.sorted.at(-1);
      last !== undefined && last.length < 2 * keys.length;
      last = this.sorted.at(-1)
    ) {
      keys = merge(last, keys)
      this.sorted.pop()
    }
    this.sorted.push(keys)
  }
}

const merge = (a: ReadonlyArray<Key>, b: ReadonlyArray<Key>): ReadonlyArray<Key> => {
  const merged: Array<Key> = []
  let i = 0
  for (const key of b) {
    for (let other = a[i]; other !== undefined && other < key; other = a[++i]) merged.push(other)
    merged.push(key)
  }
  for (let other = a[i]; other !== undefined; other = a[++i]) merged.push(other)
  return merged
}

class MemoryCursor implements Cursor {
  key: Key | undefined
  value: Held = null
  private readonly keys: ReadonlyArray<Key>
  private readonly held: ReadonlyMap<Key, Held>
  private readonly step: 1 | -1
  private at: number
  private readonly end: number

  constructor(keys: ReadonlyArray<Key>, held: ReadonlyMap<Key, Held>, { gte, lt, reverse }: TreeRange) {
    this.keys = keys
    this.held = held
    const from = ceiling(keys, gte)
    const to = Math.max(from, ceiling(keys, lt))
    this.step = reverse === true ? -1 : 1
    this.at = reverse === true ? to - 1 : from
    this.end = reverse === true ? from - 1 : to
    this.look()
  }

  advance(): void {
    if (this.key === undefined) return
    this.at += this.step
    this.look()
  }

  private look(): void {
    this.key = this.at === this.end ? undefined : this.keys[this.at]
    this.value = this.key === undefined ? null : this.held.get(this.key) ?? null
  }
}

// The first key at or above a bound.
const ceiling = (keys: ReadonlyArray<Key>, bound: Key): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = keys[middle]
    if (key !== undefined && key < bound) low = middle + 1
    else high = middle
  }
  return low
}
