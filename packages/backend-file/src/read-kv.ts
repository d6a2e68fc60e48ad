/** Reading keys: the index says at which revision each was written last, the log what was written there. */
import type {
  ChangedRange,
  KeyName,
  KeyRange,
  NamespaceInfo,
  NamespacesRange,
  Page,
  Position,
  StoredEntry,
  Tombstone
} from "@persist/core"
import { kind, kindAt } from "./log/item.ts"
import { entryAt, tombstoneAt } from "./log/read-record.ts"
import type { Readable } from "./read-log.ts"

/** The entries of keys, in their order. */
export const getKeys = (
  readable: Readable,
  keys: ReadonlyArray<KeyName>
): ReadonlyArray<StoredEntry | undefined> =>
  keys.map(({ key, namespace }) => {
    const revision = readable.contents.keys.revision(namespace, key)
    return revision === 0 ? undefined : entryOf(readable, revision)
  })

/** Keys of a namespace in their order. */
export const scanKeys = (readable: Readable, range: KeyRange): ReadonlyArray<StoredEntry> =>
  readable.contents.keys.scan(range).flatMap((revision) => entryOf(readable, revision) ?? [])

/** What changed in a namespace. */
export const changedKeys = (readable: Readable, range: ChangedRange): Page<StoredEntry | Tombstone> => {
  const items = readable.contents.keys.changed(range).flatMap((revision) => writeOf(readable, revision) ?? [])
  const last = items.length < range.limit ? undefined : items.at(-1)
  return { items, through: last?.revision ?? readable.head }
}

/** Namespaces that hold keys. */
export const listNamespaces = (
  { contents }: Readable,
  range: NamespacesRange
): ReadonlyArray<NamespaceInfo> => contents.keys.namespaces(range)

const entryOf = (readable: Readable, revision: Position): StoredEntry | undefined => {
  const write = writeOf(readable, revision)
  return write?._tag === "Entry" ? write : undefined
}

const writeOf = ({ log }: Readable, revision: Position): StoredEntry | Tombstone | undefined =>
  log.record(revision, (chunk, at) => {
    const of = kindAt(chunk, at)
    return of === kind.put ? entryAt(chunk, at) : of === kind.tombstone ? tombstoneAt(chunk, at) : undefined
  })
