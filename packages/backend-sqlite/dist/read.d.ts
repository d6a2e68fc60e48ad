/** Reading events: each page is one statement, and the rows it gives become the events themselves. */
import type { BackendShape, Payload } from "@persist/core";
import type Database from "better-sqlite3";
import type { Names } from "./names.ts";
/** What reading events needs of a handle. */
export interface Tables {
    readonly db: Database.Database;
    readonly streams: Names;
    readonly types: Names;
}
/** The verbs that read the log. */
export type LogReads = Pick<BackendShape, "readStream" | "readAll" | "streams" | "head">;
/**
 * The verbs that read the log. A page of `readAll` takes the head first and looks no further, so that what other
 * processes commit meanwhile lies above `through`. In reverse, `through` of a full page is its last item's position:
 * continue with `to` below it.
 */
export declare const makeLogReads: (tables: Tables) => LogReads;
/** The bytes of a blob as a plain array of their own; throws `Corrupt` where a payload is neither text nor blob. */
export declare const plainBytes: (value: unknown, where: () => string) => Payload;
/** Makes a thing for both directions at once. */
export declare const both: <A>(make: (reverse: boolean) => A) => (reverse: boolean) => A;
//# sourceMappingURL=read.d.ts.map