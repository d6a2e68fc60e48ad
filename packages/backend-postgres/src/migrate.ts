/** Makes a store's schema, brings an older one to the current format, and reads which store it is. */
import { Corrupt, Denied, Invalid, Unsupported } from "@persist/core"
import { randomUUID } from "node:crypto"
import type { SchemaName, Settings } from "./config.ts"
import { Lacking } from "./error.ts"
import type { Link, Session } from "./link.ts"
import { lockClasses } from "./lock-sql.ts"
import { createFunction } from "./plpgsql.ts"
import { literal } from "./quote.ts"
import { currentFormat, formats, functionsOf } from "./schema.ts"

/** The store that lies in a schema. */
export interface Found {
  readonly format: number
  readonly incarnation: string
  readonly cluster: string | undefined
  readonly database: string
  /** Names of the functions that aren't there. */
  readonly lacking: ReadonlyArray<string>
}

const once = (text: string) => ({ text })

// By these a store is known.
const tables = ["store", "voided", "event"]

/** Reads which store lies in the schema; `undefined` where there is none. Throws `Invalid` where others' tables do. */
export const findStore = async (session: Session, { quotedSchema, schema }: SchemaName): Promise<Found | undefined> => {
  // Opening a table, whichever, makes the session take in what others have made meanwhile; to_regclass alone doesn't.
  const names = functionsOf(quotedSchema).map(({ name }) => name)
  const looks = [...tables.map(() => "to_regclass"), ...names.map(() => "to_regproc")]
  const [there = []] = await session.run(
    once(`SELECT ${looks.map((look, n) => `${look}($${n + 1})`).join(", ")} FROM pg_catalog.pg_namespace LIMIT 1`),
    [...tables, ...names].map((name) => `${quotedSchema}.${name}`)
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
    database: database ?? "",
    lacking: names.filter((_, n) => there[tables.length + n] === null)
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
 * Finds the store, made, migrated or given the functions that it lacks where need be: in one transaction, behind a
 * lock that others who open it wait for. Throws `Unsupported` for a newer format, `Denied` where the role may not do
 * what is needed.
 */
export const prepareStore = async (link: Link, settings: Settings): Promise<Found> => {
  if (settings.readonly) return findCurrent(link, settings)
  const found = await findStore(link, settings)
  if (found !== undefined && found.format > currentFormat) throw unsupportedFormat(found.format)
  if (found?.format === currentFormat && found.lacking.length === 0) return found
  try {
    return await migrate(link, settings)
  } catch (cause) {
    await rollBack(link)
    throw cause instanceof Lacking ? mayNotCreate(settings, link.facts.user, found) : cause
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
  for (const one of functionsOf(quotedSchema)) {
    if (found === undefined || found.lacking.includes(one.name)) await run(createFunction(quotedSchema, one))
  }
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

const mayNotCreate = ({ quotedSchema }: Settings, user: string, found: Found | undefined): Denied =>
  new Denied({
    operation: "open",
    reason: found === undefined
      ? `there is no store, and ${user} may not create one`
      : found.format === currentFormat
      ? `the schema lacks ${found.lacking.join(" and ")}, which an older version didn't know, and ${user} may not ` +
        "create functions in it"
      : `the schema has format ${found.format}, and ${user} may not migrate it`,
    remedy: found === undefined
      ? `open it once as a role that may, or GRANT CREATE ON DATABASE (or on the schema ${quotedSchema}) to it; ` +
        `then GRANT USAGE ON SCHEMA ${quotedSchema}, and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES in it`
      : "open it once as the schema's owner"
  })
