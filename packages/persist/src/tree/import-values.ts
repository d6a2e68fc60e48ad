/** Planning the import of values: each file is compared with its key, and put where it differs and may be. */
import {
  isReserved,
  type Payload,
  Position,
  reservedFault,
  samePayload,
  type StoredEntry,
  type StoreError,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { eachChanged, eachScanned, treeNamespaces } from "./contents.ts"
import { readEntryFile } from "./entry-file.ts"
import { wrong } from "./file-object.ts"
import { contentOf, type FilesError, filesIn, onFiles } from "./file-read.ts"
import { type Circumstances, limitFault, type Plan } from "./import-plan.ts"
import { compact } from "./json-text.ts"
import { type KeyPlace, valuesDirectory } from "./tree-path.ts"

interface FileEntry extends KeyPlace {
  readonly path: string
}

// So many files are compared with one read of the store.
const filesARead = 256

/** The keys that a tree has, by namespace. */
type Keys = Map<string, Set<string>>

/** Adds to a plan what the files of values ask for; `remove` deletes keys whose files are gone since the export. */
export const planValues = Effect.fnUntraced(function*(
  circumstances: Circumstances,
  plan: Plan,
  remove: boolean
): Effect.fn.Return<void, FilesError> {
  const { root } = circumstances
  const keys: Keys = new Map()
  const deleted = new Map<string, ReadonlySet<string>>()
  const files = filesIn(root, valuesDirectory)
  while (true) {
    const entries = yield* onFiles(() => someOf(files, circumstances))
    for (const entry of entries) yield* remember(keys, entry)
    const found = yield* lookUp(circumstances.store, entries)
    for (const [n, entry] of entries.entries()) {
      if (found[n] === undefined && !deleted.has(entry.namespace)) {
        deleted.set(entry.namespace, yield* deletedSince(circumstances, entry.namespace))
      }
      decide(circumstances, plan, entry, found[n], deleted.get(entry.namespace)?.has(entry.key) ?? false)
    }
    if (entries.length < filesARead) break
  }
  if (remove) yield* planDeletes(circumstances, plan, keys)
})

const someOf = async (
  files: AsyncGenerator<string>,
  circumstances: Circumstances
): Promise<ReadonlyArray<FileEntry>> => {
  const entries: Array<FileEntry> = []
  while (entries.length < filesARead) {
    const next = await files.next()
    if (next.done === true) break
    entries.push(await entryIn(circumstances, next.value))
  }
  return entries
}

const entryIn = async ({ models, root, store }: Circumstances, path: string): Promise<FileEntry> => {
  const entry = Result.getOrThrow(readEntryFile(path, await contentOf(root, path)))
  const { key, meta, namespace, value } = entry
  if (isReserved(namespace)) throw reservedFault(path, namespace)
  if (models.has(namespace)) {
    throw wrong(path, `belongs to a read model of this store, ${JSON.stringify(namespace)}`, "remove it from the tree")
  }
  const fault = limitFault(store, path, { namespace, key }, { value, metadata: meta })
  if (fault !== undefined) throw fault
  return { path, ...entry }
}

const remember = (keys: Keys, { key, namespace, path }: FileEntry): Effect.Effect<void, StoreError> => {
  const known = keys.get(namespace) ?? new Set()
  keys.set(namespace, known)
  if (known.has(key)) return Effect.fail(wrong(path, "is a second file of the same key", "remove one of the two"))
  known.add(key)
  return Effect.void
}

const lookUp = (
  { engine }: StoreShape,
  entries: ReadonlyArray<FileEntry>
): Effect.Effect<ReadonlyArray<StoredEntry | undefined>, StoreError> =>
  entries.length === 0
    ? Effect.succeed([])
    : engine.reading(undefined, engine.backend.get(entries.map(({ key, namespace }) => ({ namespace, key }))))

/** The keys of a namespace that were deleted since tree and store agreed. */
const deletedSince = Effect.fnUntraced(function*({ common, store }: Circumstances, namespace: string) {
  const keys = new Set<string>()
  if (common === undefined) return keys
  yield* eachChanged(store, namespace, Position(common), (items) =>
    Effect.sync(() => {
      for (const { _tag, key } of items) if (_tag === "Tombstone") keys.add(key)
    }))
  return keys
})

const decide = (
  { common, overwrite }: Circumstances,
  plan: Plan,
  entry: FileEntry,
  found: StoredEntry | undefined,
  wasDeleted: boolean
): void => {
  const { path } = entry
  if (found === undefined) {
    if (overwrite || !wasDeleted) plan.puts.push({ path, expected: "absent" })
    else plan.conflicts.push({ path, reason: "its key was deleted since the export" })
  } else if (sameText(found.value, entry.value) && sameText(found.meta, entry.meta)) plan.unchanged++
  else if (overwrite || found.revision <= (common ?? -1)) plan.puts.push({ path, expected: found.revision })
  else {
    const since = common === undefined
      ? "its key has another value, and the tree is of another store"
      : "its key was changed since the export"
    plan.conflicts.push({ path, reason: `${since} (revision ${found.revision})` })
  }
}

/** Whether two payloads are the same but for white space that means nothing. */
export const sameText = (a: Payload | undefined, b: Payload | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : samePayload(typeof a === "string" ? compact(a) : a, typeof b === "string" ? compact(b) : b)

const planDeletes = Effect.fnUntraced(
  function*({ common, models, store }: Circumstances, { deletes }: Plan, keys: Keys) {
    for (const namespace of yield* treeNamespaces(store, models)) {
      yield* eachScanned(store, namespace, (entries) =>
        Effect.sync(() => {
          for (const { key, revision } of entries) {
            // One that was written since has never had a file, or not this one.
            const hadFile = revision <= (common ?? -1)
            if (hadFile && keys.get(namespace)?.has(key) !== true) deletes.push({ namespace, key, expected: revision })
          }
        }))
    }
  }
)
