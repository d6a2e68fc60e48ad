/** What the short functions that put keys have in common. */

/** The columns of an entry, in the order in which they're given. */
export const entryColumns = "namespace, key, revision, at, deleted, value, bytes, meta"

/** What an insertion of entries does with keys that are there. */
export const replacing = `ON CONFLICT (namespace, key) DO UPDATE SET
    revision = excluded.revision, at = excluded.at, deleted = excluded.deleted,
    value = excluded.value, bytes = excluded.bytes, meta = excluded.meta`

/** A key's revision as SQL, 0 where it isn't there. */
export const revisionOf = (schema: string, space: string, key: string): string =>
  `coalesce((
      SELECT e.revision FROM ${schema}.entry e WHERE e.namespace = ${space} AND e.key = ${key} AND NOT e.deleted
    ), 0)`

/** Keeps the position that the last put was given. The row there is holds less where events have come since. */
export const moveHeadSql = (schema: string, position: string): string =>
  `UPDATE ${schema}.head h SET position = ${position}
  WHERE h.position = (SELECT max(k.position) FROM ${schema}.head k);`
