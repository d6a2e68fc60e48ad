/** Mutants that keep, scan, count or follow keys wrongly. */
import { Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { commits } from "../altered.ts"
import { beneathMutant, kvMutant, storeMutant } from "../store-mutant.ts"

/** Broken in keys. */
export const storeKv = [
  kvMutant("bare entries", "gives entries without their metadata", (kv) => ({
    entry: (key, options) => Effect.map(kv.entry(key, options), Option.map((entry) => ({ ...entry, meta: undefined })))
  }), [
    "a key's entry is the value that was put, with its metadata, time and revision",
    "every option of a put and of a delete makes a difference"
  ]),

  kvMutant("null is nothing", "takes a stored null for no value", (kv) => ({
    get: (key, options) => Effect.map(kv.get(key, options), Option.filter((value) => value !== null))
  }), [
    "null is a value, and a key that was never put has none"
  ]),

  kvMutant("closes ranks", "leaves out keys that aren't there of several", (kv) => ({
    getMany: (keys, options) => Effect.map(kv.getMany(keys, options), (found) => found.filter(Option.isSome))
  }), [
    "whoever is interrupted leaves a whole commit or nothing",
    "several keys are given in the order they were asked for, with what isn't there in its place"
  ]),

  kvMutant("absent or not", "puts a key that must be absent, though it isn't", (kv) => ({
    put: ((key: string, value: never, options: Parameters<typeof kv.put>[2]) =>
      kv.put(
        key,
        value,
        options?.expected === "absent" ? { ...options, expected: "any" } : options
      )) as typeof kv.put // by overloads
  }), [
    "a write is held to what it expects of its key",
    "every option of a put and of a delete makes a difference"
  ]),

  kvMutant("deletes nothing", "leaves a key that was deleted", (kv) => ({
    delete: ((key: string, options: Parameters<typeof kv.delete>[1]) =>
      Effect.flatMap(kv.entry(key), (entry) =>
        Option.isNone(entry) || options?.expected !== undefined
          ? kv.delete(key, options)
          : kv.put(key, entry.value.value, options))) as typeof kv.delete // by overloads
  }), [
    "a deleted key is gone, and comes back with a higher revision",
    "a namespace is listed while it holds keys, with their number",
    "what changed since a revision is each key's last write, deletions included, in their order",
    "whoever watches without saying since when sees only what changes from then on",
    "the slowest reader of a stream is the one of those that read it who has come least far",
    "a subscription that is removed is forgotten, and whoever ran it is fenced",
    "every option of a put and of a delete makes a difference"
  ]),

  kvMutant("`gt` is included", "begins a scan with the key that it should begin after", (kv) => ({
    scan: (options) => kv.scan(options?.gt === undefined ? options : { ...options, gt: undefined, gte: options.gt })
  }), [
    "more keys than a page holds are scanned whole, and backwards",
    "keys are scanned in the order of their UTF-8 bytes, within every bound and both ways",
    "every option of scanning and counting keys makes a difference"
  ]),

  kvMutant("takes any option of a put", "leaves out what it doesn't know of the options of a put", (kv) => ({
    put: ((key: string, value: never, options: Parameters<typeof kv.put>[2]) =>
      kv.put(
        key,
        value,
        options && {
          expected: options.expected,
          meta: options.meta,
          id: options.id,
          at: options.at
        }
      )) as typeof kv.put // by overloads
  }), [
    "a write of the kv that is wrong in any part is refused by that part's name"
  ]),

  kvMutant("takes any way to get", "leaves out what it doesn't know of the options of a get", (kv) => ({
    get: (key, options) => kv.get(key, options && { atLeast: options.atLeast })
  }), [
    "a read of the kv that is wrong in any part is refused by that part's name"
  ]),

  kvMutant("one put at a time", "puts several keys one after the other", (kv, store) => ({
    putMany: (values, options) =>
      Effect.flatMap(
        Effect.forEach(values, ([key, value]) => kv.put(key, value)),
        (written) =>
          Effect.map(store.commit([kv.ops.check(written[0]?.key ?? "k", "exists")], options), (outcome) =>
            outcome._tag === "Committed"
              ? {
                ...outcome,
                revisions: written.map(({ revision }) =>
                  revision
                )
              }
              : { _tag: "Committed" as const, position: Position(0), appended: [], revisions: [], repeated: false })
      )
  }), [
    "several keys are put in one commit, and all or none of them"
  ]),

  kvMutant("one delete at a time", "deletes several keys one after the other", (kv) => ({
    deleteMany: (keys) =>
      Effect.map(Effect.forEach(keys, (key) => kv.delete(key)), (written) => ({
        _tag: "Committed" as const,
        position: written.at(-1)?.revision ?? Position(0),
        appended: [],
        revisions: written.map(({ revision }) => revision),
        repeated: false
      }))
  }), [
    "several keys are deleted in one commit"
  ]),

  kvMutant("clears a little", "leaves all but the first two keys of a namespace that is cleared", (kv) => ({
    clear: (options) =>
      Effect.flatMap(
        Stream.runCollect(kv.scan({ limit: 2 })),
        (found) => found.length === 0 ? kv.clear(options) : kv.deleteMany(found.map(({ key }) => key), options)
      )
  }), [
    "clearing a namespace removes its keys, and no others"
  ]),

  storeMutant("one key each", "tells of every namespace that it holds one key", (store) => ({
    namespaces: () => Stream.map(store.namespaces(), ({ namespace }) => ({ namespace, keys: 1 }))
  }), [
    "more namespaces than a page holds are listed, each with the number of its keys",
    "a namespace is listed while it holds keys, with their number"
  ]),

  storeMutant("a page of namespaces", "lists one page of namespaces", (store) => ({
    namespaces: () => Stream.take(store.namespaces(), 1000)
  }), [
    "more namespaces than a page holds are listed, each with the number of its keys"
  ]),

  kvMutant("keeps the value it gave", "gives the same object to everybody who gets a key", (kv) => {
    const given = new Map<number, Option.Option<unknown>>()
    return {
      get: (key, options) =>
        Effect.flatMap(kv.entry(key, options), (entry) => {
          if (Option.isNone(entry)) return Effect.succeedNone
          const value = Option.some(entry.value.value)
          const { revision } = entry.value
          if (!given.has(revision)) given.set(revision, value)
          return Effect.succeed(given.get(revision) as typeof value) // What is there was put there as this value.
        })
    }
  }, [
    "nothing in the kv is the caller's own object, nor the reader's"
  ]),

  kvMutant("a page of keys", "scans one page of keys", (kv) => ({
    scan: (options) => Stream.take(kv.scan(options), 1000)
  }), [
    "more keys than a page holds are scanned whole, and backwards",
    "a scan meets every key that stays once, though others come and go"
  ]),

  kvMutant("by number", "goes on with a scan by the number of keys that it has given", (kv) => ({
    scan: (options) =>
      options?.limit !== undefined
        ? kv.scan(options)
        : Stream.paginate(0, (from) =>
          Effect.map(Stream.runCollect(kv.scan({ ...options, limit: from + 1000 })), (found) => [
            found.slice(from),
            found.length < from + 1000 ? Option.none<number>() : Option.some(from + 1000)
          ]))
  }), [
    "a scan meets every key that stays once, though others come and go"
  ]),

  kvMutant("counts once", "tells the number of keys as it was when it was first asked", (kv) => {
    const known = new Map<string, number>()
    return {
      count: (options) =>
        Effect.suspend(() => {
          const { atLeast: _atLeast, ...bounds } = options ?? {}
          const asked = JSON.stringify(bounds)
          const number = known.get(asked)
          return number === undefined
            ? Effect.tap(kv.count(options), (counted) => Effect.sync(() => known.set(asked, counted)))
            : Effect.succeed(number)
        })
    }
  }, [
    "whoever demands the position of its own commit reads it",
    "every option of scanning and counting keys makes a difference"
  ]),

  kvMutant("a page of changes", "tells one page of changes", (kv) => ({
    changedSince: (options) => Stream.take(kv.changedSince(options), 1000)
  }), [
    "more changes than a page holds are told whole"
  ]),

  kvMutant("puts only", "tells of no deletion", (kv) => ({
    changedSince: (options) => Stream.filter(kv.changedSince(options), ({ _tag }) => _tag === "Put")
  }), [
    "what changed since a revision is each key's last write, deletions included, in their order"
  ]),

  kvMutant("watches from now", "watches from now on, wherever it should begin", (kv) => ({
    watch: ({ after: _after, ...options } = {}) => kv.watch(options)
  }), [
    "whoever watches from a revision on sees what changed since and what changes then, without a gap",
    "what changes while a watcher reads what is there is told it once",
    "a read of the kv that is wrong in any part is refused by that part's name",
    "every option of following the kv makes a difference"
  ]),

  kvMutant("a gap in the watch", "begins to watch when it has told what changed since", (kv) => ({
    watch: (options = {}) =>
      options.after === undefined
        ? kv.watch(options)
        : Stream.concat(kv.changedSince({ ...options, after: options.after }), kv.watch())
  }), [
    "what changes while a watcher reads what is there is told it once"
  ]),

  kvMutant("watches all", "tells everything there ever was to those who watch from now on", (kv) => ({
    watch: (options) => kv.watch({ after: 0, ...options })
  }), [
    "whoever watches without saying since when sees only what changes from then on"
  ]),

  beneathMutant(
    "a put for a delete",
    "keeps null under keys that are deleted",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        write: commit.write.map((write) =>
          write._tag === "Delete" ? { ...write, _tag: "Put" as const, value: "null", meta: undefined } : write
        )
      })),
    [
      "a write is held to what it expects of its key",
      "a deleted key is gone, and comes back with a higher revision",
      "several keys are deleted in one commit",
      "a namespace is listed while it holds keys, with their number",
      "what changed since a revision is each key's last write, deletions included, in their order",
      "whoever watches without saying since when sees only what changes from then on",
      "the slowest reader of a stream is the one of those that read it who has come least far",
      "a subscription that is removed is forgotten, and whoever ran it is fenced",
      "several who keep one read model at once take every event into account once",
      "a read model follows, and shows an event to whoever waits for it",
      "every option of a put and of a delete makes a difference",
      "the entries of an index are those of its states, after every change and a rebuild",
      "an index shows its states whatever commit is the last one",
      "no two states have the same values of a unique index, in whatever pages their events come",
      "a query shows no state as it was, nor where it was, once that has changed"
    ]
  )
]
