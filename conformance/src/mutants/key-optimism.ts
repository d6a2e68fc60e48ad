/** Mutants that judge expectations on keys wrongly, or tell wrongly of the conflict. */
import { origin, Position } from "@persist/core"
import * as Effect from "effect/Effect"
import { conflicts, lax, oneByOne, revisionOf, single } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

/** Broken in expectations on keys. */
export const keyOptimism = [
  mutant(
    "puts never replace",
    "takes a put that expects nothing for one that expects the key to be absent",
    (backend) =>
      oneByOne((commit) => {
        const [op] = commit.write
        return single(
          backend,
          commit.expect.length > 0 || op?._tag !== "Put" ? commit : {
            ...commit,
            expect: [{ _tag: "Key", namespace: op.namespace, key: op.key, expected: "absent" }]
          }
        )
      }),
    [
      "a value that one handle was told is committed is read by every other",
      "who sees a commit's key sees its events",
      "the commits of a batch take rising positions in their order",
      "a commit that expects nothing happens whatever is there",
      "expecting a revision holds for the key's last write, and for none before it",
      "reading all gives the events of every stream in the order they were committed",
      "an event in the total order is the event that its stream has",
      "a range of the total order starts above `after` and includes `to`",
      "reading above the head gives nothing",
      "a prefix selects the streams whose names start with it",
      "types select the events of any of them",
      "a type that no event has selects nothing, and so does an empty list of types",
      "prefix and types together select the events that meet both",
      "a limit counts the events that a filter lets through",
      "a page of the total order has no more events than its limit",
      "the total order in reverse starts with its last event",
      "a limit in reverse gives the last events that a filter lets through",
      "pages of the total order join to the whole by `through`, whatever their size",
      "`through` passes a stretch in which nothing matches",
      "at the end of the range `through` is the head, or `to` where that is less",
      "what is written to the kv is no event",
      "once a reader was given a position, nothing at or below it appears later",
      "nothing appears later at or below a head that was read",
      "positions rise from commit to commit",
      "no position is given out twice, to events or to keys",
      "each stream's events appear in the total order by their seqs",
      "a stream's events have rising positions",
      "every handle reads the same total order",
      "events that were read are the same when they are read again",
      "a later put takes the place of the value before",
      "a key's revision rises with each of its writes, over its deletion too",
      "an entry's time is that of its last write",
      "a value's metadata is kept beside it and goes with it",
      "a scan gives whole entries, the ones that `get` gives",
      "pages of a scan neither skip nor repeat a key that stays, whatever is written between them",
      "what changed is given in the order of the last writes, each key once",
      "a changed key comes as the entry that `get` gives",
      "only what was written above the position has changed since it",
      "pages of changes join by `through`, whatever their size",
      "a key written while its changes are paged comes again, and none is missed",
      "namespaces are listed with how many keys they hold",
      "keys that are read together are of one moment"
    ]
  ),

  mutant(
    "always absent",
    "doesn't ask whether a key is absent",
    (backend) => lax(backend, ({ _tag, expected }) => _tag === "Key" && expected === "absent"),
    [
      "each commit of a batch is judged by what the ones before it did to a key",
      "expecting a key to be absent holds for one that was never written, and not for one that has a value",
      "a conflict on a key carries the expectation and the revision that is there",
      "a commit may expect something of streams and keys that it doesn't change",
      "after a conflict the head is where it was",
      "after a conflict streams and keys are as they were",
      "of writers racing to create a key exactly one wins",
      "null is a value, and no absence",
      "expectations are judged after reopening by what was there before"
    ]
  ),

  mutant(
    "tombstones are there",
    "takes a deleted key for one that is there",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const expectation of commit.expect) {
          if (expectation._tag === "Stream" || expectation.expected !== "absent") continue
          const { items } = yield* backend.changed({ ...expectation, after: origin, limit: 10_000 })
          const tombstone = items.find(({ _tag, key }) => _tag === "Tombstone" && key === expectation.key)
          if (tombstone) return { _tag: "Conflict", expectation, actual: tombstone.revision }
        }
        return yield* single(backend, commit)
      })),
    [
      "a deleted key is absent to whoever expects it",
      "a cleared key is absent to whoever expects it"
    ]
  ),

  mutant(
    "any key exists",
    "doesn't ask whether a key exists",
    (backend) => lax(backend, ({ _tag, expected }) => _tag === "Key" && expected === "exists"),
    [
      "a deleted key is absent to whoever expects it",
      "expecting a key to exist holds for one that has a value, and for no other",
      "a conflict on a key carries the expectation and the revision that is there",
      "of several expectations a conflict carries the first that doesn't hold",
      "a commit happens only if all that it expects holds",
      "expecting something of a key says nothing of the same key in another namespace"
    ]
  ),

  mutant(
    "older revisions are fine",
    "takes an earlier revision for the last one",
    (backend) =>
      lax(backend, ({ _tag, expected }, actual) => _tag === "Key" && typeof expected === "number" && expected < actual),
    [
      "expecting a revision holds for the key's last write, and for none before it",
      "a key deleted and written again has not the revision it had before",
      "of writes racing at one revision of a key exactly one wins"
    ]
  ),

  mutant(
    "later revisions are fine",
    "takes a revision above the last one for the last one",
    (backend) =>
      lax(backend, ({ _tag, expected }, actual) => _tag === "Key" && typeof expected === "number" && expected > actual),
    [
      "expecting a revision doesn't hold for a number above it, nor for a key that isn't there",
      "a key deleted and written again has not the revision it had before",
      "a conflict on a key carries the expectation and the revision that is there",
      "a cleared key is absent to whoever expects it"
    ]
  ),

  placeMutant("a new key has its old revision", "counts a key's revisions anew once it was deleted", () => {
    const before = new Map<string, Set<number>>()
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          if (op._tag !== "Delete") continue
          const revisions = before.get(op.key) ?? new Set()
          before.set(op.key, revisions.add(yield* revisionOf(backend, op)))
        }
        const expect = commit.expect.filter(({ _tag, expected, ...name }) =>
          !(_tag === "Key" && "key" in name && typeof expected === "number" && before.get(name.key)?.has(expected))
        )
        return yield* single(backend, { ...commit, expect })
      }))
  }, [
    "a key deleted and written again has not the revision it had before"
  ]),

  mutant(
    "conflicts without a revision",
    "tells no conflict on a key what is there",
    (backend) =>
      conflicts(backend, (conflict) => conflict.expectation._tag === "Key" ? { ...conflict, actual: 0 } : conflict),
    [
      "a conflict on a key carries the expectation and the revision that is there"
    ]
  ),

  mutant(
    "keys of any namespace",
    "judges a key by its name alone, whatever the namespace",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        for (const expectation of commit.expect) {
          if (expectation._tag === "Stream" || expectation.expected !== "absent") continue
          for (const { namespace } of yield* backend.namespaces({ after: undefined, limit: 1000 })) {
            const actual = yield* revisionOf(backend, { namespace, key: expectation.key })
            if (actual > 0) return { _tag: "Conflict", expectation, actual: Position(actual) }
          }
        }
        return yield* single(backend, commit)
      })),
    [
      "expecting something of a key says nothing of the same key in another namespace"
    ]
  )
]
