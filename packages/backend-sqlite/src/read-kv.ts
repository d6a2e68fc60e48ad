/** Reading keys: each page is one statement; several keys at once share one snapshot. */
import type { BackendShape, StoredEntry, Tombstone } from "@persist/core"
import { Position, successor } from "@persist/core"
import type Database from "better-sqlite3"
import { attempt } from "./error.ts"
import type { Names } from "./names.ts"
import * as queries from "./queries.ts"
import { both, plainBytes } from "./read.ts"

/** What reading keys needs of a handle. */
export interface KvTables {
  readonly db: Database.Database
  readonly namespaces: Names
}

/** The verbs that read the kv. */
export type KvReads = Pick<BackendShape, "get" | "scan" | "changed" | "namespaces">

interface Row {
  readonly key: string
  readonly revision: number
  readonly at: number
  readonly value: unknown
  readonly meta: string | null
}

/** The verbs that read the kv. `changed` takes the head first and looks no further, as `readAll` does. */
export const makeKvReads = ({ db, namespaces }: KvTables): KvReads => {
  const head = db.prepare<[], number>(queries.head).pluck()
  const one = db.prepare<[number, string], Row>(queries.entry)
  const pages = both((reverse) =>
    db.prepare<[number, string, string | Uint8Array, number], Row>(queries.entryPage(reverse))
  )
  const changedPage = db.prepare<[number, number, number, number], Row>(queries.changedPage)
  const namespacesPage = db.prepare<[string, number], { readonly namespace: string; readonly keys: number }>(
    queries.namespacesPage
  )
  const find = (namespace: string, key: string): StoredEntry | undefined => {
    const id = namespaces.idOf(namespace)
    const row = id === undefined ? undefined : one.get(id, key)
    return row && entry(namespace, row)
  }
  // Each key is its own statement, and a commit between two of them would be seen by halves.
  const findAll = db.transaction((keys: Parameters<BackendShape["get"]>[0]) =>
    keys.map(({ key, namespace }) => find(namespace, key))
  )

  return {
    get: (keys) =>
      attempt(db, "get", () => {
        const [first, second] = keys
        return first !== undefined && second === undefined ? [find(first.namespace, first.key)] : findAll(keys)
      }),
    scan: ({ gte, limit, lt, namespace, reverse }) =>
      attempt(db, "scan", () => {
        const id = namespaces.idOf(namespace)
        if (id === undefined) return []
        const rows = pages(reverse).all(id, gte ?? "", lt ?? queries.aboveAllText, limit)
        return rows.map((row) => entry(namespace, row))
      }),
    changed: ({ after, limit, namespace }) =>
      attempt(db, "changed", () => {
        const end = Position(head.get() ?? 0)
        const id = namespaces.idOf(namespace)
        const rows = id === undefined ? [] : changedPage.all(id, after, end, limit)
        const items = rows.map((row) => row.value === null ? tombstone(namespace, row) : entry(namespace, row))
        const last = items.length < limit ? undefined : items.at(-1)
        return { items, through: last?.revision ?? end }
      }),
    namespaces: ({ after, limit }) =>
      attempt(db, "namespaces", () => namespacesPage.all(after === undefined ? "" : successor(after), limit))
  }
}

const entry = (namespace: string, { at, key, meta, revision, value }: Row): StoredEntry => ({
  _tag: "Entry",
  namespace,
  key,
  value: typeof value === "string" ? value : plainBytes(value, () => `key ${JSON.stringify(key)}`),
  meta: meta ?? undefined,
  revision: Position(revision),
  at
})

const tombstone = (namespace: string, { at, key, revision }: Row): Tombstone => ({
  _tag: "Tombstone",
  namespace,
  key,
  revision: Position(revision),
  at
})
