/** Turns what the driver throws into the store's errors: by result code, never by message. */
import type { BackendError } from "@persist/core";
import { Unavailable } from "@persist/core";
import Database from "better-sqlite3";
import * as Effect from "effect/Effect";
/** The SQLite result code of something thrown, or `undefined` where it didn't come from SQLite. */
export declare const codeOf: (cause: unknown) => string | undefined;
/** Whether another connection held the lock for longer than the busy timeout. */
export declare const isBusy: (code: string) => boolean;
/** The answer of a handle whose scope has ended. */
export declare const closed: (operation: string) => Unavailable;
/**
 * Classifies a failed call of the driver on the file at `path`. `Unavailable`: locks, space, memory, input and output.
 * `Denied`: the file may not be written. `Corrupt`: the file contradicts itself. Anything that isn't SQLite's, or is a
 * wrong use of it, is a bug and is thrown on.
 */
export declare const classify: (operation: string, path: string, cause: unknown) => BackendError;
/** What a failed call means on this handle: closed, an error that was already told apart, or one of the driver's. */
export declare const explain: (db: Database.Database, operation: string, cause: unknown) => BackendError;
/** Runs a synchronous use of the driver as one effect; fails as {@link explain} says. */
export declare const attempt: <A>(db: Database.Database, operation: string, use: () => A) => Effect.Effect<A, BackendError>;
//# sourceMappingURL=error.d.ts.map