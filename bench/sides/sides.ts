/** All sides by store: ours, the limit written by hand, and the peers that keep the same kind of store. */
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
  readonly open: OpenSide
}

const both: ReadonlyArray<Part> = ["log", "kv"]

const ours = (store: StoreName): ReadonlyArray<Entry> => [
  { name: throughPromises, kind: "ours", parts: both, open: openPromise(store) },
  { name: "persist, Effect", kind: "ours", parts: both, open: openEffect(store) }
]

const raw = (name: string, open: OpenSide): Entry => ({ name, kind: "raw", parts: both, open })

const peer = (part: Part, name: string, open: OpenSide): Entry => ({ name, kind: "peer", parts: [part], open })

/** The sides of each store; the first is the one that the others are compared with. */
export const sides: Readonly<Record<StoreName, ReadonlyArray<Entry>>> = {
  sqlite: [
    ...ours("sqlite"),
    raw(byHand.sqlite, openRawSqlite),
    peer("log", "Emmett", openEmmettSqlite),
    peer("log", "Act", openActSqlite),
    peer("kv", "Keyv", openKeyvSqlite),
    peer("kv", "unstorage", openUnstorageFiles),
    peer("kv", "classic-level", openLevel),
    peer("kv", "lmdb", openLmdb)
  ],
  postgres: [
    ...ours("postgres"),
    raw(byHand.postgres, openRawPostgres),
    peer("log", "Emmett", openEmmettPostgres),
    peer("log", "message-db", openMessageDb),
    peer("kv", "Keyv", openKeyvPostgres)
  ],
  file: [
    ...ours("file"),
    raw(byHand.file, openRawFile),
    peer("kv", "unstorage", openUnstorageFiles),
    peer("kv", "classic-level", openLevel),
    peer("kv", "lmdb", openLmdb)
  ],
  memory: [
    ...ours("memory"),
    raw(byHand.memory, openRawMemory),
    peer("log", "Emmett", openEmmettMemory),
    peer("log", "Castore", openCastore),
    peer("log", "Act", openActMemory),
    peer("kv", "Keyv", openKeyvMemory),
    peer("kv", "unstorage", openUnstorageMemory),
    peer("kv", "Effect KeyValueStore", openEffectKv)
  ]
}
