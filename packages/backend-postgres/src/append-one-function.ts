/**
 * `append_one_1`: the SQL function for what most commits are, one event for a stream that the caller remembers. It does
 * nothing that `append_1` wouldn't do: where anything isn't as remembered it does nothing at all, and `append_1` is
 * asked. What a statement costs the server is mostly its preparation, which grows with its text, and what a parameter
 * costs is most for an array: this takes a quarter of the processor's time (docs/postgres.md).
 */
import type { SqlFunction } from "./plpgsql.ts"
import { asRememberedSql } from "./remembered-sql.ts"

/** The parameters of `append_one_1`, in order, with their types. */
export const appendOneParameters = [
  // How many milliseconds the caller waits for the lock, and what it remembers: see `append_1`.
  "patience text",
  "server text",
  "known_head bigint",
  // The event, which comes to lie right above the head.
  "stream_id bigint",
  "event_seq bigint",
  "event_at bigint",
  "type_id int",
  "event_data text",
  "event_bytes bytea",
  "event_meta text",
  "event_id text",
  // Its commit, and the ids of those that conflict, which must not have happened before; null for none.
  "commit_id text",
  "commit_digest text",
  "conflicting text[]"
]

// Whoever writes holds the lock, so an id is either there by now or isn't, and nobody waits for another's insertion.
/** The function of a schema, whose name is given as SQL has it. */
export const appendOneFunction = (schema: string): SqlFunction => ({
  name: "append_one_1",
  parameters: [...appendOneParameters, "OUT state int"],
  comment: "Does what append_1 does for one event, where all is as the caller remembers it; otherwise nothing.",
  block: asRememberedSql(
    schema,
    "commit_id",
    `
  IF conflicting IS NOT NULL THEN
    IF EXISTS (SELECT FROM ${schema}.recorded r WHERE r.id = ANY (conflicting)) THEN
      RETURN;
    END IF;
  END IF;
  INSERT INTO ${schema}.recorded (id, digest, start, position, stream, first, events)
  VALUES (commit_id, commit_digest, known_head, known_head + 1, stream_id, event_seq, 1) ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  INSERT INTO ${schema}.event (position, stream, seq, at, type, data, bytes, meta, id)
  VALUES (
    known_head + 1, stream_id, event_seq, event_at, type_id, event_data, event_bytes, event_meta, event_id
  );
`
  )
})
