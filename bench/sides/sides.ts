/** All sides by store: ours, the same work by hand, and the peers that keep the same kind of store. */
import { openActMemory, openActSqlite } from "./act.ts"
import { openCastore } from "./castore.ts"
import { openEmmettMemory, openEmmettPostgres, openEmmettSqlite } from "./emmett.ts"
import { openMessageDb } from "./message-db.ts"
import {
  openEffectKv,
  openKeyvMemory,
  openKeyvPostgres,
  openKeyvSqlite,
  openLevel,
  openLmdb,
  openUnstorageFiles,
  openUnstorageMemory
} from "./peer-kv.ts"
import { openEffect, openPromise, type StoreName, throughPromises } from "./persist.ts"
import { openRawFile } from "./raw-file.ts"
import { openRawMemory } from "./raw-memory.ts"
import { openRawPostgres } from "./raw-postgres.ts"
import { openRawSqlite } from "./raw-sqlite.ts"
import { byHand, type OpenSide } from "./side.ts"

/** What a side is compared as. */
export type Kind = "ours" | "raw" | "peer"

/** What a store keeps. */
export type Part = "log" | "kv"

/** A side that takes part. */
export interface Entry {
  readonly name: string
  readonly kind: Kind
  /** What it's compared at: nobody starts it for anything else. */
  readonly parts: ReadonlyArray<Part>
  /** The package that it is of, where that isn't ours. */
  readonly library?: string
  readonly open: OpenSide
}

const both: ReadonlyArray<Part> = ["log", "kv"]

/** A side may be closed by its workload and again by whoever runs it. */
const closedOnce = (open: OpenSide): OpenSide => async (place) => {
  const side = await open(place)
  let closing: Promise<void> | undefined
  return { ...side, close: () => closing ??= side.close() }
}

const ours = (store: StoreName): ReadonlyArray<Entry> => [
  { name: throughPromises, kind: "ours", parts: both, open: closedOnce(openPromise(store)) },
  { name: "persist, Effect", kind: "ours", parts: both, open: closedOnce(openEffect(store)) }
]

const raw = (name: string, open: OpenSide): Entry => ({
  name,
  kind: "raw",
  parts: both,
  open: closedOnce(open)
})

const by = (library: string, entry: Entry): Entry => ({ ...entry, library })

const peer = (part: Part, name: string, library: string, open: OpenSide): Entry =>
  by(library, { name, kind: "peer", parts: [part], open: closedOnce(open) })

/** Libraries that keep keys in files. */
const filePeers: ReadonlyArray<Entry> = [
  peer("kv", "unstorage", "unstorage", openUnstorageFiles),
  peer("kv", "classic-level", "classic-level", openLevel),
  peer("kv", "lmdb", "lmdb", openLmdb)
]

/** The sides of each store; the first is the one that the others are compared with. */
export const sides: Readonly<Record<StoreName, ReadonlyArray<Entry>>> = {
  sqlite: [
    ...ours("sqlite"),
    by("better-sqlite3", raw(byHand.sqlite, openRawSqlite)),
    peer("log", "Emmett", "@event-driven-io/emmett-sqlite", openEmmettSqlite),
    peer("log", "Act", "@rotorsoft/act-sqlite", openActSqlite),
    peer("kv", "Keyv", "@keyv/sqlite", openKeyvSqlite),
    ...filePeers
  ],
  postgres: [
    ...ours("postgres"),
    by("pg", raw(byHand.postgres, openRawPostgres)),
    peer("log", "Emmett", "@event-driven-io/emmett-postgresql", openEmmettPostgres),
    peer("log", "message-db", "@eventide/message-db", openMessageDb),
    peer("kv", "Keyv", "@keyv/postgres", openKeyvPostgres)
  ],
  file: [
    ...ours("file"),
    raw(byHand.file, openRawFile),
    ...filePeers
  ],
  memory: [
    ...ours("memory"),
    raw(byHand.memory, openRawMemory),
    peer("log", "Emmett", "@event-driven-io/emmett", openEmmettMemory),
    peer("log", "Castore", "@castore/core", openCastore),
    peer("log", "Act", "@rotorsoft/act", openActMemory),
    peer("kv", "Keyv", "keyv", openKeyvMemory),
    peer("kv", "unstorage", "unstorage", openUnstorageMemory),
    peer("kv", "Effect KeyValueStore", "effect", openEffectKv)
  ]
}
