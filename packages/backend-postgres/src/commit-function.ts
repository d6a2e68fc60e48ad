/** `commit_1`: what `append_1` does, and keys and truncations with it; and `resolve_1`, which asks afterwards. */
import {
  appendAnswer,
  appendParameters,
  appendVariables,
  guardSql,
  lookSql,
  makeSql,
  outcomes,
  writeSql
} from "./append-function.ts"
import { awaitSql, listenedSql, lockSql, raised } from "./lock-sql.ts"
import type { SqlFunction } from "./plpgsql.ts"

/** The parameters of `commit_1`, in order, with their types: those of `append_1` first. */
export const commitParameters = [
  ...appendParameters,
  // How far above the head the batch ends, and whether with an event.
  "ending int",
  "ends_in_event boolean",
  // Namespaces, by name; whether a key is put into each.
  "space_name text[]",
  "space_written boolean[]",
  // Keys that the judgement rested on: the revision that was assumed (0 where absent), and what of it must hold.
  "key_space int[]",
  "key_name text[]",
  "key_revision bigint[]",
  "key_need int[]",
  // Writes, each key's last one of its stretch, a stretch being what lies between two clears: 1 puts the key, 2 buries
  // it if it lives, 3 buries what was put in the same stretch.
  "entry_stretch int[]",
  "entry_kind int[]",
  "entry_space int[]",
  "entry_key text[]",
  "entry_revision int[]",
  "entry_at bigint[]",
  "entry_value text[]",
  "entry_bytes bytea[]",
  "entry_meta text[]",
  // Clears, each at the end of its stretch: how many keys were assumed, where it ends above the head, and when.
  "clear_space int[]",
  "clear_keys bigint[]",
  "clear_end int[]",
  "clear_at bigint[]",
  // Namespaces whose keys had to be counted beforehand, and how many were assumed.
  "count_space int[]",
  "count_keys bigint[]",
  // Truncations: before which seq, and how far the stream's last one is above its assumed one by then.
  "cut_stream int[]",
  "cut_before bigint[]",
  "cut_last int[]"
]

/** What `commit_1` answers: what `append_1` does, and of the keys and namespaces asked about what it found. */
export const commitAnswer = [...appendAnswer, "revisions bigint[]", "counts bigint[]"]

const spaceId = (schema: string, place: string): string =>
  `(SELECT s.id FROM ${schema}.namespace s WHERE s.name = space_name[${place}])`

const checkSql = (schema: string): string => `
  SELECT array_agg(found.revision ORDER BY found.n), coalesce(bool_and(
    CASE key_need[found.n]
      WHEN 1 THEN found.revision = key_revision[found.n]
      ELSE (found.revision = 0) = (key_revision[found.n] = 0)
    END
  ), true)
  INTO revisions, keys_hold
  FROM (
    SELECT n, coalesce((
      SELECT e.revision FROM ${schema}.entry e
      WHERE e.namespace = ${spaceId(schema, "key_space[n]")} AND e.key = key_name[n] AND NOT e.deleted
    ), 0) AS revision
    FROM generate_series(1, cardinality(key_space)) n
  ) found;
  SELECT array_agg((
    SELECT count(*) FROM ${schema}.entry e WHERE e.namespace = ${spaceId(schema, "count_space[n]")} AND NOT e.deleted
  ) ORDER BY n)
  INTO counts FROM generate_series(1, cardinality(count_space)) n;
  keys_hold := keys_hold AND coalesce(counts = count_keys, true);`

const putSql = (schema: string): string => `
    INSERT INTO ${schema}.entry (namespace, key, revision, at, deleted, value, bytes, meta)
    SELECT
      spaces[entry_space[n]], entry_key[n], head + entry_revision[n], entry_at[n], entry_kind[n] = 3,
      entry_value[n], entry_bytes[n], entry_meta[n]
    FROM generate_series(1, cardinality(entry_kind)) n
    WHERE entry_stretch[n] = stretch AND entry_kind[n] <> 2
    ON CONFLICT (namespace, key) DO UPDATE SET
      revision = excluded.revision, at = excluded.at, deleted = excluded.deleted,
      value = excluded.value, bytes = excluded.bytes, meta = excluded.meta;
    FOR n IN 1..cardinality(entry_kind) LOOP
      IF entry_stretch[n] = stretch AND entry_kind[n] = 2 THEN
        UPDATE ${schema}.entry e
        SET revision = head + entry_revision[n], at = entry_at[n], deleted = true,
          value = NULL, bytes = NULL, meta = NULL
        WHERE e.namespace = spaces[entry_space[n]] AND e.key = entry_key[n] AND NOT e.deleted;
      END IF;
    END LOOP;`

