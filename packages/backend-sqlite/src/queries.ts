/** Every read as SQL text, in one place, so that a test can ask SQLite how it would run each. */
import { prefixEnd } from "@persist/core"

/** Sorts above every text in SQLite's order, as every blob does: the end of a range without one. */
export const aboveAllText = new Uint8Array(0)

/** The bounds `name >= first AND name < second` of all names with this prefix. */
export const prefixBounds = (prefix: string): readonly [string, string | Uint8Array] => [
  prefix,
  (prefix === "" ? undefined : prefixEnd(prefix)) ?? aboveAllText
]

// A bare parameter would have each run of a statement be planned anew, for SQLite plans with the number that is bound:
// 5 to 10 µs, where a short read takes 2. Of an expression it doesn't know it.
const limit = "LIMIT ? + 0"

/** The last position given out: see the schema for why it is the larger of two. */
export const head = "SELECT max(head, (SELECT coalesce(max(position), 0) FROM event)) FROM store"

/** A stream's id, first readable seq and last event's seq, by name. */
export const standing =
  "SELECT id, first, (SELECT max(seq) FROM event WHERE stream = s.id) AS last FROM stream AS s WHERE name = ?"

const eventColumns = "e.stream, e.seq, e.position, e.type, e.at, e.data, e.meta, e.id"

/** Parameters: stream id, from, to, limit. */
export const streamPage = (reverse: boolean): string => `
  SELECT ${eventColumns} FROM event AS e
  WHERE e.stream = ? AND e.seq >= ? AND e.seq <= ?
  ORDER BY e.seq ${direction(reverse)} ${limit}`

/**
 * How a read of all streams finds its events: by passing every one of the range, of those that it checks the stream's
 * name, or through the index of a few streams.
 */
export interface AllShape {
  readonly by: "range" | "prefix" | "streams"
  readonly types: boolean
  readonly reverse: boolean
}

/**
 * Parameters: by `prefix` its two bounds, by `streams` their ids as a JSON array; after, to; with `types` their ids as
 * a JSON array; limit. Cross joins and plus signs keep SQLite to the way that is asked for, whatever statistics say.
 */
export const allPage = ({ by, reverse, types }: AllShape): string => `
  SELECT ${eventColumns} FROM ${sources[by]}
  WHERE ${by === "prefix" ? "+s.name >= ? AND +s.name < ? AND" : ""} e.position > ? AND e.position <= ?
  ${types ? "AND e.type IN (SELECT value FROM json_each(?))" : ""}
  ORDER BY e.position ${direction(reverse)} ${limit}`

const sources = {
  range: "event AS e",
  prefix: "event AS e CROSS JOIN stream AS s ON s.id = e.stream",
  streams: "json_each(?) AS wanted CROSS JOIN event AS e INDEXED BY sqlite_autoindex_event_1 ON e.stream = wanted.value"
}

/** Parameters: first name, end of names, limit. Ids of streams and how many events each can have. */
export const streamSizes = `
  SELECT id, max(0, (SELECT coalesce(max(seq), 0) FROM event WHERE stream = s.id) - first + 1) AS events
  FROM stream AS s
  WHERE name >= ? AND name < ? ${limit}`

const streamsWithin = `
  SELECT name AS stream, first, (SELECT max(seq) FROM event WHERE stream = s.id) AS last FROM stream AS s
  WHERE name >= ? AND name < ?`

/** Parameters: first name, end of names, limit. */
export const streamsPage = `${streamsWithin} ORDER BY name ${limit}`

/** The same of those that were truncated: where there is the index of them. */
export const shortenedPage = `${streamsWithin} AND first > 1 ORDER BY name ${limit}`

/** One row where a file has the index of the streams that were truncated. */
export const hasShortenedIndex = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = 'stream_shortened'"

const entryColumns = "key, revision, at, value, meta"

/** Parameters: namespace id, key. Finds living keys only. */
export const entry = `SELECT ${entryColumns} FROM entry WHERE namespace = ? AND key = ? AND value IS NOT NULL`

/** Parameters: namespace id, first key, end of keys, limit. */
export const entryPage = (reverse: boolean): string => `
  SELECT ${entryColumns} FROM entry
  WHERE namespace = ? AND key >= ? AND key < ? AND value IS NOT NULL
  ORDER BY key ${direction(reverse)} ${limit}`

/** Parameters: namespace id, after, to, limit. Finds deleted keys too: those without a value. */
export const changedPage = `
  SELECT key, e.revision, at, value, meta
  FROM change AS c CROSS JOIN entry AS e ON e.id = c.entry AND e.revision = c.revision
  WHERE c.namespace = ? AND c.revision > ? AND c.revision <= ?
  ORDER BY c.revision ${limit}`

/** Parameters: namespace id, revision, number. The change that is so many below the last one up to the revision. */
export const changeBelow = `
  SELECT revision FROM change WHERE namespace = ? AND revision <= ? ORDER BY revision DESC LIMIT 1 OFFSET ? + 0`

/** Parameters: namespace id, from, to. Takes away the changes that were followed by another of the same key. */
export const sweepChanges = `
  DELETE FROM change WHERE namespace = ? AND revision >= ? AND revision <= ?
  AND revision <> (SELECT revision FROM entry WHERE id = change.entry)`

/** Parameters: namespace id, key. */
export const revision = "SELECT revision FROM entry WHERE namespace = ? AND key = ? AND value IS NOT NULL"

/** Parameters: namespace id. */
export const livingKeys = "SELECT key FROM entry WHERE namespace = ? AND value IS NOT NULL ORDER BY key"

// All keys less the deleted ones: each is counted from an index alone.
const living = (id: string): string => `
  (SELECT count(*) FROM entry WHERE namespace = ${id})
  - (SELECT count(*) FROM entry WHERE namespace = ${id} AND value IS NULL)`

/** Parameters: namespace id, twice. */
export const countKeys = `SELECT ${living("?")}`

/** Parameters: first name, limit. */
export const namespacesPage = `
  SELECT n.name AS namespace, ${living("n.id")} AS keys FROM namespace AS n
  WHERE n.name >= ? AND EXISTS (SELECT 1 FROM entry WHERE namespace = n.id AND value IS NOT NULL)
  ORDER BY n.name ${limit}`

/** Parameters: commit id. */
export const recorded = "SELECT digest, result FROM recorded WHERE id = ?"

function direction(reverse: boolean): string {
  return reverse ? "DESC" : "ASC"
}
