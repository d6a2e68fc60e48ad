/** Writing: one transaction for a whole batch, each commit judged against the ones before it. */
import type { BackendError, BackendShape, Recorded } from "@persist/core";
import type Database from "better-sqlite3";
import * as Effect from "effect/Effect";
import type { Names } from "./names.ts";
/** What writing shares with reading on one handle. */
export interface Shared {
    readonly db: Database.Database;
    readonly types: Names;
    readonly namespaces: Names;
    readonly recorded: (id: string) => Recorded | undefined;
    /** Whether the path has come to name another file, where commits would be lost. */
    readonly moved: () => boolean;
    /** Called after a batch that changed something. */
    readonly notify: () => void;
}
/** The writing side of a handle: the statements, and what it remembers of the file between batches. */
export declare class Writer {
    private readonly shared;
    private readonly sql;
    private readonly keys;
    private readonly standing;
    private readonly tails;
    /** What `PRAGMA data_version` said when the memory below was filled. */
    private version;
    private head;
    /** Whether the last position given out is an event's, and so can be read from it. */
    private headIsEvent;
    private stage;
    /** Whether a COMMIT failed whose frames may still lie in the log, to be found after a crash, until the next write. */
    private unsettled;
    constructor(shared: Shared);
    /** See `BackendShape.commit`. Fails with `OutcomeUnknown` only where COMMIT itself failed in reading or writing. */
    readonly commit: BackendShape["commit"];
    /**
     * Makes sure that a COMMIT of unknown outcome didn't happen, by writing over what it may have left in the log.
     * Fails with what the driver's failure means, `Unavailable` above all; does nothing where every outcome is known.
     */
    readonly settle: Effect.Effect<void, BackendError>;
    private run;
    private skipPosition;
    private begin;
    private end;
    private decide;
    private append;
    private truncate;
    private tail;
    private typeId;
    private add;
    private forget;
    private stillUnsettled;
    private abandon;
}
//# sourceMappingURL=commit.d.ts.map