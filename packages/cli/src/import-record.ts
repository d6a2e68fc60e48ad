/** How far the import of an input has come: kept in the store it goes to, and moved by the commits of its events. */
import type { Kv, Position, StoreError, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const Stored = Schema.Struct({
  source: Schema.optionalKey(Schema.String),
  lines: Schema.Natural,
  bytes: Schema.Natural,
  sha256: Schema.String,
  events: Schema.Natural,
  skipped: Schema.Natural,
  setAside: Schema.optionalKey(Schema.Struct({ file: Schema.String, bytes: Schema.Natural }))
})

const Claim = Schema.Struct({ process: Schema.Natural })

/** How far an input has been imported. */
export interface ImportRecord {
  /** The file's absolute path; absent for stdin. */
  readonly source?: string
  /** Lines that are done with, from the first. */
  readonly lines: number
  /** Offset behind the last of them, in the unpacked input. */
  readonly bytes: number
  /** Fingerprint of the unpacked input up to that offset: what tells a changed input from one that has grown. */
  readonly sha256: string
  /** Events that came of these lines. */
  readonly events: number
  /** Lines of them that were set aside. */
  readonly skipped: number
  /** Where to, and how long that file was then. */
  readonly setAside?: { readonly file: string; readonly bytes: number }
}

/** Where imports are recorded: under `name:…` or the fingerprint of the input's first line. */
export const importNamespace = "$import"

/** The records of a store, and the claims by which of several imports of the same input only the last goes on. */
export interface ImportRecords {
  readonly records: Kv<ImportRecord>
  readonly claims: Kv<{ readonly process: number }>
}

/** The import records of a store. */
export const importRecords = (store: StoreShape): ImportRecords => ({
  records: store.system(importNamespace, Stored),
  claims: store.system(`${importNamespace}-claim`, Claim)
})

/** Who imports: the input's key, and the revision of the claim that each of its commits expects. */
export interface Claimed {
  readonly key: string
  readonly revision: Position
}

/** Claims an input: from now on the commits of whoever had claimed it before are conflicts. */
export const claim = ({ claims }: ImportRecords, key: string): Effect.Effect<Claimed, StoreError> =>
  Effect.map(claims.put(key, { process: process.pid }), ({ revision }) => ({ key, revision }))

/** The record under a key. */
export const readRecord = (
  { records }: ImportRecords,
  key: string
): Effect.Effect<ImportRecord | undefined, StoreError> => Effect.map(records.get(key), Option.getOrUndefined)

/** The key of another record of the same file, if any. */
export const otherRecordOf = (
  { records }: ImportRecords,
  source: string,
  key: string
): Effect.Effect<string | undefined, StoreError> =>
  records.scan().pipe(
    Stream.filter((entry) => entry.value.source === source && entry.key !== key && !entry.key.startsWith(nameSign)),
    Stream.runHead,
    Effect.map((found) => Option.getOrUndefined(found)?.key)
  )

const nameSign = "name:"

/** The key of an input that was given a name. */
export const keyOfName = (name: string): string => `${nameSign}${name}`

/** The key of an input by what it begins with. */
export const keyOfFirstLine = (sha256: string): string => `sha256:${sha256}`
