/** The keys that a store holds and held: at which revision each was written last, and whether it's still there. */
import type { ChangedRange, KeyRange, NamespaceInfo, NamespacesRange } from "@persist/core"
import { Position, successor } from "@persist/core"
import { endOf, firstPart, type Key, keyOf, nameAt, numberAt } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import { putVarint, varintAt, varintLength } from "../tree/varint.ts"
import type { Undo } from "./undo.ts"

const keyKey = (namespace: string, key: string): Key => keyOf("K", namespace, key)
const revisionKey = (namespace: string, revision: number): Key => keyOf("R", namespace, revision)
const countKey = (namespace: string): Key => keyOf("N", namespace)
const nothing = new Uint8Array(0)

/** A key's last write. */
interface Write {
  readonly revision: Position
  /** Whether it was a put. */
  readonly lives: boolean
}

/** The keys: all of them in the index, which every change is told at once. */
export class Keys {
  private readonly index: TreeReads
  private readonly undo: Undo

  constructor(index: TreeReads, undo: Undo) {
    this.index = index
    this.undo = undo
  }

  /** A key's revision; 0 where it's absent. */
  readonly revision = (namespace: string, key: string): Position => {
    const write = this.writeAt(keyKey(namespace, key))
    return write?.lives === true ? write.revision : Position(0)
  }

  /** Where a key was put or removed last; 0 where it never was there. */
  readonly lastWrite = (namespace: string, key: string): Position =>
    this.writeAt(keyKey(namespace, key))?.revision ?? Position(0)

  /** How many keys a namespace holds. */
  readonly count = (namespace: string): number => numberOf(this.index.get(countKey(namespace))) ?? 0

  /** Notes that a key was put, or removed. */
  write(namespace: string, key: string, { lives, revision }: Write): void {
    const at = keyKey(namespace, key)
    const held = this.index.get(at)
    const before = held && writeOf(held)
    this.replace(at, held, writeValue({ lives, revision }))
    if (before !== undefined) this.replace(revisionKey(namespace, before.revision), nothing, undefined)
    this.replace(revisionKey(namespace, revision), undefined, nothing)
    const more = Number(lives) - Number(before?.lives === true)
    if (more === 0) return
    const counted = countKey(namespace)
    const count = this.index.get(counted)
    this.replace(counted, count, numberValue((numberOf(count) ?? 0) + more))
  }

  /** The keys of a namespace that are there, in their order. */
  living(namespace: string): ReadonlyArray<string> {
    const under = keyOf("K", namespace)
    const found: Array<string> = []
    for (const { key, value } of this.index.range({ gte: under, lt: endOf(under) })) {
      if (writeOf(value).lives) found.push(nameAt(key, nameAt(key, firstPart).end).value)
    }
    return found
  }

  /** The revisions of the keys of a range that are there, in its order. */
  scan({ gte, limit, lt, namespace, reverse }: KeyRange): ReadonlyArray<Position> {
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
    const range = { gte: revisionKey(namespace, after + 1), lt: endOf(keyOf("R", namespace)) }
    const found: Array<Position> = []
    for (const { key } of this.index.range(range)) {
      found.push(Position(numberAt(key, nameAt(key, firstPart).end).value))
      if (found.length === limit) break
    }
    return found
  }

  /** Namespaces that hold keys, above a name. */
  namespaces({ after, limit }: NamespacesRange): ReadonlyArray<NamespaceInfo> {
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

  private writeAt(key: Key): Write | undefined {
    const value = this.index.get(key)
    return value === undefined ? undefined : writeOf(value)
  }

  // What was there is given rather than asked for: each look into the index costs as much as a write.
  private replace(key: Key, before: Uint8Array | undefined, value: Uint8Array | undefined): void {
    this.undo.add(() => this.tell(key, before))
    this.tell(key, value)
  }

  private tell(key: Key, value: Uint8Array | undefined): void {
    if (value === undefined) this.index.delete(key)
    else this.index.put(key, value)
  }
}

const numberValue = (value: number): Uint8Array => {
  const bytes = new Uint8Array(varintLength(value))
  putVarint(bytes, 0, value)
  return bytes
}

const numberOf = (value: Uint8Array | undefined): number | undefined =>
  value === undefined ? undefined : varintAt(value, 0)

// One byte for whether it lives, then the revision.
const writeValue = ({ lives, revision }: Write): Uint8Array => {
  const bytes = new Uint8Array(1 + varintLength(revision))
  bytes[0] = lives ? 1 : 0
  putVarint(bytes, 1, revision)
  return bytes
}

const writeOf = (value: Uint8Array): Write => ({ lives: value[0] === 1, revision: Position(varintAt(value, 1)) })
