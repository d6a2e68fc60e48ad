/**
 * `append_each_1`: the SQL function for what most batches are, commits of one event each for streams that the caller
 * remembers. As `append_one_1` it does nothing where anything isn't as remembered, and `append_1` is asked; and it has
 * nothing to work out: the head's position is said, above which the events lie in their order, and each one's seq.
 */
import type { SqlFunction } from "./plpgsql.ts"
import { asRememberedSql } from "./remembered-sql.ts"

/** The parameters of `append_each_1`, in order, with their types; the arrays are of one length. */
export const appendEachParameters = [
  // How many milliseconds the caller waits for the lock, and what it remembers: see `append_1`.
  "patience text",
  "server text",
  "known_head bigint",
  // The events, which come to lie one after another above the head.
  "stream_id bigint[]",
  "event_seq bigint[]",
  "event_at bigint[]",
  "type_id int[]",
  "event_data text[]",
  // Null where no event has any.
  "event_meta text[]",
  // Their commits.
  "commit_id text[]",
  "commit_digest text[]"
]

// What has happened before, or twice in the batch, is told by the insertion of the ids, which a block of its own takes
// back: 4 µs. A look before it costs 18 µs for 64 ids and finds no twins; ON CONFLICT DO NOTHING, which writes every
// row twice to the log, 115.
/** The function of a schema, whose name is given as SQL has it. */
export const appendEachFunction = (schema: string): SqlFunction => ({
  name: "append_each_1",
  parameters: [...appendEachParameters, "OUT state int"],
  comment: "Does what append_1 does for commits of one event each, where all is as the caller remembers it.",
  block: asRememberedSql(
    schema,
    "ANY (commit_id)",
    `
  BEGIN
    INSERT INTO ${schema}.recorded (id, digest, start, position, stream, first, events)
    SELECT commit_id[n], commit_digest[n], known_head + n - 1, known_head + n, stream_id[n], event_seq[n], 1
    FROM generate_series(1, cardinality(commit_id)) n;
  EXCEPTION WHEN unique_violation THEN
    RETURN;
  END;
  INSERT INTO ${schema}.event (position, stream, seq, at, type, data, meta)
  SELECT known_head + n, stream_id[n], event_seq[n], event_at[n], type_id[n], event_data[n], event_meta[n]
  FROM generate_series(1, cardinality(commit_id)) n;
`
  )
})
