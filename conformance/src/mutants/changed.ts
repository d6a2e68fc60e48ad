/** Mutants that tell wrongly of what changed in a namespace. */
import type { ChangedRange, StoredEntry, Tombstone } from "@persist/core"
import { origin, Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { changesOf, keysOf, oneByOne, revisionOf, single } from "../altered.ts"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"

const asks = (
  name: string,
  bug: string,
  otherwise: (range: ChangedRange) => Partial<ChangedRange>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({ changed: (range) => backend.changed({ ...range, ...otherwise(range) }) }), breaks)

const isTombstone = ({ _tag }: StoredEntry | Tombstone) => _tag === "Tombstone"

/** Broken in `changed`. */
export const changed = [
  mutant(
    "changes by key",
    "gives changes in the order of the keys",
    (backend) => changesOf(backend, (items) => items.toSorted((a, b) => a.key < b.key ? -1 : 1)),
    [
      "what changed is given in the order of the last writes, each key once",
      "a changed key comes as the entry that `get` gives",
      "a deleted key has changed: it comes as a tombstone, with when and where it was deleted",
      "a key deleted and written again has changed once, to its entry",
      "deleting a key that isn't there is no change",
      "pages of changes join by `through`, whatever their size",
      "tombstones are still there after reopening"
    ]
  ),

  mutant(
    "changes without time",
    "leaves the time out of a changed entry",
    (backend) => changesOf(backend, (items) => items.map((item) => isTombstone(item) ? item : { ...item, at: 0 })),
    [
      "a changed key comes as the entry that `get` gives"
    ]
  ),

  asks("changes at `after`", "begins with the position that it should begin after", ({ after }) => ({
    after: Position(Math.max(0, after - 1))
  }), [
    "only what was written above the position has changed since it",
    "deleting a key that isn't there is no change",
    "pages of changes join by `through`, whatever their size",
    "a key written while its changes are paged comes again, and none is missed",
    "at the end of the changes `through` is the head"
  ]),

  mutant(
    "deletions are no changes",
    "leaves deletions out of the changes",
    (backend) => changesOf(backend, (items) => items.filter((item) => !isTombstone(item))),
    [
      "a deleted key has changed: it comes as a tombstone, with when and where it was deleted",
      "deleting a key that isn't there is no change",
      "every key of a cleared namespace comes as a tombstone with a revision of its own",
      "pages of changes join by `through`, whatever their size",
      "tombstones are still there after reopening"
    ]
  ),

  mutant(
    "tombstones without time",
    "doesn't keep when a key was deleted",
    (backend) => changesOf(backend, (items) => items.map((item) => isTombstone(item) ? { ...item, at: 0 } : item)),
    [
      "a deleted key has changed: it comes as a tombstone, with when and where it was deleted"
    ]
  ),

  placeMutant("tombstones stay", "gives a key's tombstone after the key was written again", () => {
    const deleted = new Map<string, Tombstone>()
    return (backend) => ({
      ...oneByOne((commit) =>
        Effect.map(single(backend, commit), (outcome) => {
          commit.write.forEach((op, n) => {
            const revision = outcome._tag === "Committed" ? outcome.revisions[n] : undefined
            if (op._tag === "Delete" && revision) {
              deleted.set(op.key, { ...op, _tag: "Tombstone", revision, at: commit.at })
            }
          })
          return outcome
        })
      ),
      ...changesOf(backend, (items) =>
        items.flatMap((item) => {
          const tombstone = deleted.get(item.key)
          return tombstone === undefined || isTombstone(item) ? [item] : [tombstone, item]
        }))
    })
  }, [
    "a key deleted and written again has changed once, to its entry"
  ]),

  mutant(
    "tombstones for nothing",
    "makes a tombstone for a key that wasn't there",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          if (op._tag !== "Delete" || (yield* revisionOf(backend, op)) > 0) continue
          yield* single(backend, { ...commit, expect: [], write: [{ ...op, _tag: "Put", value: "", meta: undefined }] })
        }
        return yield* single(backend, commit)
      })),
    [
      "deleting a key that isn't there is no change"
    ]
  ),

  placeMutant("clears without a trace", "makes no tombstones of what a clear removes", () => {
    const cleared = new Set<string>()
    return (backend) => ({
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          if (op._tag !== "Clear") continue
          for (const { key } of yield* keysOf(backend, op.namespace)) cleared.add(key)
        }
        return yield* single(backend, commit)
      })),
      ...changesOf(backend, (items) => items.filter((item) => !isTombstone(item) || !cleared.has(item.key)))
    })
  }, [
    "every key of a cleared namespace comes as a tombstone with a revision of its own"
  ]),

  mutant(
    "one revision for what a clear removes",
    "gives all tombstones of a clear the revision of the last",
    (backend) =>
      changesOf(backend, (items) => {
        const last = items.findLast(isTombstone)
        return items.map((item) =>
          isTombstone(item) && last ? { ...item, revision: Position(Math.max(item.revision, last.revision)) } : item
        )
      }),
    [
      "every key of a cleared namespace comes as a tombstone with a revision of its own"
    ]
  ),

  mutant("changes one further", "says of a full page of changes that it looked one position further", (backend) => ({
    changed: (range) =>
      Effect.map(backend.changed(range), ({ items, through }) => ({
        items,
        through: Position(items.length === range.limit ? through + 1 : through)
      }))
  }), [
    "pages of changes join by `through`, whatever their size",
    "a key written while its changes are paged comes again, and none is missed"
  ]),

  asks("changes without limit", "takes no notice of the limit of a page of changes", () => ({ limit: unbounded }), [
    "a page of changes has no more than its limit",
    "a key written while its changes are paged comes again, and none is missed"
  ]),

  placeMutant(
    "pages of yesterday",
    "pages through the changes as they were at the first page, and says that it came to the head",
    () => {
      let all: ReadonlyArray<StoredEntry | Tombstone> = []
      return (backend) => ({
        changed: Effect.fnUntraced(function*(range) {
          if (range.after === origin) all = (yield* backend.changed({ ...range, limit: unbounded })).items
          const items = all.filter(({ revision }) => revision > range.after).slice(0, range.limit)
          const end = yield* backend.head
          return { items, through: items.length < range.limit ? end : items.at(-1)?.revision ?? end }
        })
      })
    },
    [
      "only what was written above the position has changed since it",
      "every key of a cleared namespace comes as a tombstone with a revision of its own",
      "a key written while its changes are paged comes again, and none is missed"
    ]
  ),

  mutant("no further than the last change", "says where nothing changed that it looked at nothing", (backend) => ({
    changed: (range) =>
      Effect.map(backend.changed(range), ({ items, through }) => ({
        items,
        through: items.length === 0 ? range.after : through
      }))
  }), [
    "deleting a key that isn't there is no change",
    "at the end of the changes `through` is the head"
  ]),

  mutant("changes of all namespaces alike", "finds changes of namespaces that differ only in case", (backend) => ({
    changed: Effect.fnUntraced(function*(range) {
      const page = yield* backend.changed(range)
      const other = yield* backend.changed({ ...range, namespace: range.namespace.toUpperCase() })
      return { ...page, items: [...page.items, ...other.items].slice(0, range.limit) }
    })
  }), [
    "changes keep to their namespace"
  ])
]
