/** The keys of one namespace, deleted ones included: by name, in the order of names, and of their last writes. */
import type { KeyRange, Position, StoredEntry, Tombstone } from "@persist/core"
import { compareUtf8 } from "@persist/core"
import { firstIndex } from "./first-index.ts"
import { SortedNames } from "./sorted-names.ts"

/** A key as it was last written. */
export type Kept = StoredEntry | Tombstone

const isEntry = (kept: Kept | undefined): kept is StoredEntry => kept?._tag === "Entry"

/** The keys of a namespace. */
export class Keys {
  /** How many hold a value. */
  living = 0
  /** In the order of their last writes, which is that of their revisions: what is written again goes to the end. */
  private readonly kept = new Map<string, Kept>()
  private readonly names = new SortedNames()
  /** The writes by revision, some of them of keys that were written again; made when first asked for. */
  private changes: Array<Kept> | undefined

  /** The key's entry; `undefined` where there is none, or it was deleted. */
  entry(key: string): StoredEntry | undefined {
    const found = this.kept.get(key)
    return isEntry(found) ? found : undefined
  }

  /** Keeps what a key has become. */
  write(to: Kept): void {
    const { key } = to
    const from = this.kept.get(key)
    if (from === undefined) this.names.add(key)
    else this.kept.delete(key)
    this.living += Number(isEntry(to)) - Number(isEntry(from))
    this.kept.set(key, to)
    this.changes?.push(to)
  }

  /** The entries within bounds, in the order of their keys. */
  within({ gte, limit, lt, reverse }: Omit<KeyRange, "namespace">): Array<StoredEntry> {
    const found: Array<StoredEntry> = []
    for (const key of reverse ? this.names.before(lt) : this.names.from(gte ?? "")) {
      const isBeyond = reverse
        ? gte !== undefined && compareUtf8(key, gte) < 0
        : lt !== undefined && compareUtf8(key, lt) >= 0
      if (isBeyond || found.length >= limit) break
      const entry = this.entry(key)
      if (entry !== undefined) found.push(entry)
    }
    return found
  }

  /** The keys that were last written above a revision, in the order of those writes. */
  since(after: Position, limit: number): Array<Kept> {
    const changes = this.settled()
    const found: Array<Kept> = []
    for (
      let i = firstIndex(changes, ({ revision }) => revision > after);
      i < changes.length && found.length < limit;
      i++
    ) {
      const change = changes[i]
      if (change !== undefined && this.kept.get(change.key) === change) found.push(change)
    }
    return found
  }

  // No longer than twice the keys, so that what was written again can be passed over.
  private settled(): ReadonlyArray<Kept> {
    if (this.changes === undefined || this.changes.length > 2 * this.kept.size) this.changes = [...this.kept.values()]
    return this.changes
  }
}
