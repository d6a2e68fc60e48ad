/** Reading keys: each page is one statement, and so one moment of the store. */
import type { BackendShape, NamespaceInfo, Page, StoredEntry, Tombstone } from "@persist/core"
import { Position } from "@persist/core"
import { texts } from "./arrays.ts"
import type { Row } from "./asking.ts"
import { gathering, type Keys } from "./gathered.ts"
import type { Session } from "./link.ts"
import type { Queries } from "./queries.ts"
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
export const makeKvReads = (reading: Reading): KvReads => ({
  get: makeGet(reading),
  ...makePages(reading)
})

/** The row of each key by its place, and the column that an entry's begin with. */
interface Found {
  readonly rows: ReadonlyMap<number, Row>
  readonly from: number
}

const makeGet = ({ ask, queries }: Reading): KvReads["get"] => {
  const gathered = gathering(ask, (session, keys, shared) => find(session, queries, keys, shared))
  return async (keys) => {
    if (keys.length === 0) return []
    const { first, found } = await gathered(keys)
    const large = keys.some((_, n) => found.rows.get(first + n)?.[6] === "t")
    return large
      ? entriesOf(keys, await ask("get", (session) => find(session, queries, keys, false)), 0)
      : entriesOf(keys, found, first)
  }
}

// The rows of keys begin at a place among those that were found together.
const entriesOf = (keys: Keys, { from, rows }: Found, first: number): ReadonlyArray<StoredEntry | undefined> =>
  keys.map(({ key, namespace }, n) => {
    const row = rows.get(first + n)
    return row && entryOf(namespace, key, row, from)
  })

const find = async (session: Session, queries: Queries, keys: Keys, shared: boolean): Promise<Found> => {
  const [first, second] = keys
  if (first !== undefined && second === undefined) {
    const [row] = await session.run(queries.entry, [toStored(first.namespace), toStored(first.key)])
    return { rows: new Map(row && [[0, row]]), from: 0 }
  }
  const rows = await session.run(queries.entries(shared), [
    texts(keys.map(({ namespace }) => namespace)),
    texts(keys.map(({ key }) => key))
  ])
  return { rows: new Map(rows.map((row) => [Number(row[0]) - 1, row])), from: 1 }
}

const makePages = ({ ask, identity, queries }: Reading): Omit<KvReads, "get"> => ({
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
