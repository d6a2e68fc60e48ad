/** What the SQL functions begin and end with: the store's locks, who is asked for by them, and what is raised. */
import { literal } from "./quote.ts"

/** Errors that the functions raise, by their codes; no code of PostgreSQL's own starts with these letters. */
export const raised = {
  /** The store has another incarnation than the caller means. */
  replaced: "PST01",
  /** The head is below one that the caller was given. */
  wentBack: "PST02",
  /** The transaction's isolation keeps what others committed since it began out of sight. */
  isolation: "PST03"
} as const

// Expressions without a query in them are evaluated at once, where each PERFORM is a statement to the executor: so the
// lock is asked for without waiting first, which queues behind nobody but keeps the turns of those who wait.
/**
 * Takes the lock that every writer of the store holds until its commit is visible to all; what is read after it is
 * what the writers before it left, provided that the transaction looks at each statement's own time.
 */
export const lockSql = (schema: string): string => `
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the transaction has to be READ COMMITTED' USING ERRCODE = '${raised.isolation}';
  END IF;
  IF patience IS NOT NULL THEN patience := set_config('lock_timeout', patience, true); END IF;
  IF NOT pg_try_advisory_xact_lock(${lockClasses.writing}, ${storeOid(schema)}) THEN
    PERFORM pg_advisory_xact_lock(${lockClasses.writing}, ${storeOid(schema)});
  END IF;`

/** The advisory locks of a store, in two numbers: what for, and mostly the oid of its table `store`. */
export const lockClasses = {
  /** Held by whoever writes, until what it wrote is visible to all. */
  writing: 1_885_696_627,
  /** Shared by all who listen for notifications: where nobody does, none need be sent. */
  listening: 1_885_696_628,
  /** Held by whoever makes or migrates a store, whose second number is a hash of the schema's name. */
  making: 1_885_696_629
} as const

/** The oid of a store's table `store`, as SQL. */
export const storeOid = (schema: string): string => `${literal(`${schema}.store`)}::regclass::oid::int`

/**
 * Whether anybody listens, into `listened`. Where nobody does, whoever wants to waits for the end of the transaction,
 * and then sees what it wrote.
 */
export const listenedSql = (schema: string): string =>
  `listened := NOT pg_try_advisory_xact_lock(${lockClasses.listening}, ${storeOid(schema)});`

/**
 * Locks the store's row, which is written to the log: so that an answer which rests on what is already committed waits
 * for the disk and the standbys as a commit would. It may be there without them, after a wait for them was cancelled.
 */
export const awaitSql = (schema: string): string => `PERFORM FROM ${schema}.store FOR UPDATE;`

/** What a server and the store's tables are told by, as long as it runs and they last. */
export const serverSql = (schema: string): string => `pg_postmaster_start_time()::text || ' ' || ${storeOid(schema)}`
