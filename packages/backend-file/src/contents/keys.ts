/** The keys that a store holds and held: at which revision each was written last, and whether it's still there. */
import type { ChangedRange, KeyRange, NamespaceInfo, NamespacesRange } from "@persist/core"
import { compareUtf8, Position, successor } from "@persist/core"
import { endOf, firstPart, keyOf, nameAt } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import { varintAt } from "../tree/varint.ts"
import {
  countKey,
  countValue,
  keyIn,
  keyKey,
  never,
  revisionIn,
  revisionKey,
  type Write,
  writeOf,
  writeValue
} from "./key-entry.ts"
import type { Undo } from "./undo.ts"

/** One key as commits meet it. */
interface State {
  readonly namespace: string
  readonly key: string
  last: Write
  /** The revision that the index tells of; 0 where it tells of none. */
  told: Position
  /** Whether it waits for the next {@link Keys.flush}. */
  waiting: boolean
}

// States remembered although the index has all of them: keys that are written again and again.
const remembered = 100_000

const nothing = new Uint8Array(0)

/**
 * The keys: those that were written since the last flush in memory, the rest in the index. A key that is written again
 * and again is told once, and the index is never told of what may still be taken back.
 */
export class Keys {
  private readonly index: TreeReads
  private readonly undo: Undo
  private states = new Map<string, Map<string, State>>()
  private size = 0
  private waiting: Array<State> = []
  /** How many keys namespaces hold, where that isn't what the index says. */
  private readonly counts = new Map<string, number>()

  constructor(index: TreeReads, undo: Undo) {
    this.index = index
    this.undo = undo
  }

  /** A key's revision; 0 where it's absent. */
  readonly revision = (namespace: string, key: string): Position => {
    const { lives, revision } = this.lastOf(namespace, key)
    return lives ? revision : never.revision
  }

  /** Where a key was put or removed last; 0 where it never was there. */
  readonly lastWrite = (namespace: string, key: string): Position => this.lastOf(namespace, key).revision

  /** How many keys a namespace holds. */
  readonly count = (namespace: string): number => {
    const known = this.counts.get(namespace)
    if (known !== undefined) return known
    const value = this.index.get(countKey(namespace))
    return value === undefined ? 0 : varintAt(value, 0)
  }

  /** Notes that a key was put, or removed. */
  write(namespace: string, key: string, write: Write): void {
    const state = this.state(namespace, key)
    const before = state.last
    this.undo.add(() => {
      state.last = before
    })
    state.last = write
    if (!state.waiting) {
      state.waiting = true
      this.waiting.push(state)
    }
    if (before.lives === write.lives) return
    const count = this.count(namespace)
    this.undo.add(() => this.counts.set(namespace, count))
    this.counts.set(namespace, count + (write.lives ? 1 : -1))
  }

  /** The keys of a namespace that are there, in their order. */
  living(namespace: string): ReadonlyArray<string> {
    const under = keyOf("K", namespace)
    const states = this.states.get(namespace) ?? new Map<string, State>()
    const found: Array<string> = []
    for (const { key, value } of this.index.range({ gte: under, lt: endOf(under) })) {
      const name = keyIn(key)
      const { lives } = states.get(name)?.last ?? writeOf(value)
      if (lives) found.push(name)
    }
    const told = found.length
    for (const { key, last, told: revision } of states.values()) if (revision === 0 && last.lives) found.push(key)
    return found.length === told ? found : found.sort(compareUtf8)
  }

  /** The revisions of the keys of a range that are there, in its order. */
  scan({ gte, limit, lt, namespace, reverse }: KeyRange): ReadonlyArray<Position> {
    this.flush()
    const under = keyOf("K", namespace)
    const found: Array<Position> = []
    const range = {
      gte: gte === undefined ? under : keyKey(namespace, gte),
      lt: lt === undefined ? endOf(under) : keyKey(namespace, lt),
      reverse
    }
    for (const { value } of this.index.range(range)) {
      const { lives, revision } = writeOf(value)
      if (lives) found.push(revision)
      if (found.length === limit) break
    }
    return found
  }

  /** The revisions of a namespace's keys above a position, removals included. */
  changed({ after, limit, namespace }: ChangedRange): ReadonlyArray<Position> {
    this.flush()
    const range = { gte: revisionKey(namespace, after + 1), lt: endOf(keyOf("R", namespace)) }
    const found: Array<Position> = []
    for (const { key } of this.index.range(range)) {
      found.push(revisionIn(key))
      if (found.length === limit) break
    }
    return found
  }

  /** Namespaces that hold keys, above a name. */
  namespaces({ after, limit }: NamespacesRange): ReadonlyArray<NamespaceInfo> {
    this.flush()
    const all = keyOf("N")
    const found: Array<NamespaceInfo> = []
    for (
      const { key, value } of this.index.range({
        gte: after === undefined ? all : countKey(successor(after)),
        lt: endOf(all)
      })
    ) {
      const keys = varintAt(value, 0)
      if (keys > 0) found.push({ namespace: nameAt(key, firstPart).value, keys })
      if (found.length === limit) break
    }
    return found
  }

  /** How many keys the index doesn't tell of as they are. */
  get waits(): number {
    return this.waiting.length
  }

  /** Tells the index what it doesn't tell of yet, but for some of the keys, `most` of them. Never within a batch. */
  flush(most = 0): void {
    // The ones that have waited longest are the least likely to be written again.
    for (const state of this.waiting.splice(0, Math.max(0, this.waiting.length - most))) {
      this.tell(state)
      state.waiting = false
    }
    for (const [namespace, count] of this.counts) this.index.put(countKey(namespace), countValue(count))
    this.counts.clear()
  }

  private tell(state: State): void {
    const { key, last, namespace, told } = state
    // Where that is what it tells of already, what was written since was taken back.
    if (last.revision === told) return
    if (told > 0) this.index.delete(revisionKey(namespace, told))
    this.index.put(keyKey(namespace, key), writeValue(last))
    this.index.put(revisionKey(namespace, last.revision), nothing)
    state.told = last.revision
  }

  // Only what is written is remembered: reading goes through more keys than will be met again.
  private lastOf(namespace: string, key: string): Write {
    return this.states.get(namespace)?.get(key)?.last ?? this.indexed(namespace, key)
  }

  private indexed(namespace: string, key: string): Write {
    const value = this.index.get(keyKey(namespace, key))
    return value === undefined ? never : writeOf(value)
  }

  private state(namespace: string, key: string): State {
    const known = this.states.get(namespace)?.get(key)
    if (known !== undefined) return known
    if (this.size >= Math.max(remembered, 2 * this.waiting.length)) this.forget()
    const last = this.indexed(namespace, key)
    const state: State = { namespace, key, last, told: last.revision, waiting: false }
    this.remember(state)
    return state
  }

  private remember(state: State): void {
    const beside = this.states.get(state.namespace)
    if (beside === undefined) this.states.set(state.namespace, new Map([[state.key, state]]))
    else beside.set(state.key, state)
    this.size++
  }

  // All but what waits, which the index doesn't tell of.
  private forget(): void {
    this.states = new Map()
    this.size = 0
    for (const state of this.waiting) this.remember(state)
  }
}
