/** The SQL of the pages about PostgreSQL, so that what they say and what is tested are the same words. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { blocksOf } from "../docs/blocks.ts"

const pageOf = (name: string): string => readFileSync(join(import.meta.dirname, "../../docs", name), "utf8")

const page = pageOf("postgres.md")

const sqlIn = (markdown: string): ReadonlyArray<string> =>
  blocksOf(markdown).filter(({ info }) => info === "sql").map(({ code }) => code)

/** All blocks of SQL, in order. */
export const allStatements = [page, pageOf("postgres-transactions.md")].flatMap(sqlIn)

/** Those of docs/postgres.md under a heading, down to the next one. */
export const statementsUnder = (heading: string): ReadonlyArray<string> => {
  const section = page.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/postgres.md has no heading ${heading}`)
  return sqlIn(section)
}

/** The same for a store in another schema than the default one. */
export const inSchema = (schema: string, statements: string): string =>
  statements.replaceAll("IN SCHEMA persist", `IN SCHEMA ${schema}`).replaceAll(
    "ON SCHEMA persist",
    `ON SCHEMA ${schema}`
  )
    .replaceAll(/\bpersist\./g, `${schema}.`)
