/** The tables, their versions and how an older file becomes a current one. */
import { Corrupt, Unsupported } from "@persist/core"
import type Database from "better-sqlite3"
import { codeOf } from "./error.ts"
import * as queries from "./queries.ts"

/** What marks a file as a store, at byte 68 of an SQLite file: "pers". */
export const applicationId = 0x70657273

// Format 1. Ids stand for names in every row. A store's head is the larger of `store.head` and the last event's
// position, so that appending needs no further page; a stream's last seq is the larger of its last event's and
// `first - 1`, which outlives truncation. An entry without a value is a tombstone.
const format1 = `
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  incarnation TEXT NOT NULL,
  head INTEGER NOT NULL
) STRICT;
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE event (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type INTEGER NOT NULL,
  at REAL NOT NULL,
  data ANY NOT NULL,
  meta TEXT,
  id TEXT,
  UNIQUE (stream, seq)
) STRICT;
CREATE TABLE namespace (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  at REAL NOT NULL,
  value ANY,
  meta TEXT,
  UNIQUE (namespace, key)
) STRICT;
`

// Format 2 remembers commits by id, and finds what changed in a namespace without reading all of it.
const format2 = `
CREATE TABLE recorded (id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, result TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX entry_by_revision ON entry (namespace, revision, value IS NOT NULL);
`

// Format 3 finds what changed by a list that is only added to at its end, where an index by revision had each put write
// the page of the key's last change too. A row whose entry has another revision by now is stale: it's passed over, and
// swept away in time. Living keys are counted as all keys less the deleted ones.
const format3 = `
CREATE TABLE change (
  namespace INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (namespace, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO change (namespace, revision, entry)
SELECT namespace, revision, id FROM entry ORDER BY namespace, revision;
DROP INDEX entry_by_revision;
CREATE INDEX entry_deleted ON entry (namespace, value) WHERE value IS NULL;
`

// Whoever looks for what was truncated would pass over every stream without it. It's no format of its own: a version
// that knows nothing of it keeps it up, and where it lacks all streams are an answer.
const shortenedIndex = "CREATE INDEX IF NOT EXISTS stream_shortened ON stream (name) WHERE first > 1"

const formats: ReadonlyArray<string> = [format1, format2, format3]

/** The format this code writes; files of an older one are migrated when they are opened for writing. */
export const currentFormat = formats.length

/** The format of an open file: 0 where it is empty. */
export const formatOf = (db: Database.Database): number => Number(db.pragma("user_version", { simple: true }))

/** `Unsupported` where a file's format is not the current one; `remedy` says what to do about an older one. */
export const unsupportedFormat = (format: number, remedy: string): Unsupported =>
  new Unsupported({
    backend: "sqlite",
    ability: `format ${format} of the file, where this version knows 1 to ${currentFormat},`,
    remedy: format > currentFormat ? "open it with the newer version that wrote it" : remedy
  })

/**
 * Brings an empty or older file to the current format, in one transaction that other processes wait for.
 * A new store gets `incarnation`. Throws `Unsupported` for a newer file, and whatever the driver throws.
 */
export const migrate = (db: Database.Database, incarnation: string): void => {
  if (formatOf(db) === currentFormat) return
  db.transaction(() => {
    const format = formatOf(db)
    if (format > currentFormat) throw unsupportedFormat(format, "")
    for (const step of formats.slice(format)) db.exec(step)
    db.exec(shortenedIndex)
    if (format === 0) {
      db.pragma(`application_id = ${applicationId}`)
      db.prepare("INSERT INTO store (one, incarnation, head) VALUES (1, ?, 0)").run(incarnation)
    }
    db.pragma(`user_version = ${currentFormat}`)
  }).immediate()
}

/**
 * Gives a file of the current format the index of truncated streams, where one made it that knew nothing of that.
 * Leaves it as it is while another connection writes, and where the disk won't have it: the next to open it tries
 * again.
 */
export const addShortenedIndex = (db: Database.Database, busyTimeout: number): void => {
  if (db.prepare(queries.hasShortenedIndex).get() !== undefined) return
  db.pragma("busy_timeout = 0")
  try {
    db.transaction(() => db.exec(shortenedIndex)).immediate()
  } catch (cause) {
    // It's for speed alone; what is wrong with the file is told by whoever needs what is wrong.
    if (codeOf(cause) === undefined) throw cause
  } finally {
    db.pragma(`busy_timeout = ${busyTimeout}`)
  }
}

/** The identity the store was created with; throws `Corrupt` where it is gone. */
export const incarnationOf = (db: Database.Database): string => {
  const incarnation = db.prepare("SELECT incarnation FROM store").pluck().get()
  if (typeof incarnation === "string" && incarnation !== "") return incarnation
  throw new Corrupt({
    where: "table store",
    reason: "the row with the store's identity is missing",
    remedy: "restore the file from a backup"
  })
}
