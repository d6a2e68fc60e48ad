/** Reading keys: each page is one statement, and so one moment of the store. */
import type { BackendShape, NamespaceInfo, Page, StoredEntry, Tombstone } from "@persist/core"
import { Position } from "@persist/core"
import { texts } from "./arrays.ts"
import type { Row } from "./asking.ts"
import { justAbove, payloadOf, type Reading, textOf } from "./read.ts"
import { fromStored, toStored } from "./text.ts"

/** The verbs that read the kv, as promises. */
export interface KvReads {
  readonly get: (...keys: Parameters<BackendShape["get"]>) => Promise<ReadonlyArray<StoredEntry | undefined>>
  readonly scan: (...range: Parameters<BackendShape["scan"]>) => Promise<ReadonlyArray<StoredEntry>>
  readonly changed: (...range: Parameters<BackendShape["changed"]>) => Promise<Page<StoredEntry | Tombstone>>
  readonly namespaces: (...range: Parameters<BackendShape["namespaces"]>) => Promise<ReadonlyArray<NamespaceInfo>>
}

/** The verbs that read the kv. A page of `changed` and its head are of one moment, as those of `readAll` are. */
export const makeKvReads = ({ ask, identity, queries }: Reading): KvReads => ({
  get: (keys) =>
    ask("get", async (session) => {
      const [first, second] = keys
      if (first === undefined) return []
      if (second === undefined) {
        const [row] = await session.run(queries.entry, [toStored(first.namespace), toStored(first.key)])
        return [row && entryOf(first.namespace, first.key, row, 0)]
      }
      const rows = await session.run(queries.entries, [
        texts(keys.map(({ namespace }) => namespace)),
        texts(keys.map(({ key }) => key))
      ])
      const found = new Map(rows.map((row) => [Number(row[0]), row]))
      return keys.map(({ key, namespace }, n) => {
        const row = found.get(n + 1)
        return row && entryOf(namespace, key, row, 1)
      })
    }),
  scan: ({ gte, limit, lt, namespace, reverse }) =>
    ask("scan", async (session) => {
      const rows = await session.run(queries.entryPage(reverse, lt !== undefined), [
        toStored(namespace),
        toStored(gte ?? ""),
        limit,
        ...(lt === undefined ? [] : [toStored(lt)])
      ])
      return rows.map((row) => entryOf(namespace, fromStored(row[0] ?? ""), row, 1))
    }),
  changed: ({ after, limit, namespace }) =>
    ask("changed", async (session) => {
      const { floor } = identity
      const rows = await session.run(queries.changedPage, [toStored(namespace), after, limit])
      const head = identity.see(Number(rows[0]?.[0]), floor)
      const items = rows.flatMap((row): ReadonlyArray<StoredEntry | Tombstone> => {
        if (row[1] === null) return []
        const key = fromStored(row[1] ?? "")
        return [row[7] === "t" ? tombstoneOf(namespace, key, row) : entryOf(namespace, key, row, 2)]
      })
      const last = items.length < limit ? undefined : items.at(-1)
      return { items, through: last?.revision ?? head }
    }),
  namespaces: ({ after, limit }) =>
    ask("namespaces", async (session) => {
      const rows = await session.run(queries.namespacesPage, [toStored(justAbove(after)), limit])
      return rows.map(([namespace, keys]) => ({ namespace: fromStored(namespace ?? ""), keys: Number(keys) }))
    })
})

const entryOf = (namespace: string, key: string, row: Row, from: number): StoredEntry => ({
  _tag: "Entry",
  namespace,
  key,
  value: payloadOf(row[from + 2], row[from + 3], () => `key ${JSON.stringify(key)}`),
  meta: textOf(row[from + 4]),
  revision: Position(Number(row[from])),
  at: Number(row[from + 1])
})

const tombstoneOf = (namespace: string, key: string, row: Row): Tombstone => ({
  _tag: "Tombstone",
  namespace,
  key,
  revision: Position(Number(row[2])),
  at: Number(row[3])
})
