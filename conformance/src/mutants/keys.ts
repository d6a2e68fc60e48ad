/** Mutants that lose, mix up or misremember keys. */
import type { Write } from "@persist/core"
import { origin, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { commits, committed, entries, got, keysOf } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const nameOf = ({ key, namespace }: { readonly namespace: string; readonly key: string }) =>
  JSON.stringify([namespace, key])

/** Broken in putting, getting, deleting and clearing. */
export const keys = [
  mutant(
    "empty for missing",
    "answers a key that isn't there with an empty value",
    (backend) =>
      got(
        backend,
        (entry, name) => entry ?? { _tag: "Entry", ...name, value: "", meta: undefined, revision: origin, at: 0 }
      ),
    [
      "a new store has neither events nor keys",
      "two stores share neither events nor keys",
      "of a commit that conflicts nothing happens to any stream or key",
      "a commit that breaks on its way to the disk leaves nothing behind",
      "a key that was never written has no entry",
      "many keys are answered in the order they were asked for, missing ones in their place",
      "keys of several namespaces are answered together",
      "thousands of keys are answered at once",
      "a deleted key has no entry",
      "deleting a key deletes it in its own namespace only",
      "deleting a key that isn't there changes nothing, yet takes a position",
      "clearing a namespace removes its keys and no others",
      "hundreds of streams with one event each are hundreds of streams",
      "deleted and cleared keys are still gone after reopening"
    ]
  ),

  mutant("any namespace will do", "answers a key from another namespace where its own hasn't got it", (backend) => ({
    get: (names) =>
      Effect.flatMap(
        backend.get(names),
        (found) =>
          Effect.forEach(found, (entry, n) =>
            entry ? Effect.succeed(entry) : Effect.map(
              Effect.flatMap(backend.namespaces({ after: undefined, limit: 10 }), (all) =>
                backend.get(all.map(({ namespace }) => ({ namespace, key: names[n]?.key ?? "" })))),
              (others) =>
                others.find((other) => other !== undefined)
            ))
      )
  }), [
    "a key that was never written has no entry",
    "keys of several namespaces are answered together",
    "deleting a key deletes it in its own namespace only",
    "clearing a namespace removes its keys and no others"
  ]),

  mutant(
    "its own time",
    "stamps entries with a time of its own",
    (backend) => entries(backend, (entry) => ({ ...entry, at: entry.at + 1 })),
    [
      "a key's entry is what was put, when, and at which position",
      "an entry's time is that of its last write",
      "a value's time is kept to the millisecond"
    ]
  ),

  placeMutant("the first value stays", "inserts or ignores where it should insert or replace", () => {
    const first = new Map<string, Write>()
    return (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        write: commit.write.map((op) => {
          if (op._tag !== "Put") return op
          const before = first.get(nameOf(op))
          if (before === undefined) first.set(nameOf(op), op)
          return before ?? op
        })
      }))
  }, [
    "a value that one handle was told is committed is read by every other",
    "who sees a commit's key sees its events",
    "each commit of a batch is judged by what the ones before it did to a key",
    "a commit may expect something of streams and keys that it doesn't change",
    "no increment made by compare-and-set is lost",
    "a later put takes the place of the value before",
    "a value's metadata is kept beside it and goes with it",
    "a cleared key is absent to whoever expects it",
    "a key written while its changes are paged comes again, and none is missed",
    "keys that are read together are of one moment"
  ]),

  mutant("only what is found", "leaves missing keys out of the answer", (backend) => ({
    get: (names) =>
      Effect.map(
        backend.get(names),
        (found) => names.length === 1 ? found : found.filter((entry) => entry !== undefined)
      )
  }), [
    "many keys are answered in the order they were asked for, missing ones in their place",
    "keys of several namespaces are answered together",
    "thousands of keys are answered at once",
    "a deleted key has no entry",
    "deleting a key that isn't there changes nothing, yet takes a position",
    "clearing a namespace removes its keys and no others",
    "keys that are read together are of one moment"
  ]),

  mutant("each key once", "answers a key that is asked for twice only once", (backend) => ({
    get: (names) => backend.get([...new Map(names.map((name) => [nameOf(name), name])).values()])
  }), [
    "many keys are answered in the order they were asked for, missing ones in their place"
  ]),

  mutant("one namespace for all", "looks for all keys in the namespace of the first", (backend) => ({
    get: (names) => backend.get(names.map(({ key }) => ({ namespace: names[0]?.namespace ?? "", key })))
  }), [
    "keys of several namespaces are answered together",
    "a namespace may have any name, and those that look alike are different",
    "a namespace and a key never run into each other",
    "a namespace and a key may each be as long as the limit, and are kept to the last byte"
  ]),

  mutant("a thousand keys", "answers no more than a thousand keys", (backend) => ({
    get: (names) => Effect.map(backend.get(names), (found) => found.map((entry, n) => n < 1000 ? entry : undefined))
  }), [
    "thousands of keys are answered at once"
  ]),

  mutant(
    "one revision for all",
    "tells all keys of a commit the revision of the last",
    (backend) =>
      committed(backend, (outcome) => ({ ...outcome, revisions: outcome.revisions.map(() => outcome.position) })),
    [
      "resolve gives the seqs, positions and revisions of every part of a commit",
      "the keys of one commit have revisions that rise in the order of its writes"
    ]
  ),

  mutant("the namespace's revision", "gives a key the revision of its namespace's last write", (backend) => ({
    get: Effect.fnUntraced(function*(names) {
      const found = yield* backend.get(names)
      return yield* Effect.forEach(
        found,
        Effect.fnUntraced(function*(entry) {
          if (entry === undefined) return undefined
          const { items } = yield* backend.changed({ namespace: entry.namespace, after: origin, limit: 10_000 })
          return { ...entry, revision: items.at(-1)?.revision ?? entry.revision }
        })
      )
    })
  }), [
    "the keys of one commit have revisions that rise in the order of its writes",
    "a key's revision stays as it is when others are written",
    "a scan gives whole entries, the ones that `get` gives",
    "a changed key comes as the entry that `get` gives"
  ]),

  mutant(
    "null is nothing",
    "takes a value of null for no value",
    (backend) => got(backend, (entry) => entry?.value === "null" ? undefined : entry),
    [
      "null is a value, and no absence",
      "text is read as it was written, character for character",
      "text stays text and bytes stay bytes, though their content be the same"
    ]
  ),

  placeMutant("the later time", "keeps the later of two times", () => {
    const latest = new Map<string, number>()
    return (backend) => ({
      ...commits(backend, (commit) => {
        for (const op of commit.write) {
          if (op._tag === "Put") latest.set(nameOf(op), Math.max(commit.at, latest.get(nameOf(op)) ?? 0))
        }
        return commit
      }),
      ...got(backend, (entry) => entry && { ...entry, at: latest.get(nameOf(entry)) ?? entry.at })
    })
  }, [
    "an entry's time is that of its last write"
  ]),

  placeMutant("metadata stays", "keeps the metadata of a value that is replaced by one without", () => {
    const known = new Map<string, string>()
    return (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        write: commit.write.map((op) => {
          if (op._tag !== "Put") return op
          const meta = op.meta ?? known.get(nameOf(op))
          if (meta !== undefined) known.set(nameOf(op), meta)
          return { ...op, meta }
        })
      }))
  }, [
    "a value's metadata is kept beside it and goes with it"
  ]),

  mutant("keys are events", "reads the keys of a namespace as events of a stream of that name", (backend) => ({
    readAll: (range) =>
      Effect.flatMap(backend.readAll(range), (page) =>
        Effect.map(keysOf(backend, "n"), (found) => ({
          through: page.through,
          items: [
            ...page.items,
            ...found.filter(({ revision }) => revision > range.after && revision <= page.through).map((entry) => ({
              stream: "n",
              seq: Seq(1),
              position: entry.revision,
              type: "put",
              at: entry.at,
              data: entry.value,
              meta: entry.meta,
              id: undefined
            }))
          ]
        })))
  }), [
    "a commit's events are contiguous in the total order",
    "reading all gives the events of every stream in the order they were committed",
    "an event in the total order is the event that its stream has",
    "a range of the total order starts above `after` and includes `to`",
    "a prefix selects the streams whose names start with it",
    "types select the events of any of them",
    "a type that no event has selects nothing, and so does an empty list of types",
    "prefix and types together select the events that meet both",
    "a limit counts the events that a filter lets through",
    "the total order in reverse starts with its last event",
    "a limit in reverse gives the last events that a filter lets through",
    "pages of the total order join to the whole by `through`, whatever their size",
    "`through` passes a stretch in which nothing matches",
    "what is written to the kv is no event",
    "once a reader was given a position, nothing at or below it appears later",
    "nothing appears later at or below a head that was read",
    "each stream's events appear in the total order by their seqs",
    "every handle reads the same total order",
    "events that were read are the same when they are read again",
    "the log and the kv may use the same names",
    "the total order is the same after reopening"
  ])
]
