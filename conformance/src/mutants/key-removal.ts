/** Mutants that delete or clear too much, too little, or forget that they did. */
import type { StoredEntry } from "@persist/core"
import { origin, Position } from "@persist/core"
import * as Effect from "effect/Effect"
import { committed, got, keysOf, oneByOne, revisionOf, single } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const nameOf = ({ key, namespace }: { readonly namespace: string; readonly key: string }) =>
  JSON.stringify([namespace, key])

/** Broken in deleting and clearing. */
export const keyRemoval = [
  mutant("deleted at 0", "tells a deletion no revision", (backend) =>
    committed(backend, (outcome, { write }) => ({
      ...outcome,
      revisions: outcome.revisions.map((revision, n) => write[n]?._tag === "Delete" ? origin : revision)
    })), [
    "a key's revision rises with each of its writes, over its deletion too",
    "deleting a key that isn't there changes nothing, yet takes a position"
  ]),

  placeMutant("deleted, yet cached", "answers deleted keys from its cache", () => {
    const known = new Map<string, StoredEntry>()
    return (backend) => ({
      ...got(backend, (entry, name) => entry ?? known.get(nameOf(name))),
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          if (op._tag !== "Delete") continue
          const [entry] = yield* backend.get([op])
          if (entry) known.set(nameOf(op), entry)
        }
        return yield* single(backend, commit)
      }))
    })
  }, [
    "a deleted key has no entry",
    "deleting a key deletes it in its own namespace only",
    "deleted and cleared keys are still gone after reopening"
  ]),

  mutant(
    "deletes everywhere",
    "deletes a key from every namespace",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        for (const op of commit.write) {
          if (op._tag !== "Delete" || outcome._tag !== "Committed") continue
          for (const { namespace } of yield* backend.namespaces({ after: undefined, limit: 100 })) {
            const isThere = (yield* revisionOf(backend, { namespace, key: op.key })) > 0
            if (isThere) yield* single(backend, { ...commit, expect: [], write: [{ ...op, namespace }] })
          }
        }
        return outcome
      })),
    [
      "deleting a key deletes it in its own namespace only"
    ]
  ),

  mutant(
    "nothing to delete",
    "does nothing at all where a key that isn't there is deleted",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const [op] = commit.write
        const isMissing = op?._tag === "Delete" && commit.write.length === 1 && (yield* revisionOf(backend, op)) === 0
        if (!isMissing) return yield* single(backend, commit)
        const position = yield* backend.head
        return { _tag: "Committed", position, appended: [], revisions: [position], repeated: false }
      })),
    [
      "deleting a key that isn't there changes nothing, yet takes a position"
    ]
  ),

  mutant(
    "clears by prefix",
    "clears every namespace whose name starts the same",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const outcome = yield* single(backend, commit)
        for (const op of commit.write) {
          if (op._tag !== "Clear" || outcome._tag !== "Committed") continue
          for (const { namespace } of yield* backend.namespaces({ after: undefined, limit: 100 })) {
            if (!namespace.startsWith(op.namespace)) continue
            yield* single(backend, { ...commit, expect: [], write: [{ ...op, namespace }] })
          }
        }
        return outcome
      })),
    [
      "clearing a namespace removes its keys and no others"
    ]
  ),

  mutant(
    "one position for a clear",
    "takes one position for a clear, whatever it removes",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const before = yield* backend.head
        const outcome = yield* single(backend, commit)
        if (outcome._tag !== "Committed" || commit.write[0]?._tag !== "Clear") return outcome
        const position = Position(Math.min(before + 1, outcome.position))
        return { ...outcome, position, revisions: [position] }
      })),
    [
      "clearing takes one position for each key that it removes",
      "every key of a cleared namespace comes as a tombstone with a revision of its own"
    ]
  ),

  placeMutant("cleared, yet expected", "remembers the revisions of cleared keys", () => {
    const before = new Map<string, number>()
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          if (op._tag !== "Clear") continue
          for (const entry of yield* keysOf(backend, op.namespace)) before.set(nameOf(entry), entry.revision)
        }
        const expect = commit.expect.filter((each) =>
          each._tag === "Stream" || before.get(nameOf(each)) !== each.expected
        )
        return yield* single(backend, { ...commit, expect })
      }))
  }, [
    "a cleared key is absent to whoever expects it"
  ])
]
