/** What the functions do around their writing that take what the caller remembers for given. */
import { listenedSql, lockSql, serverSql } from "./lock-sql.ts"
import { headOf } from "./queries.ts"

/** What such a function comes to: nothing was done, it's written, it's written and somebody listens. */
export const oneOutcomes = { nothing: 0, written: 1, listened: 2 } as const

/**
 * The block of a function with the parameters `patience`, `server` and `known_head` and the result `state`: behind the
 * store's lock it does nothing where the server, the head or the voided ids aren't as remembered, and otherwise
 * `writing`, which may return as well, before it has written anything.
 */
export const asRememberedSql = (schema: string, writing: string): string => `
DECLARE
  listened boolean;
BEGIN
  ${lockSql(schema)}
  state := ${oneOutcomes.nothing};
  IF server IS DISTINCT FROM ${serverSql(schema)} OR known_head IS DISTINCT FROM ${headOf(schema)}
    OR EXISTS (SELECT FROM ${schema}.voided)
  THEN
    RETURN;
  END IF;
  ${writing.trim()}
  ${listenedSql(schema)}
  state := CASE WHEN listened THEN ${oneOutcomes.listened} ELSE ${oneOutcomes.written} END;
END`
