import { Corrupt, Denied, isStoreError, Unavailable } from "@persist/core";
import Database from "better-sqlite3";
import * as Effect from "effect/Effect";
/** The SQLite result code of something thrown, or `undefined` where it didn't come from SQLite. */
export const codeOf = (cause) => cause instanceof Database.SqliteError ? cause.code : undefined;
/** Whether another connection held the lock for longer than the busy timeout. */
export const isBusy = (code) => code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
/** The answer of a handle whose scope has ended. */
export const closed = (operation) => new Unavailable({ operation, reason: "the store is closed", remedy: "open it again" });
/**
 * Classifies a failed call of the driver on the file at `path`. `Unavailable`: locks, space, memory, input and output.
 * `Denied`: the file may not be written. `Corrupt`: the file contradicts itself. Anything that isn't SQLite's, or is a
 * wrong use of it, is a bug and is thrown on.
 */
export const classify = (operation, path, cause) => {
    const code = codeOf(cause);
    if (code === undefined || bugs.has(code))
        throw cause;
    if (isBusy(code) || code === "SQLITE_PROTOCOL") {
        return unavailable("another connection holds the lock", "try again, or raise busyTimeout");
    }
    if (code === "SQLITE_FULL")
        return unavailable("the disk is full", "free some space, then try again");
    if (code === "SQLITE_NOMEM" || code === "SQLITE_IOERR_NOMEM")
        return unavailable("out of memory", "try again");
    if (code === "SQLITE_READONLY_DBMOVED") {
        return unavailable("the file was moved or deleted while it was open", "put it back and open the store again");
    }
    if (code.startsWith("SQLITE_CANTOPEN")) {
        return unavailable("the file or its -wal can't be opened", "check that both exist and may be written, then try again");
    }
    if (code === "SQLITE_READONLY_DIRECTORY") {
        return new Denied({
            operation,
            reason: "the directory may not be written, and those who use a store share memory in a file beside it",
            remedy: "grant the process permission to write the directory, or use a copy elsewhere"
        });
    }
    if (code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM" || code === "SQLITE_AUTH") {
        return new Denied({
            operation,
            reason: `the file may not be written (${code})`,
            remedy: "grant the process permission to write the file and its directory"
        });
    }
    if (code.startsWith("SQLITE_IOERR") && !damaged.has(code)) {
        return unavailable(`reading or writing failed (${code})`, "check the disk, then try again");
    }
    return new Corrupt({
        where: `${path}, in ${operation}`,
        reason: `the file contradicts itself (${code})`,
        remedy: "run PRAGMA integrity_check on a copy and restore from a backup",
        cause
    });
    function unavailable(reason, remedy) {
        return new Unavailable({ operation, reason, remedy, cause });
    }
};
// Calls of the driver that could never have worked.
const bugs = new Set(["SQLITE_MISUSE", "SQLITE_RANGE", "SQLITE_TOOBIG", "SQLITE_MISMATCH"]);
// Input and output that worked, yet brought back something else than was written.
const damaged = new Set(["SQLITE_IOERR_DATA", "SQLITE_IOERR_CORRUPTFS"]);
/** What a failed call means on this handle: closed, an error that was already told apart, or one of the driver's. */
export const explain = (db, operation, cause) => {
    if (isStoreError(cause) && cause._tag !== "Invalid")
        return cause;
    return db.open ? classify(operation, db.name, cause) : closed(operation);
};
/** Runs a synchronous use of the driver as one effect; fails as {@link explain} says. */
export const attempt = (db, operation, use) => Effect.try({ try: use, catch: (cause) => explain(db, operation, cause) });
//# sourceMappingURL=error.js.map