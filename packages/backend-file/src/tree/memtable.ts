/** A memtable: what was written since the last seal, found by key at once and in order when somebody asks for it. */
import type { Key } from "../key.ts"
import { encodeEntry, entrySize, type Held } from "./block.ts"
import type { Cursor } from "./cursor.ts"
import type { TreeRange } from "./tree.ts"

// So many new keys wait to be sorted: more make for longer pauses, fewer for more merging.
const mostUnsorted = 1024

// A key and what it holds: sorted as they are, without looking each of them up again.
interface Slot {
  readonly key: Key
  held: Held
}

/** Writes and deletions by key. The newest of a key alone is kept. */
export class Memtable {
  private readonly slots = new Map<Key, Slot>()
  private unsorted: Array<Slot> = []
  /** Each sorted, each at least twice as long as the next: a key is merged as often as the table doubles. */
  private readonly sorted: Array<ReadonlyArray<Slot>> = []

  get entries(): number {
    return this.slots.size
  }

  /** `undefined` where it doesn't tell of the key. */
  get(key: Key): Held | undefined {
    return this.slots.get(key)?.held
  }

  set(key: Key, value: Held): void {
    const known = this.slots.get(key)
    if (known !== undefined) {
      known.held = value
      return
    }
    const slot: Slot = { key, held: value }
    this.slots.set(key, slot)
    this.unsorted.push(slot)
    if (this.unsorted.length >= mostUnsorted) this.sort()
  }

  /** Cursors over the entries of a range, deletions included; no key is in two of them. */
  cursors(range: TreeRange): ReadonlyArray<Cursor> {
    this.sort()
    return this.sorted.map((slots) => new MemoryCursor(slots, range))
  }

  private sort(): void {
    if (this.unsorted.length === 0) return
    let slots: ReadonlyArray<Slot> = this.unsorted.sort((a, b) => a.key < b.key ? -1 : 1)
    this.unsorted = []
    for (
      let last = this.sorted.at(-1);
      last !== undefined && last.length < 2 * slots.length;
      last = this.sorted.at(-1)
    ) {
      slots = merge(last, slots)
      this.sorted.pop()
    }
    this.sorted.push(slots)
  }
}

const merge = (a: ReadonlyArray<Slot>, b: ReadonlyArray<Slot>): ReadonlyArray<Slot> => {
  const merged: Array<Slot> = []
  let i = 0
  for (const slot of b) {
    for (let other = a[i]; other !== undefined && other.key < slot.key; other = a[++i]) merged.push(other)
    merged.push(slot)
  }
  for (let other = a[i]; other !== undefined; other = a[++i]) merged.push(other)
  return merged
}

class MemoryCursor implements Cursor {
  key: Key | undefined
  private held: Held = null
  private readonly slots: ReadonlyArray<Slot>
  private readonly step: 1 | -1
  private at: number
  private readonly end: number

  constructor(slots: ReadonlyArray<Slot>, { gte, lt, reverse }: TreeRange) {
    this.slots = slots
    const from = ceiling(slots, gte)
    const to = Math.max(from, ceiling(slots, lt))
    this.step = reverse === true ? -1 : 1
    this.at = reverse === true ? to - 1 : from
    this.end = reverse === true ? from - 1 : to
    this.look()
  }

  get deleted(): boolean {
    return this.held === null
  }

  get size(): number {
    return this.key === undefined ? 0 : entrySize(this.key, this.held)
  }

  value(): Held {
    return this.held
  }

  encode(into: Buffer, at: number): void {
    if (this.key !== undefined) encodeEntry(this.key, this.held, into, at)
  }

  advance(): void {
    if (this.key === undefined) return
    this.at += this.step
    this.look()
  }

  private look(): void {
    const slot = this.at === this.end ? undefined : this.slots[this.at]
    this.key = slot?.key
    this.held = slot?.held ?? null
  }
}

// The first at or above a bound.
const ceiling = (slots: ReadonlyArray<Slot>, bound: Key): number => {
  let low = 0
  let high = slots.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const slot = slots[middle]
    if (slot !== undefined && slot.key < bound) low = middle + 1
    else high = middle
  }
  return low
}
