/**
 * `append_1`: the SQL function that writes the events of a whole batch, in one call. Core has judged the batch by what
 * the caller assumed of the streams; the function makes sure, behind the store's lock, that whatever the judgement
 * rested on holds, adds to every position and seq how far the store has moved since, and writes. Nothing is judged
 * here: a judge in PL/pgSQL was measured at 12 µs a commit and 200 µs a call (plan 0013).
 */

import { awaitSql, listenedSql, lockSql, raised, serverSql } from "./lock-sql.ts"
import type { SqlFunction } from "./plpgsql.ts"

/** What a call comes to. */
export const outcomes = {
  /** Everything is written. */
  written: 0,
  /** Nothing is: an assumption doesn't hold. How things are is in the answer. */
  otherwise: 1,
  /** Nothing is: commits of these ids have happened before. */
  recorded: 2,
  /** Nothing is: somebody was told that a commit of one of these ids never happened, after this one had been sent. */
  voided: 3,
  /** Nothing is: another server answers than the one whose ids the caller remembers. */
  elsewhere: 4
} as const

/** The parameters of `append_1`, in order, with their types. */
export const appendParameters = [
  // The store that the caller means, the highest head it knows of, and how many milliseconds it waits for the lock.
  "incarnation text",
  "floor bigint",
  "patience text",
  // What it remembers holds while this server runs, with these tables, and this is the head; null where it has nothing.
  "server text",
  "known_head bigint",
  // Whether the ids of all streams and types are among that.
  "known boolean",
  // Whether the judgement rested on the head itself.
  "head_matters boolean",
  // Arrays are null where nothing is said, which costs nothing. Streams: ids (0 where not remembered, then by name);
  // the last seq that was assumed; what of it must hold (0, or not said: nothing, 1 the number, 2 whether there is
  // any); how far above the head the first event comes to lie (0 for none; not said: as far as its own place).
  "stream_id bigint[]",
  "stream_name text[]",
  "stream_last bigint[]",
  "stream_need int[]",
  "stream_start int[]",
  "type_id int[]",
  "type_name text[]",
  // Events: how many; stream and type by their places above; how far above the head and the last seq. What isn't said
  // is the event's own place, for the type and the seq 1, for the time that of the first.
  "events int",
  "event_stream int[]",
  "event_position int[]",
  "event_seq int[]",
  "event_type int[]",
  "event_at bigint[]",
  "event_data text[]",
  "event_bytes bytea[]",
  "event_meta text[]",
  "event_id text[]",
  // Commits with an id that happen: where they start and end above the head, where their appends start and how many
  // they are, and their revisions above the start. What isn't said is that each is one append of one event to the
  // stream of its own place. After their ids come those of commits that conflict, which are only compared with those
  // that have happened before.
  "commit_id text[]",
  "commit_digest text[]",
  "commit_attempt int[]",
  "commit_start int[]",
  "commit_end int[]",
  "commit_append int[]",
  "commit_appends int[]",
  "commit_revisions text[]",
  // Appends of those commits: stream, first seq above the last, number of events.
  "append_stream int[]",
  "append_seq int[]",
  "append_events int[]"
]

/** What `append_1` answers: the head it found, of each stream and type what it found or made, whether some listen. */
export const appendAnswer = [
  "state int",
  "head bigint",
  "server_now text",
  "ids bigint[]",
  "lasts bigint[]",
  "types int[]",
  "listened boolean"
]

// Of its row there may be as many dead ones as commits since somebody's oldest snapshot; the living one is the highest.
const headsOf = (schema: string): string => `
  FROM (SELECT k.position FROM ${schema}.head k ORDER BY k.position DESC LIMIT 1) h LEFT JOIN LATERAL (
    SELECT e.position FROM ${schema}.event e ORDER BY e.position DESC LIMIT 1
  ) e ON true;`

/** The head into `head`, and into `kept` what the table of that name holds. */
export const headSql = (schema: string): string =>
  `SELECT h.position, greatest(h.position, e.position) INTO kept, head ${headsOf(schema)}`

