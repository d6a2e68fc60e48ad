/** Mutants that let an index and its states part, or find what wasn't asked for. */
import type { BackendShape, Commit, Query, QueryPage, StoredEntry, StoreShape, Write } from "@persist/core"
import * as Effect from "effect/Effect"
import { type Core, core } from "../core.ts"
import { beneathMutant, coreMutant } from "../store-mutant.ts"

// Queries that are asked otherwise than they were.
const asks = (otherwise: <A>(asked: Query<A>) => Query<A>): Partial<Core> => ({
  query: (store, model, asked = {}) => core.query(store, model, otherwise(asked))
})

const isEntry = ({ namespace }: { readonly namespace: string }): boolean => namespace.includes("@1/")

// Commits with only some of what they should write.
const writing = (keeps: (write: Write) => boolean) => (backend: BackendShape): Partial<BackendShape> => ({
  commit: ([first, ...rest]) => backend.commit([only(keeps, first), ...rest.map((commit) => only(keeps, commit))])
})

const only = (keeps: (write: Write) => boolean, commit: Commit): Commit => ({
  ...commit,
  write: commit.write.filter(keeps)
})

const empty = { items: [], next: undefined, index: undefined, scanned: 0 }

/** Broken in queries. */
export const storeQueries = [
  coreMutant(
    "one filter",
    "takes the first filter for all of them",
    asks(<A>(asked: Query<A>) => {
      const [first] = Object.entries(asked.where ?? {})
      // One of those that there were.
      return { ...asked, where: Object.fromEntries(first === undefined ? [] : [first]) as Query<A>["where"] }
    }),
    [
      "a query finds the states that are as it asks, in its order, by an index or without",
      "a query shows no state as it was, nor where it was, once that has changed",
      "a strong query finds what a query finds once the model is there, page by page"
    ]
  ),

  coreMutant(
    "upwards",
    "sorts every field upwards",
    asks((asked) =>
      asked.sort === undefined
        ? asked
        : { ...asked, sort: asked.sort.map((by) => by.order === "desc" ? { ...by, order: "asc" } : by) }
    ),
    [
      "a query finds the states that are as it asks, in its order, by an index or without",
      "the entries of an index are those of its states, after every change and a rebuild",
      "an index shows its states whatever commit is the last one",
      "an index that a read model was not built with is refused, until a rebuild makes it",
      "a strong query finds what a query finds once the model is there, page by page"
    ]
  ),

  coreMutant("by count", "takes a cursor for the number of items before it", {
    query: (store, model, asked = {}) => {
      const { after, limit = 100, ...rest } = asked
      const from = Number(after ?? 0)
      const whole = after === undefined ? asked : { ...rest, limit: 100_000 }
      return Effect.map(core.query(store, model, whole), (page) => ({
        ...page,
        items: page.items.slice(from, from + limit),
        next: page.next === undefined && from + limit >= page.items.length ? undefined : `${from + limit}`
      }))
    }
  }, [
    "the pages of a query go on where the last one ended, whatever came before it",
    "a query that can't be asked is refused, and names what is wrong with it"
  ]),

  beneathMutant(
    "leaves entries behind",
    "deletes no entry of an index",
    writing((write) => write._tag !== "Delete" || !isEntry(write)),
    [
      "the entries of an index are those of its states, after every change and a rebuild",
      "no two states have the same values of a unique index, in whatever pages their events come"
    ]
  ),

  beneathMutant(
    "clears the states alone",
    "clears no index in a rebuild",
    writing((write) => write._tag !== "Clear" || !isEntry(write)),
    [
      "the entries of an index are those of its states, after every change and a rebuild"
    ]
  ),

  beneathMutant("indexes later", "commits the entries of indexes after the states", (backend) => ({
    commit: ([first, ...rest]) => {
      const entries = [first, ...rest].flatMap(({ write }) => write.filter(isEntry))
      const states = backend.commit([
        only((write) => !isEntry(write), first),
        ...rest.map((commit) => only((write) => !isEntry(write), commit))
      ])
      if (entries.length === 0) return states
      const alone = { ...first, identity: undefined, expect: [], append: [], truncate: [], write: entries }
      return Effect.tap(
        states,
        (outcomes) => outcomes.every(({ _tag }) => _tag === "Committed") ? backend.commit([alone]) : Effect.void
      )
    }
  }), [
    "an index shows its states whatever commit is the last one"
  ]),

  coreMutant("lets anybody in", "lets two states have the same values of a unique index", {
    catchUp: (store, model, options) =>
      core.catchUp(store, {
        ...model,
        readIndexes: model.readIndexes.map((index) => ({ ...index, unique: false }))
      }, options)
  }, [
    "no two states have the same values of a unique index, in whatever pages their events come"
  ]),

  coreMutant("finds nothing", "gives an empty page where it should refuse", {
    query: (store, model, asked) =>
      Effect.catchTag(core.query(store, model, asked), "Invalid", () => Effect.succeed<QueryPage<never>>(empty))
  }, [
    "an index that a read model was not built with is refused, until a rebuild makes it",
    "a query that can't be asked is refused, and names what is wrong with it"
  ]),

  coreMutant("any cursor", "begins anew where a cursor is another query's", {
    query: (store, model, asked = {}) =>
      Effect.catchTag(core.query(store, model, asked), "Invalid", (error) => {
        const { after: _, ...rest } = asked
        return error.field === "after" ? core.query(store, model, rest) : Effect.fail(error)
      })
  }, [
    "a query that can't be asked is refused, and names what is wrong with it"
  ]),

  coreMutant("as first met", "shows states as a query first met them", {
    query: (store, model, asked) => core.query(remembering(store), model, asked)
  }, [
    "an index shows its states whatever commit is the last one",
    "a query shows no state as it was, nor where it was, once that has changed"
  ])
]

const memories = new WeakMap<BackendShape["commit"], Map<string, StoredEntry>>()

// A state of each key, once one was read.
const remembering = (store: StoreShape): StoreShape => {
  const { backend } = store.engine
  const known = memories.get(backend.commit) ?? new Map<string, StoredEntry>()
  memories.set(backend.commit, known)
  const get: BackendShape["get"] = (keys) =>
    Effect.map(backend.get(keys), (found) =>
      found.map((entry, i) => {
        const key = keys[i]
        if (key === undefined || key.namespace.startsWith("$")) return entry
        const name = JSON.stringify([key.namespace, key.key])
        if (entry !== undefined && !known.has(name)) known.set(name, entry)
        return known.get(name)
      }))
  return { ...store, engine: { ...store.engine, backend: { ...backend, get } } }
}
