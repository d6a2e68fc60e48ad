/** What the short functions have in common: those that write where all is as the caller remembers it, or do nothing. */
import { listenedSql, lockSql, serverSql } from "./lock-sql.ts"
import { headOf } from "./queries.ts"

/** What such a function comes to: nothing was done, it's written, it's written and somebody listens. */
export const shortOutcomes = { nothing: 0, written: 1, listened: 2 } as const

/**
 * The block of a function with the parameters `patience`, `server` and `known_head` and the result `state`: behind the
 * store's lock it does nothing where the server or the head isn't as remembered, or one of the ids that `ids` compares
 * with, as SQL has it, is voided; and otherwise `writing`, which may return as well, before it has written anything.
 */
export const asRememberedSql = (schema: string, ids: string, writing: string): string => `
DECLARE
  listened boolean;
BEGIN
  ${lockSql(schema)}
  state := ${shortOutcomes.nothing};
  IF server IS DISTINCT FROM ${serverSql(schema)} OR known_head IS DISTINCT FROM ${headOf(schema)}
    OR EXISTS (SELECT FROM ${schema}.voided v WHERE v.id = ${ids})
  THEN
    RETURN;
  END IF;
  ${writing.trim()}
  ${listenedSql(schema)}
  state := CASE WHEN listened THEN ${shortOutcomes.listened} ELSE ${shortOutcomes.written} END;
END`