/** Makes sure of the isolation and, where somebody else has moved the head, of the store's identity. */
export const guardSql = (schema: string): string => `
  ${lockSql(schema)}
  SELECT h.position, greatest(h.position, e.position),
    EXISTS (SELECT FROM ${schema}.voided), EXISTS (SELECT FROM ${schema}.recorded r WHERE r.id = ANY (commit_id))
  INTO kept, head, some_voided, some_recorded ${headsOf(schema)}
  server_now := ${serverSql(schema)};
  fresh := coalesce(head = known_head AND server = server_now, false);
  IF NOT fresh THEN
    PERFORM FROM ${schema}.store s WHERE s.incarnation = $1;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'another store is here' USING ERRCODE = '${raised.replaced}';
    END IF;
    IF head < floor THEN
      RAISE EXCEPTION 'the head went back from % to %', floor, head USING ERRCODE = '${raised.wentBack}';
    END IF;
    IF server <> server_now THEN
      state := ${outcomes.elsewhere};
      RETURN;
    END IF;
  END IF;
  IF some_voided AND EXISTS (
    SELECT FROM generate_series(1, cardinality(commit_id)) n
    WHERE (SELECT v.attempts FROM ${schema}.voided v WHERE v.id = commit_id[n]) > coalesce(commit_attempt[n], 0)
  ) THEN
    state := ${outcomes.voided};
    RETURN;
  END IF;
  IF some_recorded THEN
    ${awaitSql(schema)}
    state := ${outcomes.recorded};
    RETURN;
  END IF;`

// Only what isn't remembered is looked up, stream by stream through the indexes.
/** What there is of each stream, into `ids` and `lasts`; `holds` tells whether what was assumed of it is so. */
export const lookSql = (schema: string): string => `
  SELECT
    array_agg(coalesce(found.id, 0) ORDER BY found.n),
    array_agg(found.last ORDER BY found.n),
    bool_and(
      CASE coalesce(stream_need[found.n], 0)
        WHEN 0 THEN true
        WHEN 1 THEN found.last = stream_last[found.n]
        ELSE (found.last = 0) = (stream_last[found.n] = 0)
      END
    )
  INTO ids, lasts, holds
  FROM (
    SELECT n, s.id, coalesce(
      CASE WHEN fresh AND stream_id[n] > 0 THEN stream_last[n] ELSE
        greatest(s.first - 1, (SELECT max(e.seq) FROM ${schema}.event e WHERE e.stream = s.id))
      END, 0) AS last
    FROM generate_series(1, cardinality(stream_id)) n LEFT JOIN LATERAL (
      SELECT t.id, t.first FROM ${schema}.stream t WHERE t.id = CASE WHEN stream_id[n] > 0 THEN stream_id[n] ELSE
        (SELECT b.id FROM ${schema}.stream b WHERE b.name = stream_name[n])
      END LIMIT 1
    ) s ON true
  ) found;`

// A new stream's id is the position of its first event, which nobody else has.
/** Makes the streams and types that are new. */
export const makeSql = (schema: string): string => `
  INSERT INTO ${schema}.stream (id, name)
  SELECT head + coalesce(stream_start[n], n), stream_name[n] FROM generate_series(1, cardinality(stream_id)) n
  WHERE ids[n] = 0 AND coalesce(stream_start[n], n) > 0;
  IF FOUND THEN
    SELECT array_agg(
      CASE WHEN ids[n] = 0 AND coalesce(stream_start[n], n) > 0
        THEN head + coalesce(stream_start[n], n) ELSE ids[n] END
      ORDER BY n
    )
    INTO ids FROM generate_series(1, cardinality(stream_id)) n;
  END IF;
  IF array_position(type_id, 0) IS NOT NULL THEN
    INSERT INTO ${schema}.type (id, name)
    SELECT (SELECT coalesce(max(t.id), 0) FROM ${schema}.type t) + row_number() OVER (), type_name[n]
    FROM generate_series(1, cardinality(type_id)) n
    WHERE type_id[n] = 0 AND NOT EXISTS (SELECT FROM ${schema}.type t WHERE t.name = type_name[n]);
    SELECT array_agg(
      CASE WHEN type_id[n] > 0 THEN type_id[n] ELSE (SELECT t.id FROM ${schema}.type t WHERE t.name = type_name[n]) END
      ORDER BY n
    )
    INTO types FROM generate_series(1, cardinality(type_id)) n;
  END IF;`

