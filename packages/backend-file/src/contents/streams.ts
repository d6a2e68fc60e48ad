/** The streams that a store holds: their first and last seqs, and at which positions their events are. */
import type { StreamInfo, StreamRange, StreamsRange } from "@persist/core"
import { compareUtf8, Seq, successor } from "@persist/core"
import { endOf, firstPart, keyOf, nameAt, startOf } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import {
  chunkKey,
  chunkPositions,
  chunksBelow,
  chunkValue,
  entryKey,
  entryOf,
  entryValue,
  indexedPositions,
  lastIndexed
} from "./stream-entry.ts"
import type { Undo } from "./undo.ts"

/** One stream as commits meet it. */
interface State {
  readonly name: string
  /** First readable seq: `last + 1` where nothing is left. */
  first: number
  last: number
  /** Seq of the first of `positions`, or of the next event where there are none. */
  base: number
  /** Positions of the events that the index doesn't tell of yet. */
  positions: Array<number>
  /** Whether the index says that there is such a stream. */
  listed: boolean
  /** Whether that is all that it says. */
  isNew: boolean
  /** Whether it waits for the next {@link Streams.flush}. */
  waiting: boolean
  /** Whether events were removed that the index tells of. */
  shortened: boolean
}

// States remembered although the index has all of them: last seqs of streams that are written to again and again.
const remembered = 100_000

// Positions in a stream's own entry: those of a stream that ends where it began need no other.
const ownPositions = 64

const shortenedKey = keyOf("T")
const nothing = new Uint8Array(0)
const nothingYet = entryValue({ first: 1, last: 0, base: 1, positions: [] })

/** The streams: of what changed since the last flush in memory, of the rest in the index. */
export class Streams {
  private readonly index: TreeReads
  private readonly undo: Undo
  private states = new Map<string, State>()
  private waiting: Array<State> = []

  constructor(index: TreeReads, undo: Undo) {
    this.index = index
    this.undo = undo
  }

  /** A stream's last seq; 0 where nothing was ever appended. */
  readonly lastSeq = (stream: string): Seq => Seq(this.state(stream).last)

  /** A stream's first readable seq. */
  readonly firstSeq = (stream: string): Seq => Seq(this.state(stream).first)

  /** Notes events that go on where the stream ended, at positions one after the other. */
  append(stream: string, count: number, firstPosition: number): void {
    const state = this.state(stream)
    this.touch(state)
    const { last, positions: { length } } = state
    this.undo.add(() => {
      state.last = last
      state.positions.length = length
    })
    for (let n = 0; n < count; n++) state.positions.push(firstPosition + n)
    state.last = last + count
  }

  /** Notes one event as the log tells of it. What came before it may be missing there, once it was removed. */
  restore(stream: string, seq: number, position: number): void {
    const state = this.state(stream)
    this.touch(state)
    if (seq !== state.last + 1 || state.positions.length === 0) this.begin(state, seq)
    state.positions.push(position)
    state.last = seq
  }

  /** Notes that the events below `first` were removed, when the stream's last seq was `last`. */
  shorten(stream: string, first: number, last: number): void {
    const state = this.state(stream)
    this.touch(state)
    const before = state.first
    this.undo.add(() => {
      state.first = before
    })
    state.first = Math.max(before, first)
    // In a log that was compacted the events themselves may be missing.
    if (last > state.last) {
      this.begin(state, last + 1)
      state.last = last
    }
    state.shortened = true
    if (!this.anyShortened) this.index.put(shortenedKey, nothing)
  }

  /** Whether any stream was ever shortened: where none was, every event of the log can be read. */
  get anyShortened(): boolean {
    return this.index.get(shortenedKey) !== undefined
  }

  /** The positions of the events of a range, in its order. */
  positions({ from, limit, reverse, stream, to }: StreamRange): ReadonlyArray<number> {
    const { base, first, last, positions } = this.state(stream)
    const range = { from: Math.max(from, first), to: Math.min(to, last), limit, reverse }
    const recent: Array<number> = []
    const low = Math.max(range.from, base)
    const count = Math.min(limit, range.to - low + 1)
    for (let n = 0; n < count; n++) {
      // What the index tells comes first when going forwards, so that less may be needed of these.
      recent.push(positions[reverse ? range.to - n - base : low + n - base] ?? 0)
    }
    if (range.from >= base) return recent
    const indexed = { ...range, to: Math.min(range.to, base - 1) }
    if (!reverse) return indexedPositions(this.index, stream, indexed).concat(recent).slice(0, limit)
    if (recent.length === limit) return recent
    return recent.concat(indexedPositions(this.index, stream, { ...indexed, limit: limit - recent.length }))
  }

