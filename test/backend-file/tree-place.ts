/** Trees in directories of their own, the manifest that lists their runs, and what a sorted map says that they hold. */
import { type Disk, disk } from "@persist/backend-file/disk"
import { everyKey, type Key, keyOf } from "@persist/backend-file/key"
import { openTree } from "@persist/backend-file/tree/open-tree"
import type { RunsChange, TreeEntry, TreeRange, TreeReads } from "@persist/backend-file/tree/tree"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { directory } from "./place.ts"

/** A tree's manifest, as far as a test needs one: in a variable. */
export interface Listed {
  readonly directory: string
  change: RunsChange
  /** How many merges were announced: changes that left fewer runs than there were. */
  merges: number
}

/** A directory for a tree that isn't there yet. */
export const newPlace: Effect.Effect<Listed, never, Scope> = Effect.map(
  directory,
  (path) => ({ directory: path, change: { runs: [], through: 0 }, merges: 0 })
)

/** Opens the tree that is listed, and keeps the list. A small cache, so that blocks are let go and read again. */
export const open = (place: Listed, on: Disk = disk, cacheBytes = 64 * 1024) =>
  openTree({
    directory: place.directory,
    disk: on,
    cacheBytes,
    ...place.change,
    announce: (change) => {
      if (change.runs.length <= place.change.runs.length) place.merges++
      place.change = change
    }
  })

/** What a tree holds, by key, as it's expected. */
export type Expected = ReadonlyMap<Key, string>

/** A value of the index, from text. */
export const valueOf = (text: string): Uint8Array => Buffer.from(text)

/** The entries of a range as text. */
export const entriesOf = (tree: TreeReads, range: TreeRange = everyKey): ReadonlyArray<readonly [Key, string]> =>
  Array.from(tree.range(range), ({ key, value }: TreeEntry) => [key, Buffer.from(value).toString()] as const)

/** The same as the map has it. */
export const expectedOf = (expected: Expected, range: TreeRange = everyKey): ReadonlyArray<readonly [Key, string]> => {
  const found = [...expected].filter(([key]) => key >= range.gte && key < range.lt).sort(([a], [b]) => a < b ? -1 : 1)
  return range.reverse === true ? found.reverse() : found
}

/** Keys of a stream's entries, one for each number below `count`. */
export const numbered = (tag: string, count: number): ReadonlyArray<Key> =>
  Array.from({ length: count }, (_, n) => keyOf(tag, `stream-${n % 7}`, n))