// Stream, first seq and number of events of the append at a place; nulls where the place is 0.
const appended = (place: string): ReadonlyArray<string> => {
  const stream = `coalesce(append_stream[${place}], nullif(${place}, 0))`
  return [
    `ids[${stream}]`,
    `lasts[${stream}] + coalesce(append_seq[${place}], 1)`,
    `CASE WHEN ${place} > 0 THEN coalesce(append_events[${place}], 1) END`
  ]
}

// Where every commit is one append of one event to a stream of its own, which is what is mostly written together, there
// is less to be worked out for each.
/** Writes the events, and the commits that have an id. */
export const writeSql = (schema: string): string => `
  IF events > 0 THEN
    INSERT INTO ${schema}.event (position, stream, seq, at, type, data, bytes, meta, id)
    SELECT
      head + coalesce(event_position[n], n), ids[coalesce(event_stream[n], n)],
      lasts[coalesce(event_stream[n], n)] + coalesce(event_seq[n], 1), coalesce(event_at[n], event_at[1]),
      types[coalesce(event_type[n], 1)], event_data[n], event_bytes[n], event_meta[n], event_id[n]
    FROM generate_series(1, events) n;
  END IF;
  IF commit_digest IS NULL THEN
  ELSIF coalesce(commit_start, commit_end, commit_append, commit_appends, append_stream, append_seq, append_events)
    IS NULL AND commit_revisions IS NULL
  THEN
    INSERT INTO ${schema}.recorded (id, digest, start, position, stream, first, events)
    SELECT commit_id[n], commit_digest[n], head + n - 1, head + n, ids[n], lasts[n] + 1, 1
    FROM generate_series(1, cardinality(commit_digest)) n;
  ELSE
    INSERT INTO ${schema}.recorded (id, digest, start, position, stream, first, events, appended, revisions)
    SELECT
      commit_id[n], commit_digest[n], head + coalesce(commit_start[n], n - 1), head + coalesce(commit_end[n], n),
      ${appended("coalesce(commit_append[n], n)").join(",\n      ")},
      CASE WHEN commit_appends[n] > 1 THEN ARRAY(
        SELECT unnest(ARRAY[${appended("m").join(", ")}])
        FROM generate_series(coalesce(commit_append[n], n) + 1, coalesce(commit_append[n], n) + commit_appends[n] - 1) m
      ) END,
      commit_revisions[n]::int[]
    FROM generate_series(1, cardinality(commit_digest)) n;
  END IF;`

/** What `append_1` keeps in mind, and whatever begins as it does. */
export const appendVariables = `
  kept bigint;
  fresh boolean;
  holds boolean;
  some_voided boolean;
  some_recorded boolean;`

/** The function of a schema, whose name is given as SQL has it. */
export const appendFunction = (schema: string): SqlFunction => ({
  name: "append_1",
  parameters: [...appendParameters, ...appendAnswer.map((column) => `OUT ${column}`)],
  comment: "Writes a batch of commits that persist has judged, if what it assumed holds; it writes no keys.",
  block: `
DECLARE ${appendVariables}
BEGIN
  ${guardSql(schema)}
  ids := stream_id;
  lasts := stream_last;
  types := type_id;
  IF NOT (fresh AND known) THEN
    ${lookSql(schema)}
    IF NOT holds OR (head_matters AND head IS DISTINCT FROM known_head) THEN
      state := ${outcomes.otherwise};
      RETURN;
    END IF;
    ${makeSql(schema)}
  END IF;
  ${writeSql(schema)}
  ${listenedSql(schema)}
  state := ${outcomes.written};
  -- What the caller remembers it need not be told.
  IF fresh AND known THEN
    ids := NULL;
    lasts := NULL;
    types := NULL;
  END IF;
END`
})
