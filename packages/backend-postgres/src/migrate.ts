/** Makes a store's schema, brings an older one to the current format, and reads which store it is. */
import { Corrupt, Denied, Invalid, Unsupported } from "@persist/core"
import { randomUUID } from "node:crypto"
import { texts } from "./arrays.ts"
import type { SchemaName, Settings } from "./config.ts"
import { Lacking } from "./error.ts"
import type { Link, Session } from "./link.ts"
import { lockClasses } from "./lock-sql.ts"
import { createFunction, edition, editionOf, signatureOf, type SqlFunction } from "./plpgsql.ts"
import { literal } from "./quote.ts"
import { currentFormat, formats, functionsOf } from "./schema.ts"

/** The store that lies in a schema. */
export interface Found {
  readonly format: number
  readonly incarnation: string
  readonly cluster: string | undefined
  readonly database: string
}

/** What is to be made of a store's functions. */
interface Missing {
  /** Those that aren't there, or take other parameters. */
  readonly lacking: ReadonlyArray<SqlFunction>
  /** Those of a lower edition, where the role may replace them. */
  readonly outdated: ReadonlyArray<SqlFunction>
}

const once = (text: string) => ({ text })

// By these a store is known.
const tables = ["store", "voided", "event"]

/** Reads which store lies in the schema; `undefined` where there is none. Throws `Invalid` where others' tables do. */
export const findStore = async (session: Session, { quotedSchema, schema }: SchemaName): Promise<Found | undefined> => {
  // Opening a table, whichever, makes the session take in what others have made meanwhile; to_regclass alone doesn't.
  const looks = tables.map((_, n) => `to_regclass($${n + 1})`)
  const [there = []] = await session.run(
    once(`SELECT ${looks.join(", ")} FROM pg_catalog.pg_namespace LIMIT 1`),
    tables.map((name) => `${quotedSchema}.${name}`)
  )
  const missing = tables.filter((_, n) => there[n] === null).length
  if (missing === tables.length) return undefined
  if (missing > 0) {
    throw new Invalid({
      field: "schema",
      reason: `${schema} holds tables of the same names that are no store`,
      remedy: "pass the name of a schema of its own"
    })
  }
  const [row] = await session.run(
    once(`SELECT format, incarnation, cluster, database FROM ${quotedSchema}.store`),
    []
  )
  if (row === undefined) {
    throw new Corrupt({
      where: `table ${schema}.store`,
      reason: "the row with the store's identity is missing",
      remedy: "restore a backup"
    })
  }
  const [format, incarnation, cluster, database] = row
  return {
    format: Number(format),
    incarnation: incarnation ?? "",
    cluster: cluster ?? undefined,
    database: database ?? ""
  }
}

const lookAtFunctions = async (link: Link, schema: string): Promise<Missing> => {
  const functions = functionsOf(schema)
  const rows = await link.run(
    once(`SELECT p.oid, pg_catalog.obj_description(p.oid, 'pg_proc'), pg_catalog.pg_has_role(p.proowner, 'USAGE')
      FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS f (signature, n)
      LEFT JOIN pg_catalog.pg_proc p ON p.oid = pg_catalog.to_regprocedure(f.signature) ORDER BY f.n`),
    [texts(functions.map((one) => signatureOf(schema, one)))]
  )
  return {
    lacking: functions.filter((_, n) => rows[n]?.[0] === null),
    outdated: functions.filter((_, n) => {
      const [oid = null, comment = null, mayReplace] = rows[n] ?? []
      return oid !== null && mayReplace === "t" && editionOf(comment) < edition
    })
  }
}

const unsupportedFormat = (format: number): Unsupported =>
  new Unsupported({
    backend: "postgres",
    ability: `format ${format} of the schema, where this version knows 1 to ${currentFormat},`,
    remedy: format > currentFormat
      ? "open it with the newer version that migrated it"
      : "open it once as the schema's owner, without readonly, to migrate it"
  })

