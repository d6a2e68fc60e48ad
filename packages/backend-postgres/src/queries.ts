/** Every read as SQL text, in one place, so that a test can ask PostgreSQL how it would run each. */
import type { Statement } from "./asking.ts"
import { serverSql } from "./lock-sql.ts"
import type { NameTable } from "./names.ts"

/** The reads of a store in a schema, whose name is given as SQL has it. */
export type Queries = ReturnType<typeof queriesOf>

// A page of all events ends early, after the event with which its payloads come to more than this.
const pageBytes = 16 * 1024 * 1024

// Up to which size a value is sent to whoever shares a statement: 64 of them are 4 MiB at most.
const sharedBytes = 64 * 1024

/** How rows tell of streams and types: by their names, or by ids that whoever asks has names for. */
export interface Telling {
  readonly byId: boolean
}

/**
 * How a read of all streams finds its events: by passing every one of the range, of those that it checks the stream's
 * name, or through the index of a few streams.
 */
export interface AllShape extends Telling {
  readonly by: "range" | "prefix" | "streams"
  readonly types: boolean
  readonly reverse: boolean
}

/** Whether a page of streams has an end of names, and whether only those are wanted that were truncated. */
export interface StreamsShape {
  readonly bounded: boolean
  readonly shortened: boolean
}

const direction = (reverse: boolean): string => reverse ? "DESC" : "ASC"
const bytes = (column: string): string => `encode(${column}, 'base64')`

const named = (name: string, text: string): Statement => ({ name, text })

/** The head, as SQL. */
export const headOf = (schema: string): string =>
  `(SELECT greatest((SELECT max(h.position) FROM ${schema}.head h), (SELECT max(e.position) FROM ${schema}.event e)))`

const lastOf = (schema: string): string => `(SELECT max(e.seq) FROM ${schema}.event e WHERE e.stream = s.id)`

/**
 * Makes the texts. Names in a page are looked up row by row, whatever the planner thinks of a join: 1.2 µs each.
 * Functions that take arrays of any type are named with their schema: one of somebody else's with the same name that
 * takes just this type would be called in their place. (`unnest` of several arrays always means PostgreSQL's own.)
 */
export const queriesOf = (schema: string) => ({
  ...logQueries(schema),
  ...listQueries(schema),
  ...kvQueries(schema),
  ...commitQueries(schema)
})

const logQueries = (schema: string) => {
  const head = headOf(schema)
  const typeOf = ({ byId }: Telling) => byId ? "e.type" : `(SELECT t.name FROM ${schema}.type t WHERE t.id = e.type)`
  const streamOf = ({ byId }: Telling) =>
    byId ? "e.stream" : `(SELECT s.name FROM ${schema}.stream s WHERE s.id = e.stream)`
  const content = `e.data, ${bytes("e.bytes")}, e.meta, e.id`
  return {
    /** How many bytes of payload end a page. */
    pageBytes,

    /** Parameters: ids. Columns: id, name. */
    names: (table: NameTable) =>
      named(`names_${table}`, `SELECT t.id, t.name FROM ${schema}.${table} t WHERE t.id = ANY ($1::bigint[])`),

    /** No parameters: the incarnation and the head. */
    identity: named("identity", `SELECT s.incarnation, ${head} FROM ${schema}.store s`),

    /** No parameters. */
    head: named("head", `SELECT ${head}`),

    /** Parameters: stream, from, to, limit. Columns: seq, position, type, at, data, bytes, meta, id. */
    streamPage: ({ byId, reverse }: Telling & { readonly reverse: boolean }) =>
      named(
        `stream_${byId}_${reverse}`,
        `SELECT e.seq, e.position, ${typeOf({ byId })}, e.at, ${content} FROM ${schema}.event e
    WHERE e.stream = (SELECT s.id FROM ${schema}.stream s WHERE s.name = $1)
      AND e.seq >= $2::bigint AND e.seq <= $3::bigint
    ORDER BY e.seq ${direction(reverse)} LIMIT $4::bigint`
      ),

    /**
     * Parameters: after, to, limit; with `types` those; by `prefix` that, by `streams` their ids. Columns: the head; as
     * in a stream's page; the stream; the bytes of payload so far. Without events there is one row, of the head alone.
     * With a filter it has no name, and is planned anew each time: without knowing how long the range is, the planner
     * may think of sorting all of it.
     */
    allPage: (shape: AllShape): Statement => ({
      ...(shape.by === "range" && !shape.types ? { name: `all_${shape.byId}_${shape.reverse}` } : {}),
      text: `SELECT head.position, page.* FROM (SELECT ${head} AS position) head LEFT JOIN LATERAL (
      SELECT e.seq, e.position, ${typeOf(shape)}, e.at, ${content}, ${streamOf(shape)}, e.total FROM (
        SELECT e.*, sum(e.size) OVER (ORDER BY e.position ${direction(shape.reverse)} ROWS UNBOUNDED PRECEDING) AS total
        FROM (
          SELECT e.*, coalesce(octet_length(e.data), octet_length(e.bytes)) AS size FROM (${allEvents(schema, shape)}) e
        ) e
      ) e WHERE ${shape.reverse ? "true" : `e.total - e.size < ${pageBytes}`}
    ) page ON true`
    })
  }
}

