/** The store's functions in PL/pgSQL, and how they are created. */
import { literal } from "./quote.ts"

/** A function: its parameters with their types, the block that it runs, and what is said of it in the database. */
export interface SqlFunction {
  readonly name: string
  readonly parameters: ReadonlyArray<string>
  readonly block: string
  readonly comment: string
}

/**
 * What creates it in a schema, whose name is given as SQL has it. Its statements find everything through indexes,
 * however small the tables were when they were planned, and PostgreSQL's own functions, whatever functions of the same
 * names others have made.
 */
export const createFunction = (schema: string, { block, comment, name, parameters }: SqlFunction): string => `
CREATE FUNCTION ${schema}.${name}(
  ${parameters.join(", ")}
) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS ${literal(block)};
COMMENT ON FUNCTION ${schema}.${name} IS ${literal(comment)};`
