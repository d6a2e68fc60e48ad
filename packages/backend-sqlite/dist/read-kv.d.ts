/** Reading keys: each page is one statement; several keys at once share one snapshot. */
import type { BackendShape } from "@persist/core";
import type Database from "better-sqlite3";
import type { Names } from "./names.ts";
/** What reading keys needs of a handle. */
export interface KvTables {
    readonly db: Database.Database;
    readonly namespaces: Names;
}
/** The verbs that read the kv. */
export type KvReads = Pick<BackendShape, "get" | "scan" | "changed" | "namespaces">;
/** The verbs that read the kv. `changed` takes the head first and looks no further, as `readAll` does. */
export declare const makeKvReads: ({ db, namespaces }: KvTables) => KvReads;
//# sourceMappingURL=read-kv.d.ts.map