/** The store's functions in PL/pgSQL, and how they are created and called. */
import type { Statement } from "./asking.ts"
import { literal } from "./quote.ts"

/** A function: its parameters with their types, the block that it runs, and what is said of it in the database. */
export interface SqlFunction {
  readonly name: string
  readonly parameters: ReadonlyArray<string>
  readonly block: string
  readonly comment: string
}

/**
 * The edition of the functions that this code makes: raised whenever the body of one is another, which means the same,
 * so that stores with those of a lower edition get it. What means another has another name. One that takes other
 * parameters is made anew, and programs of before that run on the same store are told so, as `Unsupported`: once there
 * are released versions it has another name, too.
 */
export const edition = 2

/** Which edition a function is, by what is said of it in the database: those of the first say nothing. */
export const editionOf = (comment: string | null): number => Number(/ Edition (\d+)\.$/.exec(comment ?? "")?.[1] ?? 1)

/** A function's name with the types that it's called with, as PostgreSQL knows it by. */
export const signatureOf = (schema: string, { name, parameters }: SqlFunction): string => {
  const types = parameters.filter((one) => !one.startsWith("OUT ")).map((one) => one.slice(one.indexOf(" ") + 1))
  return `${schema}.${name}(${types.join()})`
}

/**
 * What creates it in a schema, whose name is given as SQL has it, or replaces it: who may call it stays. Its
 * statements find everything through indexes, however small the tables were when they were planned, and PostgreSQL's
 * own functions, whatever functions of the same names others have made.
 */
export const createFunction = (schema: string, { block, comment, name, parameters }: SqlFunction): string => `
CREATE OR REPLACE FUNCTION ${schema}.${name}(
  ${parameters.join(", ")}
) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS ${literal(block)};
COMMENT ON FUNCTION ${schema}.${name} IS ${literal(`${comment} Edition ${edition}.`)};`

const call = (schema: string, name: string, parameters: ReadonlyArray<string>): string =>
  `${schema}.${name}(${parameters.map((_, n) => `$${n + 1}`).join(", ")})`

/** What calls a function that answers a row. */
export const callRow = (...[schema, name, parameters]: Parameters<typeof call>): Statement => ({
  name,
  text: `SELECT * FROM ${call(schema, name, parameters)}`
})

/** What calls a function that answers one number: the server makes no table of it then. */
export const callNumber = (...[schema, name, parameters]: Parameters<typeof call>): Statement => ({
  name,
  text: `SELECT ${call(schema, name, parameters)}`
})