const allEvents = (schema: string, { by, reverse, types }: AllShape): string => {
  const own = types ? "$5" : "$4"
  const wanted = types
    ? `AND e.type = ANY (ARRAY(SELECT t.id FROM ${schema}.type t WHERE t.name = ANY ($4::text[])))`
    : ""
  const range = "e.position > $1::bigint AND e.position <= $2::bigint"
  const page = `ORDER BY e.position ${direction(reverse)} LIMIT $3::bigint`
  if (by !== "streams") {
    const prefix = `AND (SELECT starts_with(s.name, ${own}) FROM ${schema}.stream s WHERE s.id = e.stream)`
    return `SELECT e.* FROM ${schema}.event e WHERE ${range} ${wanted} ${by === "prefix" ? prefix : ""} ${page}`
  }
  // The sums keep the planner from the index by position, of which this is the way around.
  return `SELECT e.* FROM pg_catalog.unnest(${own}::bigint[]) AS few (id) CROSS JOIN LATERAL (
      SELECT * FROM ${schema}.event e
      WHERE e.stream = few.id AND e.position + 0 > $1::bigint AND e.position + 0 <= $2::bigint OFFSET 0
    ) e WHERE true ${wanted} ${page}`
}

const listQueries = (schema: string) => {
  const head = headOf(schema)
  const last = lastOf(schema)
  return {
    /** Parameters: prefix, its end, limit. Columns: the head, a stream's id, how many events it can have. */
    streamSizes: named(
      "sizes",
      `SELECT head.position, few.* FROM (SELECT ${head} AS position) head LEFT JOIN LATERAL (
      SELECT s.id, greatest(0, ${last} - s.first + 1) FROM ${schema}.stream s
      WHERE s.name >= $1 AND s.name < $2 LIMIT $3::bigint
    ) few ON true`
    ),

    /** Parameters: first name, limit; if `bounded` the end of names. Columns: name, first, last. */
    streamsPage: ({ bounded, shortened }: StreamsShape) =>
      named(
        `streams_${bounded}_${shortened}`,
        `SELECT s.name, s.first, greatest(s.first - 1, ${last}) FROM ${schema}.stream s
    WHERE s.name >= $1 ${bounded ? "AND s.name < $3" : ""} ${shortened ? "AND s.first > 1" : ""}
    ORDER BY s.name LIMIT $2::bigint`
      ),

    /** Parameters: first name, limit. Columns: name, number of living keys. */
    namespacesPage: named(
      "namespaces",
      `SELECT n.name, living.keys FROM ${schema}.namespace n CROSS JOIN LATERAL (
      SELECT count(*) AS keys FROM ${schema}.entry e WHERE e.namespace = n.id AND NOT e.deleted
    ) living
    WHERE n.name >= $1 AND living.keys > 0 ORDER BY n.name LIMIT $2::bigint`
    )
  }
}

