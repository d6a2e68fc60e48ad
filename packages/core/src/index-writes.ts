/** What the indexes of a read model take part in its commits with: entries put and deleted, and values claimed. */
import * as Result from "effect/Result"
import type { KeyName, StoredEntry } from "./backend.ts"
import { Corrupt } from "./error.ts"
import { parseJson } from "./json.ts"
import { quoted } from "./path.ts"
import type { Payload } from "./payload.ts"
import { contentOf, isWhole, type ReadIndex } from "./read-index.ts"

/** An entry to put, or to delete where it has no value. */
export interface EntryWrite extends KeyName {
  readonly value: Payload | undefined
}

/** A state's entries, one of each index, or none where there is no state: as they are stored, and as they shall be. */
export interface EntriesMoved {
  readonly key: string
  readonly before: ReadonlyArray<string>
  readonly after: ReadonlyArray<string>
}

/** The writes that move entries, each key once: what one state leaves and another takes is put. */
export const entryWrites = (
  indexes: ReadonlyArray<ReadIndex>,
  moved: ReadonlyArray<EntriesMoved>
): ReadonlyArray<EntryWrite> => {
  const writes: Array<EntryWrite> = []
  for (const [i, index] of indexes.entries()) {
    const values = new Map<string, Payload | undefined>()
    for (const { after, before, key } of moved) {
      const [from, to] = [before[i], after[i]]
      if (from === to) continue
      if (from !== undefined && !values.has(from)) values.set(from, undefined)
      if (to !== undefined) values.set(to, contentOf(index, to, key))
    }
    for (const [key, value] of values) writes.push({ namespace: index.namespace, key, value })
  }
  return writes
}

/** The entries that a key's state has after an event; none where the event deletes it. */
export interface Claim {
  /** Which event, counted from the first of those that are folded together. */
  readonly event: number
  readonly key: string
  readonly entries: ReadonlyArray<string>
}

/** Two states that would have the same values of a unique index after an event. */
export interface Clash {
  readonly event: number
  readonly index: ReadIndex
  /** The key of the state that would take them, and of the one that has them. */
  readonly key: string
  readonly owner: string
}

/** Who has which values of unique indexes, while events are taken in. */
export class Owners {
  private readonly indexes: ReadonlyArray<ReadIndex>
  private readonly owners: ReadonlyArray<Map<string, string | undefined>>
  private readonly entries = new Map<string, ReadonlyArray<string>>()

  /** `held` gives the entries of a key as they are stored. */
  constructor(
    indexes: ReadonlyArray<ReadIndex>,
    claims: ReadonlyArray<Claim>,
    held: (key: string) => ReadonlyArray<string>
  ) {
    this.indexes = indexes
    this.owners = indexes.map(() => new Map())
    for (const { key } of claims) {
      if (this.entries.has(key)) continue
      const entries = held(key)
      this.entries.set(key, entries)
      this.give(key, entries)
    }
  }

  /** The claimed entries of which the store alone knows whether they have an owner. */
  unknown(claims: ReadonlyArray<Claim>): ReadonlyArray<KeyName> {
    const names: Array<KeyName> = []
    for (const [i, index] of this.indexes.entries()) {
      const asked = new Set<string>()
      for (const { entries } of claims) {
        const entry = entries[i]
        if (entry === undefined || this.owners[i]?.has(entry) === true || !isWhole(index, entry)) continue
        asked.add(entry)
      }
      for (const key of asked) names.push({ namespace: index.namespace, key })
    }
    return names
  }

  /** Takes what is stored of unknown entries. `Corrupt` where one holds no key. */
  learn(names: ReadonlyArray<KeyName>, stored: ReadonlyArray<StoredEntry | undefined>): Result.Result<void, Corrupt> {
    for (const [n, { key: entry, namespace }] of names.entries()) {
      const found = stored[n]
      if (found === undefined) continue
      const owner = ownerIn(found)
      if (Result.isFailure(owner)) return Result.fail(owner.failure)
      this.owners[this.indexes.findIndex((index) => index.namespace === namespace)]?.set(entry, owner.success)
    }
    return Result.succeed(undefined)
  }

  /** Takes claims event by event: first what its keys leave, then what they take. The first clash ends it. */
  take(claims: ReadonlyArray<Claim>): Clash | undefined {
    for (let first = 0; first < claims.length;) {
      const event = claims[first]?.event
      let next = first
      while (claims[next]?.event === event) next++
      const own = claims.slice(first, next)
      for (const { key } of own) this.release(key)
      for (const claim of own) {
        const clash = this.claim(claim)
        if (clash !== undefined) return clash
      }
      first = next
    }
    return undefined
  }

  private release(key: string): void {
    for (const [i, entry] of this.entries.get(key)?.entries() ?? []) this.owners[i]?.set(entry, undefined)
  }

  private claim({ entries, event, key }: Claim): Clash | undefined {
    for (const [i, index] of this.indexes.entries()) {
      const entry = entries[i]
      const owner = entry === undefined ? undefined : this.owners[i]?.get(entry)
      if (owner !== undefined && owner !== key) return { event, index, key, owner }
    }
    this.entries.set(key, entries)
    this.give(key, entries)
    return undefined
  }

  private give(key: string, entries: ReadonlyArray<string>): void {
    for (const [i, entry] of entries.entries()) this.owners[i]?.set(entry, key)
  }
}

/** The key of the state that an entry stands for, where the entry holds it. */
export const ownerIn = ({ key, namespace, value }: StoredEntry): Result.Result<string, Corrupt> => {
  const where = `key ${quoted(key)} of namespace ${quoted(namespace)}`
  const owner = typeof value === "string" ? Result.getOrUndefined(parseJson(where, value)) : undefined
  return typeof owner === "string" ? Result.succeed(owner) : Result.fail(noKey(where))
}

const noKey = (where: string): Corrupt =>
  new Corrupt({ where, reason: "an entry of an index that holds no key", remedy: "rebuild the read model" })