  /** Streams with a name that starts with a prefix and is above another, in their order. */
  list({ after, limit, prefix, shortened }: StreamsRange): ReadonlyArray<StreamInfo> {
    if (shortened && !this.anyShortened) return []
    const from = after !== undefined && compareUtf8(after, prefix) >= 0 ? entryKey(successor(after)) : undefined
    const start = startOf(keyOf("S"), prefix)
    const found: Array<readonly [stream: string, value: Uint8Array]> = []
    for (const { key, value } of this.index.range({ gte: from ?? start, lt: endOf(start) })) {
      found.push([nameAt(key, firstPart).value, value])
      if (found.length === limit) break
    }
    return found.map(([stream, value]) => {
      const { first, last } = this.states.get(stream) ?? this.indexed(stream, value)
      return { stream, first: Seq(first), last: Seq(last) }
    })
  }

  /** How many streams the index doesn't tell of as they are. */
  get waits(): number {
    return this.waiting.length
  }

  /**
   * Tells the index everything it doesn't tell of yet, but for some of the streams, `most` of them. Where the index
   * can't be read for that, it throws, and what wasn't told waits for the next time.
   */
  flush(most = 0): void {
    let told = 0
    try {
      // The ones that have waited longest are the least likely to get more, which would then go into one entry with it.
      for (const state of this.waiting.slice(0, Math.max(0, this.waiting.length - most))) {
        // Where it isn't listed its first append was taken back.
        if (state.listed) this.tell(state)
        state.waiting = false
        told++
      }
    } finally {
      this.waiting.splice(0, told)
    }
  }

  private tell(state: State): void {
    const { base, first, isNew, last, name, positions, shortened } = state
    let told = 0
    if (isNew) {
      const own = positions.slice(0, ownPositions)
      this.index.put(entryKey(name), entryValue({ first, last, base, positions: own }))
      told = own.length
    } else if (shortened) {
      const before = entryOf(this.index.get(entryKey(name)) ?? nothingYet)
      const own = before.base + before.positions.length > first ? before.positions : []
      this.index.put(entryKey(name), entryValue({ ...before, first, last, positions: own }))
    }
    for (let n = told; n < positions.length; n += chunkPositions) {
      this.index.put(chunkKey(name, base + n), chunkValue(positions.slice(n, n + chunkPositions)))
    }
    if (shortened) { for (const key of chunksBelow(this.index, name, first)) this.index.delete(key) }
    this.begin(state, last + 1)
    state.isNew = false
    state.shortened = false
  }

  private indexed(stream: string, value: Uint8Array): { readonly first: number; readonly last: number } {
    const entry = entryOf(value)
    return { first: entry.first, last: lastIndexed(this.index, stream, entry) }
  }

  private state(name: string): State {
    const known = this.states.get(name)
    if (known !== undefined) return known
    if (this.states.size >= Math.max(remembered, 2 * this.waiting.length)) {
      this.states = new Map(this.waiting.map((state) => [state.name, state]))
    }
    const value = this.index.get(entryKey(name))
    const { first, last } = value === undefined ? { first: 1, last: 0 } : this.indexed(name, value)
    const state: State = {
      name,
      first,
      last,
      base: last + 1,
      positions: [],
      listed: value !== undefined,
      isNew: false,
      waiting: false,
      shortened: false
    }
    this.states.set(name, state)
    return state
  }

  private touch(state: State): void {
    if (!state.listed) {
      state.listed = true
      state.isNew = true
      this.index.put(entryKey(state.name), nothingYet)
      this.undo.add(() => {
        state.listed = false
        this.index.delete(entryKey(state.name))
      })
    }
    if (state.waiting) return
    state.waiting = true
    this.waiting.push(state)
  }

  private begin(state: State, seq: number): void {
    state.positions = []
    state.base = seq
  }
}
