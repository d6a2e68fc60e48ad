/** Turns what the driver throws into the store's errors: by SQLSTATE or the system's code, never by message. */
import type { BackendError } from "@persist/core"
import { Corrupt, Denied, isStoreError, OutcomeUnknown, Unavailable, Unsupported } from "@persist/core"
import { raised } from "./lock-sql.ts"
import { quoted } from "./quote.ts"

/** A connection that could not be made or ended; `sent`: whether a statement had been handed to it. */
export class Lost extends Error {
  readonly sent: boolean

  constructor(reason: string, sent: boolean, cause?: unknown) {
    super(reason, { cause })
    this.sent = sent
  }
}

/** A right that a user lacks in a schema, whose name is given as SQL has it. */
export class Lacking extends Error {
  readonly user: string
  readonly quotedSchema: string

  constructor(user: string, quotedSchema: string, cause: unknown) {
    super(`${user} lacks a right in ${quotedSchema}`, { cause })
    this.user = user
    this.quotedSchema = quotedSchema
  }
}

/** The SQLSTATE of something thrown, or `undefined` where PostgreSQL didn't say it. */
export const stateOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error) || !("code" in cause) || !("severity" in cause)) return undefined
  return typeof cause.code === "string" && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : undefined
}

/** The answer of a handle whose scope has ended. */
export const closed = (operation: string): Unavailable =>
  new Unavailable({ operation, reason: "the store is closed", remedy: "open it again", reopen: true })

/** Whether the server refuses to write at all, as one that recovers does: the caller looks for another. */
export const isReadOnly = (cause: unknown): boolean => stateOf(cause) === "25006"

/** Whether named statements got lost or mixed up between connections, as behind a pooler that doesn't know them. */
export const isForeignStatement = (cause: unknown): boolean => ["26000", "42P05"].includes(stateOf(cause) ?? "")

interface Kind {
  readonly make: (operation: string, reason: string, remedy: string, cause: unknown) => BackendError
  readonly reason: string
  readonly remedy: string
}

const unavailable: Kind["make"] = (operation, reason, remedy, cause) =>
  new Unavailable({ operation, reason, remedy, cause })
const denied: Kind["make"] = (operation, reason, remedy) => new Denied({ operation, reason, remedy })
const corrupt: Kind["make"] = (operation, reason, remedy, cause) =>
  new Corrupt({ where: `the schema, in ${operation}`, reason, remedy, cause })
const unsupported: Kind["make"] = (_, ability, remedy) => new Unsupported({ backend: "postgres", ability, remedy })

// Of which schema and to whom, as SQL has them.
const grants = (schema: string, user: string): string =>
  `grant it: GRANT USAGE ON SCHEMA ${schema} TO ${user}; ` +
  `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user} (SELECT alone to a reader)`

