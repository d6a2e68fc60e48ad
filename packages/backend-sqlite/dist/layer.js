import { Backend, defaultLimits, Denied, isStoreError } from "@persist/core";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Option from "effect/Option";
import { makeChanges } from "./changes.js";
import { Writer } from "./commit.js";
import { settle } from "./config.js";
import { attempt } from "./error.js";
import { watchFile } from "./file.js";
import { Names } from "./names.js";
import { openDatabase } from "./open.js";
import { makeKvReads } from "./read-kv.js";
import { makeLogReads } from "./read.js";
import { makeRecorded } from "./recorded.js";
import { incarnationOf } from "./schema.js";
/**
 * Opens a store, creating it where there is none; it closes with the scope. Several handles and processes may use
 * one file at once. Fails, and changes nothing, with `Invalid` (a configuration, or a file that is no store and can't
 * become one), `Unsupported` (another version's format), `Unavailable` (locked beyond `busyTimeout`) or `Corrupt`.
 */
export const make = (config) => Effect.map(Effect.acquireRelease(open(config), ({ close }) => close), ({ backend }) => backend);
/** A store in a file as the `Backend`; fails to build as {@link make} says. */
export const layer = (config) => Layer.effect(Backend, make(config));
const open = Effect.fnUntraced(function* (config) {
    const settings = yield* Effect.try({
        try: () => settle(config),
        catch: (cause) => {
            if (isStoreError(cause))
                return cause;
            throw cause;
        }
    });
    const db = yield* openDatabase(settings);
    return yield* Effect.onError(attempt(db, "open", () => assemble(db, settings)), () => Effect.sync(() => db.close()));
});
const assemble = (db, settings) => {
    const streams = new Names(db, "stream");
    const types = new Names(db, "type");
    const namespaces = new Names(db, "namespace");
    const recorded = makeRecorded(db);
    const changes = makeChanges(db, settings.pollInterval);
    const moved = settings.memory ? () => false : watchFile(settings.path);
    const writer = settings.readonly
        ? undefined
        : new Writer({ db, types, namespaces, recorded, moved, notify: changes.notify });
    return {
        backend: {
            about: describe(settings, incarnationOf(db)),
            commit: writer?.commit ?? (() => Effect.fail(refuseWrite())),
            resolve: (id) => Effect.andThen(writer?.settle ?? Effect.void, attempt(db, "resolve", () => Option.fromUndefinedOr(recorded(id)?.committed))),
            ...makeLogReads({ db, streams, types }),
            ...makeKvReads({ db, namespaces }),
            changes: changes.changes
        },
        close: Effect.sync(() => {
            db.close();
            changes.close();
        })
    };
};
const refuseWrite = () => new Denied({
    operation: "commit",
    reason: "the store was opened with readonly",
    remedy: "open it without readonly to write"
});
const describe = ({ memory, synchronous }, incarnation) => ({
    name: "sqlite",
    durability: memory ? "memory" : synchronous === "FULL" ? "disk" : "process",
    shared: !memory,
    ambiguous: false,
    lacks: new Set(),
    limits: defaultLimits,
    incarnation
});
//# sourceMappingURL=layer.js.map