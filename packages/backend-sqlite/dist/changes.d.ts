/** Wake-ups: commits of this handle at once, those of other connections by looking for them while somebody listens. */
import { type Signal } from "@persist/core";
import type Database from "better-sqlite3";
/** A signal that ends with the handle. */
export interface Changes extends Signal {
    /** Stops looking and wakes all who listen, so that they meet the closed handle. */
    readonly close: () => void;
}
/** Makes the `changes` of a handle, which looks every `interval` milliseconds at a file; a look costs some 2 µs. */
export declare const makeChanges: (db: Database.Database, interval: number) => Changes;
//# sourceMappingURL=changes.d.ts.map