/**
 * `write_each_1`: the SQL function for commits of one event or one put each, such as those of a process that appends
 * beside a subscription that saves how far it has come. As `append_each_1`, which is for events alone, it does nothing
 * where anything isn't as remembered, and `commit_1` is asked, which takes more than twice as long.
 */
import type { SqlFunction } from "./plpgsql.ts"
import { entryColumns, moveHeadSql, replacing, revisionOf } from "./put-sql.ts"
import { asRememberedSql } from "./remembered-sql.ts"

/** The parameters of `write_each_1`, in order, with their types. */
export const writeEachParameters = [
  // How many milliseconds the caller waits for the lock, and what it remembers: see `append_1`.
  "patience text",
  "server text",
  "known_head bigint",
  // The commits, each of which takes one position above the head, in their order.
  "commit_id text[]",
  "commit_digest text[]",
  // Events, by their commits' places; all of them null where there is none, as is what no event has.
  "event_place int[]",
  "stream_id bigint[]",
  "event_seq bigint[]",
  "event_at bigint[]",
  "type_id int[]",
  "event_data text[]",
  "event_meta text[]",
  // Puts of keys, no two of them the same, by their commits' places.
  "put_place int[]",
  "space_id int[]",
  "key_name text[]",
  // The revision that each has to have, 0 where it mustn't be there, -1 where that doesn't matter; null where it
  // matters for none.
  "key_revision bigint[]",
  "entry_at bigint[]",
  "entry_value text[]",
  "entry_bytes bytea[]",
  "entry_meta text[]"
]

/** The function of a schema, whose name is given as SQL has it. */
export const writeEachFunction = (schema: string): SqlFunction => ({
  name: "write_each_1",
  parameters: [...writeEachParameters, "OUT state int"],
  comment: "Does what commit_1 does for commits of one event or put each, where all is as the caller remembers it.",
  block: asRememberedSql(
    schema,
    "ANY (commit_id)",
    `
  IF key_revision IS NOT NULL THEN
    IF EXISTS (
      SELECT FROM generate_series(1, cardinality(put_place)) n
      WHERE key_revision[n] >= 0 AND key_revision[n] <> ${revisionOf(schema, "space_id[n]", "key_name[n]")}
    ) THEN
      RETURN;
    END IF;
  END IF;
  BEGIN
    INSERT INTO ${schema}.recorded (id, digest, start, position, revisions)
    SELECT
      commit_id[put_place[n]], commit_digest[put_place[n]], known_head + put_place[n] - 1, known_head + put_place[n],
      '{1}'
    FROM generate_series(1, cardinality(put_place)) n;
    IF event_place IS NOT NULL THEN
      INSERT INTO ${schema}.recorded (id, digest, start, position, stream, first, events)
      SELECT
        commit_id[event_place[n]], commit_digest[event_place[n]],
        known_head + event_place[n] - 1, known_head + event_place[n], stream_id[n], event_seq[n], 1
      FROM generate_series(1, cardinality(event_place)) n;
    END IF;
  EXCEPTION WHEN unique_violation THEN
    RETURN;
  END;
  IF event_place IS NOT NULL THEN
    INSERT INTO ${schema}.event (position, stream, seq, at, type, data, meta)
    SELECT
      known_head + event_place[n], stream_id[n], event_seq[n], event_at[n], type_id[n], event_data[n], event_meta[n]
    FROM generate_series(1, cardinality(event_place)) n;
  END IF;
  INSERT INTO ${schema}.entry (${entryColumns})
  SELECT
    space_id[n], key_name[n], known_head + put_place[n], entry_at[n], false,
    entry_value[n], entry_bytes[n], entry_meta[n]
  FROM generate_series(1, cardinality(put_place)) n
  ${replacing};
  ${moveHeadSql(schema, "known_head + put_place[cardinality(put_place)]")}
`
  )
})
