/** Commits remembered by id: what a repeated commit and `resolve` are answered from. */
import type { Committed, Recorded } from "@persist/core";
import type Database from "better-sqlite3";
/** The text a result is stored as. */
export declare const encodeResult: ({ appended, position, revisions }: Committed) => string;
/** Looks commits up by id: `undefined` where none happened under it. Throws `Corrupt` for an unreadable result. */
export declare const makeRecorded: (db: Database.Database) => (id: string) => Recorded | undefined;
//# sourceMappingURL=recorded.d.ts.map