/** Finds the store as it is. Throws `Invalid` where there is none, `Unsupported` for another format than this one. */
export const findCurrent = async (session: Session, name: SchemaName): Promise<Found> => {
  const found = await findStore(session, name)
  if (found === undefined) {
    throw new Invalid({
      field: "schema",
      reason: `there is no store in the schema ${name.schema}`,
      remedy: "correct the name, or open it without readonly to create it"
    })
  }
  if (found.format !== currentFormat) throw unsupportedFormat(found.format)
  return found
}

/**
 * Finds the store, made, migrated or given the functions that it lacks or has of a lower edition, where need be: in one
 * transaction, behind a lock that others who open it wait for. Throws `Unsupported` for a newer format, `Denied` where
 * the role may not do what is needed.
 */
export const prepareStore = async (link: Link, settings: Settings): Promise<Found> => {
  if (settings.readonly) return findCurrent(link, settings)
  const found = await findStore(link, settings)
  if (found !== undefined && found.format > currentFormat) throw unsupportedFormat(found.format)
  const { lacking, outdated } = await lookAtFunctions(link, settings.quotedSchema)
  const usable = found?.format === currentFormat && lacking.length === 0 ? found : undefined
  if (usable !== undefined && outdated.length === 0) return usable
  try {
    return await migrate(link, settings)
  } catch (cause) {
    await rollBack(link)
    if (!(cause instanceof Lacking)) throw cause
    // Functions of a lower edition do the same.
    if (usable !== undefined) return usable
    throw mayNotCreate(settings, link.facts.user, found, lacking)
  }
}

const migrate = async (link: Link, settings: Settings): Promise<Found> => {
  const { quotedSchema, schema } = settings
  const run = (text: string) => link.run(once(text), [])
  await run("BEGIN ISOLATION LEVEL READ COMMITTED")
  await run(`SELECT pg_advisory_xact_lock(${lockClasses.making}, hashtext(${literal(schema)}))`)
  const found = await findStore(link, settings)
  if (found !== undefined && found.format > currentFormat) throw unsupportedFormat(found.format)
  // A role that may create tables in a schema need not be one that may create schemas.
  const [there] = await run(`SELECT to_regnamespace(${literal(quotedSchema)})`)
  if (there?.[0] === null) await run(`CREATE SCHEMA ${quotedSchema}`)
  for (const step of formats.slice(found?.format ?? 0)) await run(step(quotedSchema))
  const { lacking, outdated } = await lookAtFunctions(link, quotedSchema)
  for (const { name } of lacking) await run(`DROP FUNCTION IF EXISTS ${quotedSchema}.${name}`)
  for (const one of [...lacking, ...outdated]) await run(createFunction(quotedSchema, one))
  const { cluster, database } = link.facts
  await run(
    found === undefined
      ? `INSERT INTO ${quotedSchema}.store (format, incarnation, cluster, database) VALUES (
          ${currentFormat}, ${literal(randomUUID())}, ${cluster === undefined ? "NULL" : literal(cluster)}, ${
        literal(database)
      }
        )`
      : `UPDATE ${quotedSchema}.store SET format = ${currentFormat}`
  )
  const made = await findStore(link, settings)
  await link.run(once("COMMIT"), [], true)
  if (made === undefined) throw new Error("the store that was just made isn't there")
  return made
}

const rollBack = async (link: Link): Promise<void> => {
  if (link.broken) return
  // Where this fails too, the connection is gone, and the transaction with it.
  await link.run(once("ROLLBACK"), []).catch(() => link.destroy())
}

const mayNotCreate = (
  { quotedSchema }: Settings,
  user: string,
  found: Found | undefined,
  lacking: Missing["lacking"]
): Denied =>
  new Denied({
    operation: "open",
    reason: found === undefined
      ? `there is no store, and ${user} may not create one`
      : found.format === currentFormat
      ? `the schema lacks ${
        lacking.map(({ name }) => name).join(" and ")
      }, which an older version didn't know so, and ${user} may not ` +
        "create functions in it"
      : `the schema has format ${found.format}, and ${user} may not migrate it`,
    remedy: found === undefined
      ? `open it once as a role that may, or GRANT CREATE ON DATABASE (or on the schema ${quotedSchema}) to it; ` +
        `then GRANT USAGE ON SCHEMA ${quotedSchema}, and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES in it`
      : "open it once as the schema's owner"
  })
