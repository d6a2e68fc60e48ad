/** How a store is opened, checked before anything is touched. */
import { Invalid } from "@persist/core"
import { quoted } from "./quote.ts"
import { type Access, readAccess } from "./url.ts"

/** Which store, and how it is used. Every field but `url` may also stand in the URL's query. */
export interface Config {
  /**
   * `postgres://user:password@host:5432/database`, with any part percent-encoded. Several hosts, `a:5432,b:5432`, are
   * one cluster: the handle keeps to the one that may be written to, or with `readonly` to the first that answers. The
   * query may say `host` (a socket's directory), `sslmode` (`disable`, `require`, `verify-ca`, `verify-full`),
   * `sslrootcert`, `sslcert`, `sslkey` (files) and `application_name`.
   */
  readonly url: string
  /** The schema that holds the store, created where it isn't there. Default `persist`. */
  readonly schema?: string
  /** Opens an existing store without ever writing to it, on a standby too; commits are `Denied`. Default false. */
  readonly readonly?: boolean
  /** How many connections may read at once, beside the one that writes and the one that listens. Default 4. */
  readonly readers?: number
  /** After how many milliseconds without an answer a connection is given up. Default 30,000. */
  readonly timeout?: number
  /** How many milliseconds a commit waits for other writers. Default 10,000. */
  readonly lockTimeout?: number
  /** How many milliseconds a verb looks for a server after losing one: the time of a failover. Default 10,000. */
  readonly reconnectWithin?: number
  /** How often `changes` looks for commits while somebody listens, should notifications get lost. Default 500. */
  readonly pollInterval?: number
  /**
   * Whether statements are prepared once by name, which is a third quicker, and commits of others are listened for.
   * `false` behind a pooler in transaction mode. By default it's found out: a pooler hides the server's process.
   */
  readonly direct?: boolean
}

/** The schema of a store: its name, and the same as SQL has it. */
export interface SchemaName {
  readonly schema: string
  readonly quotedSchema: string
}

/** A configuration that holds, with its defaults. */
export interface Settings extends Required<Omit<Config, "url" | "direct">>, Access, SchemaName {
  readonly direct: boolean | undefined
}

const known = new Set([
  "url",
  "schema",
  "readonly",
  "readers",
  "timeout",
  "lockTimeout",
  "reconnectWithin",
  "pollInterval",
  "direct"
])

// Timers count milliseconds in 31 bits.
const longest = 2 ** 31 - 1

/** Checks a configuration; throws `Invalid`, which names the field and never repeats the URL. */
export const settle = (config: Config): Settings => {
  for (const field of Object.keys(config)) {
    demand(known.has(field), field, "there is no such option", `use ${[...known].join(", ")}`)
  }
  demand(typeof config.url === "string", "url", "expected a URL", "pass postgres://user:password@host:5432/database")
  const { access, options } = readAccess(config.url)
  const fields = { ...options, ...config }
  const settings = {
    ...access,
    ...settleSchema(fields.schema),
    readonly: fields.readonly ?? false,
    readers: fields.readers ?? 4,
    timeout: fields.timeout ?? 30_000,
    lockTimeout: fields.lockTimeout ?? 10_000,
    reconnectWithin: fields.reconnectWithin ?? 10_000,
    pollInterval: fields.pollInterval ?? 500,
    direct: fields.direct
  }
  demandFlag("readonly", settings.readonly)
  if (settings.direct !== undefined) demandFlag("direct", settings.direct)
  demandWhole("readers", settings.readers, 1, 1000)
  demandWhole("timeout", settings.timeout, 1, longest)
  demandWhole("lockTimeout", settings.lockTimeout, 1, longest)
  demandWhole("reconnectWithin", settings.reconnectWithin, 0, longest)
  demandWhole("pollInterval", settings.pollInterval, 1, longest)
  return settings
}

/** Checks a schema's name, `persist` by default. Throws `Invalid`. */
export const settleSchema = (schema = "persist"): SchemaName => {
  // PostgreSQL would cut a longer name off, so that two stores could come to lie in one schema.
  demand(
    typeof schema === "string" && schema !== "" && Buffer.byteLength(schema) <= 63 && schema.isWellFormed() &&
      !schema.includes("\0") && !schema.startsWith("pg_"),
    "schema",
    "expected a schema's name of 1 to 63 bytes that PostgreSQL doesn't keep for itself",
    "pass another name"
  )
  return { schema, quotedSchema: quoted(schema) }
}

const demandFlag = (field: string, value: boolean): void =>
  demand(typeof value === "boolean", field, "expected a boolean", "pass true or false")

const demandWhole = (field: string, value: number, least: number, most: number): void =>
  demand(
    Number.isInteger(value) && value >= least && value <= most,
    field,
    `expected a whole number from ${least} to ${most}, got ${String(value)}`,
    "pass one, or leave it out"
  )

const demand = (holds: boolean, field: string, reason: string, remedy: string): void => {
  if (!holds) throw new Invalid({ field, reason, remedy })
}
