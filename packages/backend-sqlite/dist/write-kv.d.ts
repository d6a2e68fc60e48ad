/** Writing keys, inside the transaction of a batch: each by its own statement, so that the next commit sees it. */
import type { Commit, Committed } from "@persist/core";
import { Position } from "@persist/core";
import type Database from "better-sqlite3";
import type { Names } from "./names.ts";
/** The kv as a commit meets and changes it. */
export declare class KeyWriter {
    private readonly namespaces;
    private readonly sql;
    constructor(db: Database.Database, namespaces: Names);
    /** The key's revision; 0 where it is absent. */
    readonly revision: (namespace: string, key: string) => Position;
    /** How many keys a namespace holds. */
    readonly count: (namespace: string) => number;
    /** Does a commit's writes, at the revisions it was given. */
    write({ at, write }: Commit, { revisions }: Committed): void;
    private clear;
    private idOf;
}
//# sourceMappingURL=write-kv.d.ts.map