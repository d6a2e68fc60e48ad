/** Other libraries' kvs: Keyv, unstorage, classic-level, lmdb, and Effect's own. */
import * as Effect from "effect/Effect"
import { KeyValueStore } from "effect/persistence"
import { join } from "node:path"
import { checkCount, type Order } from "../payload.ts"
import { loadPeer } from "../peers/load.ts"
import { byEffect } from "./persist-log.ts"
import { byPromise, checkFound, type KvSide, type OpenSide, type Place, type Side } from "./side.ts"

interface GetSet {
  readonly get: (key: string) => Promise<Order | undefined>
  readonly set: (key: string, value: Order) => Promise<unknown>
}

const getAndPut = ({ get, set }: GetSet): KvSide => ({
  get: byPromise(get, checkFound),
  put: byPromise(({ key, value }) => set(key, value))
})

interface Keyv extends GetSet {
  readonly disconnect: () => Promise<void>
}

type KeyvModule = { readonly Keyv: new(options?: object) => Keyv }

const keyvSide = (keyv: Keyv): Side => ({
  ...getAndPut({ get: (key) => keyv.get(key), set: (key, value) => keyv.set(key, value) }),
  close: () => keyv.disconnect()
})

/** Keyv in a `Map`. */
export const openKeyvMemory: OpenSide = async () => {
  const { Keyv } = await loadPeer<KeyvModule>("keyv")
  return keyvSide(new Keyv())
}

/** Keyv on SQLite, with the journal it opens it with: it has no option for another. */
export const openKeyvSqlite: OpenSide = async ({ directory }) => {
  const { Keyv } = await loadPeer<KeyvModule>("keyv")
  const { KeyvSqlite } = await loadPeer<{ readonly KeyvSqlite: new(options: object) => object }>("@keyv/sqlite")
  const store = new KeyvSqlite({ uri: `sqlite://${join(directory, "keyv.db")}` })
  return {
    ...keyvSide(new Keyv({ store })),
    note: "rollback journal, no write-ahead log; the SQLite that sqlite3 brings"
  }
}

/** Keyv on PostgreSQL. */
export const openKeyvPostgres: OpenSide = async ({ url }) => {
  const { Keyv } = await loadPeer<KeyvModule>("keyv")
  const { KeyvPostgres } = await loadPeer<{ readonly KeyvPostgres: new(options: object) => object }>("@keyv/postgres")
  return keyvSide(new Keyv({ store: new KeyvPostgres({ uri: url }) }))
}

interface Storage {
  readonly getItem: (key: string) => Promise<Order | undefined>
  readonly setItem: (key: string, value: Order) => Promise<void>
  readonly dispose: () => Promise<void>
}

const openUnstorage = async (driver: string, options: object): Promise<Side> => {
  const { createStorage } = await loadPeer<{ readonly createStorage: (options: object) => Storage }>("unstorage")
  const { default: make } = await loadPeer<{ readonly default: (options: object) => object }>(
    `unstorage/drivers/${driver}`
  )
  const storage = createStorage({ driver: make(options) })
  return {
    ...getAndPut({ get: (key) => storage.getItem(key), set: (key, value) => storage.setItem(key, value) }),
    close: () => storage.dispose()
  }
}

/** unstorage in a `Map`. */
export const openUnstorageMemory: OpenSide = () => openUnstorage("memory", {})

/** unstorage in a directory of files. */
export const openUnstorageFiles: OpenSide = async ({ directory }) => ({
  ...await openUnstorage("fs", { base: directory }),
  note: "flushes nothing: not durable",
  durable: false
})

interface Level extends GetSet {
  readonly open: () => Promise<void>
  readonly put: (key: string, value: Order, options: { readonly sync: boolean }) => Promise<void>
  readonly values: (
    range: { readonly gte: string; readonly limit: number }
  ) => { all: () => Promise<ReadonlyArray<Order>> }
  readonly close: () => Promise<void>
}

/** classic-level, flushing every put. */
export const openLevel: OpenSide = async ({ directory }) => {
  const { ClassicLevel } = await loadPeer<{
    readonly ClassicLevel: new(path: string, options: object) => Level
  }>("classic-level")
  const level = new ClassicLevel(join(directory, "level"), { valueEncoding: "json" })
  await level.open()
  return {
    ...getAndPut({ get: (key) => level.get(key), set: (key, value) => level.put(key, value, { sync: true }) }),
    scan: byPromise(async ({ from, limit }) =>
      checkCount((await level.values({ gte: from, limit }).all()).length, limit)
    ),
    note: "with sync: true, which flushes each put",
    close: () => level.close()
  }
}

interface Lmdb {
  readonly get: (key: string) => Order | undefined
  readonly put: (key: string, value: Order) => Promise<boolean>
  readonly getRange: (
    range: { readonly start: string; readonly limit: number }
  ) => { readonly asArray: ReadonlyArray<unknown> }
  readonly close: () => Promise<void>
}

/** lmdb, a put being done when it's flushed: without overlapping flushes, which are slower here. */
export const openLmdb: OpenSide = async ({ directory }: Place) => {
  const { open } = await loadPeer<{ readonly open: (options: object) => Lmdb }>("lmdb")
  const db = open({ path: join(directory, "lmdb"), encoding: "json", overlappingSync: false })
  return {
    ...getAndPut({ get: async (key) => db.get(key), set: (key, value) => db.put(key, value) }),
    scan: byPromise(async ({ from, limit }) => checkCount(db.getRange({ start: from, limit }).asArray.length, limit)),
    close: () => db.close()
  }
}

/** Effect's `KeyValueStore` in memory, values as JSON. */
export const openEffectKv: OpenSide = async () => {
  const kv = Effect.runSync(Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory))
  return {
    get: byEffect((key: string) => Effect.map(kv.get(key), (text) => JSON.parse(text ?? "null")), checkFound),
    put: byEffect(({ key, value }) => kv.set(key, JSON.stringify(value))),
    close: async () => undefined
  }
}
