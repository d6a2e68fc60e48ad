/** Turns what the driver and the file system throw into the store's errors: by code, never by message. */
import type { BackendError } from "@persist/core"
import { Corrupt, Denied, isStoreError, Unavailable } from "@persist/core"
import { atOnce } from "@persist/core/posted"
import type Database from "better-sqlite3"
import type * as Effect from "effect/Effect"

/**
 * The SQLite result code of something thrown, or `undefined` where it didn't come from SQLite. An application may bring
 * a driver of its own, whose errors are of another class.
 */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && cause.name === "SqliteError" && "code" in cause ? String(cause.code) : undefined

/** Whether another connection held the lock for longer than the busy timeout. */
export const isBusy = (code: string): boolean => code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")

/** The answer of a handle whose scope has ended. */
export const closed = (operation: string): Unavailable =>
  new Unavailable({ operation, reason: "the store is closed", remedy: "open it again", reopen: true })

/**
 * Classifies a failed call of the driver on the file at `path`. `Unavailable`: locks, space, memory, input and output.
 * `Denied`: the file may not be written. `Corrupt`: the file contradicts itself. Anything that isn't SQLite's, or is a
 * wrong use of it, is a bug and is thrown on.
 */
export const classify = (operation: string, path: string, cause: unknown): BackendError => {
  const code = codeOf(cause)
  if (code === undefined || bugs.has(code)) throw cause
  if (isBusy(code) || code === "SQLITE_PROTOCOL") {
    return unavailable("another connection holds the lock", "try again, or raise busyTimeout")
  }
  if (code === "SQLITE_FULL") return unavailable("the disk is full", "free some space, then try again")
  if (code === "SQLITE_NOMEM" || code === "SQLITE_IOERR_NOMEM") return unavailable("out of memory", "try again")
  if (code === "SQLITE_READONLY_DBMOVED") return movedFile(operation, cause)
  if (code.startsWith("SQLITE_CANTOPEN")) {
    return unavailable(
      "the file or its -wal can't be opened",
      "check that both exist and may be written, then try again"
    )
  }
  if (code === "SQLITE_READONLY_DIRECTORY") {
    return new Denied({
      operation,
      reason: "the directory may not be written, and those who use a store share memory in a file beside it",
      remedy: "grant the process permission to write the directory, or use a copy elsewhere"
    })
  }
  if (code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM" || code === "SQLITE_AUTH") {
    return new Denied({
      operation,
      reason: `the file may not be written (${code})`,
      remedy: "grant the process permission to write the file and its directory"
    })
  }
  if (code.startsWith("SQLITE_IOERR") && !damaged.has(code)) {
    return unavailable(`reading or writing failed (${code})`, "check the disk, then try again")
  }
  return new Corrupt({
    where: `${path}, in ${operation}`,
    reason: `the file contradicts itself (${code})`,
    remedy: "run PRAGMA integrity_check on a copy and restore from a backup",
    cause
  })

  function unavailable(reason: string, remedy: string): Unavailable {
    return new Unavailable({ operation, reason, remedy, cause })
  }
}

// Calls of the driver that could never have worked.
const bugs = new Set(["SQLITE_MISUSE", "SQLITE_RANGE", "SQLITE_TOOBIG", "SQLITE_MISMATCH"])

// Input and output that worked, yet brought back something else than was written.
const damaged = new Set(["SQLITE_IOERR_DATA", "SQLITE_IOERR_CORRUPTFS"])

/** The error code of the system's in something thrown. */
export const systemCodeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"

/**
 * What it means that an open store's path can't be looked up, by the system's error code. `Denied`: a directory on the
 * way may not be searched. `Unavailable`: anything else, such as a loop of links, or a disk or a server that fails.
 */
export const unreachable = (operation: string, path: string, cause: unknown): BackendError => {
  const code = systemCodeOf(cause)
  const reason = `${path} can't be reached (${code})`
  return isForbidden(code)
    ? new Denied({ operation, reason, remedy: "grant the process permission to search the directories on the way" })
    : new Unavailable({ operation, reason, remedy: "check the directories on the way, then try again", cause })
}

/** The same of a file that is there and can't be read: `Denied` where it may not be, otherwise `Unavailable`. */
export const unreadable = (operation: string, path: string, cause: unknown): BackendError => {
  const code = systemCodeOf(cause)
  const reason = `${path} can't be read (${code})`
  return isForbidden(code)
    ? new Denied({ operation, reason, remedy: "grant the process permission to read the file" })
    : new Unavailable({ operation, reason, remedy: "check the disk, then try again", cause })
}

const isForbidden = (code: string): boolean => code === "EACCES" || code === "EPERM"

/** The refusal to go on with a file that its path no longer names: what is written to it would be lost. */
export const movedFile = (operation: string, cause?: unknown): Unavailable =>
  new Unavailable({
    operation,
    reason: "the file was moved, deleted or replaced while it was open",
    remedy: "open the store again",
    reopen: true,
    ...(cause === undefined ? {} : { cause })
  })

/** What a failed call means on this handle: closed, an error that was already told apart, or one of the driver's. */
export const explain = (db: Database.Database, operation: string, cause: unknown): BackendError => {
  if (isStoreError(cause) && cause._tag !== "Invalid") return cause
  return db.open ? classify(operation, db.name, cause) : closed(operation)
}

/** Runs a synchronous use of the driver as one effect; fails as {@link explain} says. */
export const attempt = <A>(
  db: Database.Database,
  operation: string,
  use: () => A
): Effect.Effect<A, BackendError> => atOnce(use, (cause) => explain(db, operation, cause))