const kvQueries = (schema: string) => {
  const head = headOf(schema)
  const spaceId = (name: string) => `(SELECT n.id FROM ${schema}.namespace n WHERE n.name = ${name})`
  const entry = `e.revision, e.at, e.value, ${bytes("e.bytes")}, e.meta`
  const large = `coalesce(octet_length(e.value), octet_length(e.bytes)) > ${sharedBytes}`
  const unlessLarge = (column: string): string => `CASE WHEN ${large} THEN NULL ELSE ${column} END`
  const sharedEntry = `e.revision, e.at, ${unlessLarge("e.value")}, ${unlessLarge(bytes("e.bytes"))}, e.meta, ${large}`
  return {
    /** Parameters: namespace, key. Columns: revision, at, value, bytes, meta. Finds living keys only. */
    entry: named(
      "entry",
      `SELECT ${entry} FROM ${schema}.entry e WHERE e.namespace = ${spaceId("$1")} AND e.key = $2 AND NOT e.deleted`
    ),

    /**
     * Parameters: namespaces, keys. Columns: the pair's place, from 1; as of an entry. Finds living keys only. What is
     * `shared` is without values and bytes above `sharedBytes`, and its last column tells which those are.
     */
    entries: (shared: boolean) =>
      named(
        shared ? "entries_shared" : "entries",
        `SELECT wanted.n, found.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (space, key, n)
    CROSS JOIN LATERAL (
      SELECT ${shared ? sharedEntry : entry} FROM ${schema}.entry e
      WHERE e.namespace = ${spaceId("wanted.space")} AND e.key = wanted.key AND NOT e.deleted LIMIT 1
    ) found`
      ),

    /** Parameters: namespace, first key, limit; if `bounded` the end of keys. Columns: key; as of an entry. */
    entryPage: (reverse: boolean, bounded: boolean) =>
      named(
        `scan_${reverse}_${bounded}`,
        `SELECT e.key, ${entry} FROM ${schema}.entry e
    WHERE e.namespace = ${spaceId("$1")} AND e.key >= $2 ${bounded ? "AND e.key < $4" : ""} AND NOT e.deleted
    ORDER BY e.key ${direction(reverse)} LIMIT $3::bigint`
      ),

    /** Parameters: namespace, after, limit. Columns: the head; key; as of an entry; whether it was deleted. */
    changedPage: named(
      "changed",
      `SELECT head.position, page.* FROM (SELECT ${head} AS position) head LEFT JOIN LATERAL (
      SELECT e.key, ${entry}, e.deleted FROM ${schema}.entry e
      WHERE e.namespace = ${spaceId("$1")} AND e.revision > $2::bigint ORDER BY e.revision LIMIT $3::bigint
    ) page ON true`
    )
  }
}

const commitQueries = (schema: string) => ({
  /** Parameters: names of namespaces. Columns: name, id, the server that answers. Finds those that are there. */
  spaceIds: named(
    "space_ids",
    `SELECT n.name, n.id, ${serverSql(schema)} FROM ${schema}.namespace n WHERE n.name = ANY ($1::text[])`
  ),

  /**
   * Parameters: ids of commits. Columns: id, digest, start, position, revisions; of each append, in order, its stream,
   * first seq and number of events. A commit without appends has one row, without them.
   */
  recorded: named(
    "recorded",
    `SELECT r.id, r.digest, r.start, r.position, r.revisions,
    (SELECT s.name FROM ${schema}.stream s WHERE s.id = a.stream), a.first, a.events
  FROM pg_catalog.unnest($1::text[]) AS wanted (id)
  CROSS JOIN LATERAL (SELECT r.* FROM ${schema}.recorded r WHERE r.id = wanted.id LIMIT 1) r
  LEFT JOIN LATERAL (
    SELECT 0 AS n, r.stream, r.first, r.events
    UNION ALL
    SELECT n, r.appended[3 * n - 2], r.appended[3 * n - 1], r.appended[3 * n]
    FROM generate_series(1, pg_catalog.cardinality(r.appended) / 3) n
  ) a ON a.stream IS NOT NULL
  ORDER BY r.id, a.n`
  ),

  /** Parameters: ids of commits. Columns: id, how often it was said that nothing happened under it. */
  voided: named(
    "voided",
    `SELECT v.id, v.attempts FROM ${schema}.voided v WHERE v.id = ANY ($1::text[])`
  )
})