// The keys' positions run up to the clear's own, in the order of the keys.
const clearSql = (schema: string): string => `
    IF stretch <= cardinality(clear_space) THEN
      UPDATE ${schema}.entry e
      SET revision = head + clear_end[stretch] - clear_keys[stretch] + living.n, at = clear_at[stretch],
        deleted = true, value = NULL, bytes = NULL, meta = NULL
      FROM (
        SELECT l.key, row_number() OVER (ORDER BY l.key) AS n FROM ${schema}.entry l
        WHERE l.namespace = spaces[clear_space[stretch]] AND NOT l.deleted
      ) living
      WHERE e.namespace = spaces[clear_space[stretch]] AND e.key = living.key;
    END IF;`

const keysSql = (schema: string): string => `
  INSERT INTO ${schema}.namespace (id, name)
  SELECT (SELECT coalesce(max(s.id), 0) FROM ${schema}.namespace s) + row_number() OVER (), space_name[n]
  FROM generate_series(1, cardinality(space_name)) n
  WHERE space_written[n] AND NOT EXISTS (SELECT FROM ${schema}.namespace s WHERE s.name = space_name[n]);
  SELECT array_agg(${spaceId(schema, "n")} ORDER BY n) INTO spaces FROM generate_series(1, cardinality(space_name)) n;
  FOR stretch IN 1..cardinality(clear_space) + 1 LOOP
    ${putSql(schema)}
    ${clearSql(schema)}
  END LOOP;`

const cutSql = (schema: string): string => `
  FOR n IN 1..cardinality(cut_stream) LOOP
    cut := least(cut_before[n], lasts[cut_stream[n]] + cut_last[n] + 1);
    DELETE FROM ${schema}.event e WHERE e.stream = ids[cut_stream[n]] AND e.seq < cut;
    UPDATE ${schema}.stream s SET first = cut WHERE s.id = ids[cut_stream[n]] AND s.first < cut;
  END LOOP;`

/** `commit_1` of a schema, whose name is given as SQL has it. */
export const commitFunction = (schema: string): SqlFunction => ({
  name: "commit_1",
  parameters: [...commitParameters, ...commitAnswer.map((column) => `OUT ${column}`)],
  comment: "Does what append_1 does, and writes keys and truncates streams with it.",
  block: `
DECLARE ${appendVariables}
  keys_hold boolean;
  spaces int[];
  cut bigint;
BEGIN
  ${guardSql(schema)}
  ${checkSql(schema)}
  types := type_id;
  ${lookSql(schema)}
  IF NOT coalesce(holds, true) OR NOT keys_hold OR (head_matters AND head IS DISTINCT FROM known_head) THEN
    state := ${outcomes.otherwise};
    RETURN;
  END IF;
  ${makeSql(schema)}
  ${writeSql(schema)}
  ${keysSql(schema)}
  ${cutSql(schema)}
  IF ending > 0 AND NOT ends_in_event THEN
    UPDATE ${schema}.head h SET position = head + ending WHERE h.position = kept;
  END IF;
  ${listenedSql(schema)}
  state := ${outcomes.written};
END`
})

/**
 * `resolve_1` of a schema. Where nothing is recorded under the id, whatever was sent under it until now, and may still
 * be on its way, is void: it finds its id among the voided ones.
 */
export const resolveFunction = (schema: string): SqlFunction => ({
  name: "resolve_1",
  parameters: ["incarnation text", "patience text", "asked text", "OUT known boolean"],
  comment: "Tells whether a commit is recorded under an id; if not, none that was sent under it before will ever be.",
  block: `
BEGIN
  ${lockSql(schema)}
  ${awaitSql(schema)}
  PERFORM FROM ${schema}.store s WHERE s.incarnation = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another store is here' USING ERRCODE = '${raised.replaced}';
  END IF;
  known := EXISTS (SELECT FROM ${schema}.recorded r WHERE r.id = asked);
  IF NOT known THEN
    DELETE FROM ${schema}.voided v WHERE v.at < now() - interval '1 day';
    INSERT INTO ${schema}.voided AS v (id, attempts) VALUES (asked, 1)
    ON CONFLICT (id) DO UPDATE SET attempts = v.attempts + 1, at = now();
  END IF;
END`
})
