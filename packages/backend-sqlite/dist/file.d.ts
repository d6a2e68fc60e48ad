/** What lies at a path, found out by looking at it and never by opening it as a database. */
import { Invalid } from "@persist/core";
/** How a file is to be used. */
export interface FileUse {
    /** Absolute. */
    readonly path: string;
    readonly readonly: boolean;
}
/**
 * Makes sure that there is a store at the path, or that one may be made there; changes nothing.
 * Throws `Invalid` for whatever is no store, can't become one or may not be used so, and `Unsupported` for a store of
 * a newer format.
 */
export declare const inspectFile: ({ path, readonly }: FileUse) => void;
/** Watches that the path keeps naming the file it names now: answers true once it was moved, deleted or replaced. */
export declare const watchFile: (path: string) => () => boolean;
/** An `Invalid` about the path. */
export declare const invalidPath: (reason: string, remedy: string, cause?: unknown) => Invalid;
//# sourceMappingURL=file.d.ts.map