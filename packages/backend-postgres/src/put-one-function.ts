/**
 * `put_one_1`: the SQL function for what most writes to the kv are, a commit of one put into a namespace whose id the
 * caller remembers. As `append_one_1` it does nothing where anything isn't as remembered, and `commit_1` is asked.
 */
import type { SqlFunction } from "./plpgsql.ts"
import { entryColumns, moveHeadSql, replacing, revisionOf } from "./put-sql.ts"
import { asRememberedSql } from "./remembered-sql.ts"

/** The parameters of `put_one_1`, in order, with their types. */
export const putOneParameters = [
  // How many milliseconds the caller waits for the lock, and what it remembers: see `append_1`.
  "patience text",
  "server text",
  "known_head bigint",
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

/** The function of a schema, whose name is given as SQL has it. */
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
  INSERT INTO ${schema}.entry (${entryColumns})
  VALUES (space_id, key_name, known_head + 1, entry_at, false, entry_value, entry_bytes, entry_meta)
  ${replacing};
  ${moveHeadSql(schema, "known_head + 1")}
`
  )
})