// By the whole code, or else by its class, which is the first two characters.
const kinds: Readonly<Record<string, Kind>> = {
  "08": { make: unavailable, reason: "the connection failed", remedy: "try again" },
  "0A": { make: unsupported, reason: "what was asked of this server", remedy: "use PostgreSQL 14 or later" },
  "22": { make: corrupt, reason: "a value can't be read", remedy: "restore a backup" },
  "23": { make: corrupt, reason: "the tables contradict each other", remedy: "look for who else writes to them" },
  "25006": {
    make: unavailable,
    reason: "the server only reads: it's a standby, or set so",
    remedy: "name the primary among the hosts, or open the store with readonly"
  },
  "25P02": { make: unavailable, reason: "the transaction has failed before", remedy: "roll it back and begin again" },
  "25P03": { make: unavailable, reason: "the transaction was idle for too long", remedy: "begin it again" },
  "26000": { make: unavailable, reason: "a pooler lost a named statement", remedy: "try again" },
  "28": {
    make: denied,
    reason: "the server refused the user",
    remedy: "correct the user, the password or sslmode in the URL, or the server's pg_hba.conf"
  },
  "3D000": { make: denied, reason: "there is no such database", remedy: "create it, or correct the URL" },
  "3F000": { make: denied, reason: "there is no such schema", remedy: "open the store again to create it" },
  "40": { make: unavailable, reason: "another transaction was in the way", remedy: "try again" },
  "42501": { make: denied, reason: "the user lacks a right", remedy: grants("s", "user") },
  "42P01": { make: corrupt, reason: "a table is missing", remedy: "restore a backup" },
  "42P05": { make: unavailable, reason: "a pooler mixed up named statements", remedy: "try again" },
  "42883": {
    make: unsupported,
    reason: "the format of the schema, whose functions are another version's,",
    remedy: "open it again, or use the version that migrated it"
  },
  "53100": { make: unavailable, reason: "the server's disk is full", remedy: "free some space there, then try again" },
  "53200": { make: unavailable, reason: "the server is out of memory", remedy: "try again" },
  "53300": {
    make: unavailable,
    reason: "the server takes no more connections",
    remedy: "raise max_connections, or open fewer handles with fewer readers"
  },
  "53": { make: unavailable, reason: "the server lacks resources", remedy: "try again" },
  "54": { make: unsupported, reason: "a statement of this size", remedy: "use smaller values" },
  "55P03": {
    make: unavailable,
    reason: "another writer held the store's lock for too long",
    remedy: "try again, end the transaction that holds it, or raise lockTimeout"
  },
  "55": { make: unavailable, reason: "the server isn't in the state for it", remedy: "try again" },
  "57014": {
    make: unavailable,
    reason: "the statement was cancelled or took longer than the server's statement_timeout",
    remedy: "try again, or raise that of the role"
  },
  "57": { make: unavailable, reason: "the server is starting, stopping or ended the connection", remedy: "try again" },
  "58": { make: unavailable, reason: "the server's system failed", remedy: "look at its log and its disk" },
  "P0": { make: denied, reason: "a trigger refused the write", remedy: "look at the triggers on the store's tables" },
  "XX": { make: corrupt, reason: "the server reports damage or a bug of its own", remedy: "look at its log" },
  [raised.replaced]: {
    make: corrupt,
    reason: "the store has been replaced or given another incarnation",
    remedy: "open it again"
  },
  [raised.wentBack]: {
    make: corrupt,
    reason: "the store's history went back: a backup was restored, or a standby took over that lacked commits",
    remedy: "open the store again, after renewIncarnation"
  },
  [raised.isolation]: {
    make: unsupported,
    reason: "a transaction that isn't READ COMMITTED",
    remedy: "begin it so; for a role or database, ALTER … SET default_transaction_isolation = 'read committed'"
  }
}

/**
 * What a failed call means. `Unavailable`: connections, locks, resources, a server that starts, stops or only reads.
 * `Denied`: the user or its rights. `Unsupported`: versions, isolation. `Corrupt`: tables that can't be so. Anything
 * that the driver didn't say, or a statement that could never have worked, is a bug and is thrown on.
 */
export const classify = (operation: string, cause: unknown): BackendError => {
  if (isStoreError(cause) && cause._tag !== "Invalid") return cause
  if (cause instanceof Lost) {
    return new Unavailable({ operation, reason: cause.message, remedy: "check the server and the network", cause })
  }
  if (cause instanceof Lacking) {
    const { quotedSchema, user } = cause
    return denied(operation, `${user} lacks a right (42501)`, grants(quotedSchema, quoted(user)), cause)
  }
  const state = stateOf(cause) ?? ""
  const kind = kinds[state] ?? kinds[state.slice(0, 2)]
  if (kind === undefined) throw cause
  return kind.make(operation, `${kind.reason} (${state})`, kind.remedy, cause)
}

// What PostgreSQL says only before anything of the transaction can last. Everything else that isn't about the statement
// itself (cancellation, shutdown, connections) may come after the commit was written.
const leftNothing = /^(0A|22|23|25|26|28|3D|3F|40(000|001|002|P01)|42|53|54|55|57P03|58000|58030|P0|PST)/

/**
 * What a failed commit means: as {@link classify} says where it's certain that nothing was left behind, and otherwise
 * `OutcomeUnknown`.
 */
export const classifyCommit = (id: string | undefined, cause: unknown): BackendError => {
  const state = stateOf(cause)
  const unknown = cause instanceof Lost ? cause.sent : state !== undefined && !leftNothing.test(state)
  if (!unknown) return classify("commit", cause)
  const reason = cause instanceof Lost ? cause.message : `the server ended the statement (${state})`
  return new OutcomeUnknown({ id, reason, cause })
}
