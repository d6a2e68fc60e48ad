/** Opens the database itself: inspected, brought to the current format, and set up as the configuration says. */
import type { StoreError } from "@persist/core";
import Database from "better-sqlite3";
import * as Effect from "effect/Effect";
import type { Settings } from "./config.ts";
/**
 * Opens the file and leaves nothing behind where that fails.
 * `Invalid`: no store at the path and none can be made there. `Unsupported`: another format, or a file system without
 * shared memory. `Unavailable`: locked for longer than the busy timeout. `Corrupt`: damaged.
 */
export declare const openDatabase: (settings: Settings) => Effect.Effect<Database.Database, StoreError>;
//# sourceMappingURL=open.d.ts.map