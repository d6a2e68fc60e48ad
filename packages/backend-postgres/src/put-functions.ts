/**
 * `put_one_1` and `put_each_1`: the SQL functions for what most writes to the kv are, commits of one put each into
 * namespaces whose ids the caller remembers. As `append_one_1` they do nothing where anything isn't as remembered, and
 * `commit_1` is asked. One put by arrays of length one would take the server 100 µs longer.
 */
import type { SqlFunction } from "./plpgsql.ts"
import { asRememberedSql } from "./remembered-sql.ts"

// How many milliseconds the caller waits for the lock, and what it remembers: see `append_1`.
const remembered = ["patience text", "server text", "known_head bigint"]

/** The parameters of `put_one_1`, in order, with their types. */
export const putOneParameters = [
  ...remembered,
  // The key, which gets the revision above the head.
  "space_id int",
  "key_name text",
  // The revision that it has to have, 0 where it mustn't be there; null where that doesn't matter.
  "key_revision bigint",
  "entry_at bigint",
  // One of the two is null.
  "entry_value text",
  "entry_bytes bytea",
  "entry_meta text",
  "commit_id text",
  "commit_digest text"
]

/** The parameters of `put_each_1`, in order, with their types; the arrays are of one length. */
export const putEachParameters = [
  ...remembered,
  // The keys, no two of them the same, which get the revisions above the head, one after another.
  "space_id int[]",
  "key_name text[]",
  // The revision that each has to have, 0 where it mustn't be there, -1 where that doesn't matter; null where it
  // matters for none.
  "key_revision bigint[]",
  "entry_at bigint[]",
  // Either of the two; null where no key has any.
  "entry_value text[]",
  "entry_bytes bytea[]",
  "entry_meta text[]",
  // Their commits.
  "commit_id text[]",
  "commit_digest text[]"
]

// A key's revision, 0 where it isn't there.
const revisionOf = (schema: string, space: string, key: string): string =>
  `coalesce((
      SELECT e.revision FROM ${schema}.entry e WHERE e.namespace = ${space} AND e.key = ${key} AND NOT e.deleted
    ), 0)`

const oneRow = `
  VALUES (space_id, key_name, known_head + 1, entry_at, false, entry_value, entry_bytes, entry_meta)`

const eachRow = `
  SELECT
    space_id[n], key_name[n], known_head + n, entry_at[n], false, entry_value[n], entry_bytes[n], entry_meta[n]
  FROM generate_series(1, cardinality(commit_id)) n`

const putSql = (schema: string, rows: string): string =>
  `INSERT INTO ${schema}.entry (namespace, key, revision, at, deleted, value, bytes, meta)${rows}
  ON CONFLICT (namespace, key) DO UPDATE SET
    revision = excluded.revision, at = excluded.at, deleted = excluded.deleted,
    value = excluded.value, bytes = excluded.bytes, meta = excluded.meta;`

// Its one row holds less than the head where the last commits were of events.
const moveSql = (schema: string, puts: string): string =>
  `UPDATE ${schema}.head h SET position = known_head + ${puts}
  WHERE h.position = (SELECT max(k.position) FROM ${schema}.head k);`

/** `put_one_1` of a schema, whose name is given as SQL has it. */
export const putOneFunction = (schema: string): SqlFunction => ({
  name: "put_one_1",
  parameters: [...putOneParameters, "OUT state int"],
  comment: "Does what commit_1 does for one put, where all is as the caller remembers it; otherwise nothing.",
  block: asRememberedSql(
    schema,
    "commit_id",
    `
  IF key_revision IS NOT NULL THEN
    IF key_revision <> ${revisionOf(schema, "space_id", "key_name")} THEN
      RETURN;
    END IF;
  END IF;
  INSERT INTO ${schema}.recorded (id, digest, start, position, revisions)
  VALUES (commit_id, commit_digest, known_head, known_head + 1, '{1}') ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  ${putSql(schema, oneRow)}
  ${moveSql(schema, "1")}
`
  )
})

/** `put_each_1` of a schema, whose name is given as SQL has it. */
export const putEachFunction = (schema: string): SqlFunction => ({
  name: "put_each_1",
  parameters: [...putEachParameters, "OUT state int"],
  comment: "Does what commit_1 does for commits of one put each, where all is as the caller remembers it.",
  block: asRememberedSql(
    schema,
    "ANY (commit_id)",
    `
  IF key_revision IS NOT NULL THEN
    IF EXISTS (
      SELECT FROM generate_series(1, cardinality(commit_id)) n
      WHERE key_revision[n] >= 0 AND key_revision[n] <> ${revisionOf(schema, "space_id[n]", "key_name[n]")}
    ) THEN
      RETURN;
    END IF;
  END IF;
  BEGIN
    INSERT INTO ${schema}.recorded (id, digest, start, position, revisions)
    SELECT commit_id[n], commit_digest[n], known_head + n - 1, known_head + n, '{1}'
    FROM generate_series(1, cardinality(commit_id)) n;
  EXCEPTION WHEN unique_violation THEN
    RETURN;
  END;
  ${putSql(schema, eachRow)}
  ${moveSql(schema, "cardinality(commit_id)")}
`
  )
})
