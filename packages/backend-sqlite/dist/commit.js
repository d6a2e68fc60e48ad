import { judge, noSeq, origin, OutcomeUnknown, place, Position, Seq, Unavailable } from "@persist/core";
import * as NonEmpty from "effect/Array";
import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { codeOf, explain, isBusy } from "./error.js";
import * as queries from "./queries.js";
import { encodeResult } from "./recorded.js";
import { currentFormat, formatOf, unsupportedFormat } from "./schema.js";
import { KeyWriter } from "./write-kv.js";
// Tails remembered between batches: one for each stream written to lately.
const remembered = 100_000;
/** The writing side of a handle: the statements, and what it remembers of the file between batches. */
export class Writer {
    shared;
    sql;
    keys;
    standing;
    tails = new Map();
    /** What `PRAGMA data_version` said when the memory below was filled. */
    version = -1;
    head;
    /** Whether the last position given out is an event's, and so can be read from it. */
    headIsEvent = true;
    stage = "idle";
    /** Whether a COMMIT failed whose frames may still lie in the log, to be found after a crash, until the next write. */
    unsettled = false;
    constructor(shared) {
        this.shared = shared;
        this.sql = prepare(shared.db);
        this.keys = new KeyWriter(shared.db, shared.namespaces);
        this.standing = {
            lastSeq: (stream) => this.tail(stream).last,
            revision: this.keys.revision,
            recorded: shared.recorded
        };
    }
    /** See `BackendShape.commit`. Fails with `OutcomeUnknown` only where COMMIT itself failed in reading or writing. */
    commit = (batch) => Effect.try({ try: () => this.run(batch), catch: (cause) => this.abandon(cause, batch) });
    /**
     * Makes sure that a COMMIT of unknown outcome didn't happen, by writing over what it may have left in the log.
     * Fails with what the driver's failure means, `Unavailable` above all; does nothing where every outcome is known.
     */
    settle = Effect.suspend(() => this.unsettled
        ? Effect.try({ try: () => this.skipPosition(), catch: (cause) => this.stillUnsettled(cause) })
        : Effect.void);
    run(batch) {
        const before = this.begin();
        const outcomes = NonEmpty.map(batch, (commit) => this.decide(commit));
        this.end(before);
        return outcomes;
    }
    skipPosition() {
        const before = this.begin();
        this.head = Position(before + 1);
        this.headIsEvent = false;
        this.end(before);
    }
    begin() {
        // SQLite would go on writing to a file without a name.
        if (this.shared.db.open && this.shared.moved())
            throw movedFile();
        this.sql.begin.run();
        this.stage = "begun";
        const version = this.sql.dataVersion.get() ?? 0;
        if (version !== this.version || this.head === undefined || this.tails.size >= remembered) {
            this.forget();
            const format = formatOf(this.shared.db);
            if (format !== currentFormat)
                throw unsupportedFormat(format, "open it again to migrate it");
            this.version = version;
            this.head = Position(this.sql.head.get() ?? 0);
        }
        return this.head;
    }
    end(before) {
        const head = this.head ?? before;
        if (head !== before && !this.headIsEvent)
            this.sql.keepHead.run(head);
        this.stage = "committing";
        this.sql.commit.run();
        this.stage = "idle";
        if (head === before)
            return;
        this.unsettled = false;
        this.shared.notify();
    }
    decide(commit) {
        const verdict = judge(commit, this.standing);
        if (verdict !== undefined)
            return verdict;
        const placed = place(commit, this.head ?? origin, this.standing.lastSeq, this.keys.count);
        this.append(commit, placed);
        this.keys.write(commit, placed);
        for (const { before, stream } of commit.truncate)
            this.truncate(stream, before);
        if (commit.identity !== undefined) {
            this.sql.record.run(commit.identity.id, commit.identity.digest, encodeResult(placed));
        }
        if (placed.position !== this.head) {
            this.head = placed.position;
            this.headIsEvent = commit.write.length === 0 && commit.truncate.length === 0;
        }
        return placed;
    }
    append({ append }, { appended }) {
        const insert = this.sql.insertEvent;
        for (let i = 0; i < append.length; i++) {
            const placed = appended[i];
            const asked = append[i];
            if (placed === undefined || asked === undefined)
                continue;
            const tail = this.tail(asked.stream);
            if (tail.id === 0)
                tail.id = this.add(this.sql.insertStream, asked.stream);
            let position = placed.firstPosition;
            let seq = placed.first;
            for (const { at, data, id, meta, type } of asked.events) {
                insert.run(position++, tail.id, seq++, this.typeId(type), at, data, meta, id);
            }
            tail.last = placed.last;
        }
    }
    truncate(stream, before) {
        const { id, last } = this.tail(stream);
        if (id === 0)
            return;
        const first = Math.min(before, last + 1);
        this.sql.deleteEvents.run(id, first);
        this.sql.keepFirst.run(first, id, first);
    }
    tail(stream) {
        const known = this.tails.get(stream);
        if (known !== undefined)
            return known;
        const row = this.sql.standing.get(stream);
        const tail = row ? { id: row.id, last: Seq(Math.max(row.first - 1, row.last ?? 0)) } : { id: 0, last: noSeq };
        this.tails.set(stream, tail);
        return tail;
    }
    typeId(type) {
        const { types } = this.shared;
        const known = types.idOf(type);
        if (known !== undefined)
            return known;
        const id = this.add(this.sql.insertType, type);
        types.remember(id, type);
        return id;
    }
    add(insert, name) {
        return Number(insert.run(name).lastInsertRowid);
    }
    forget() {
        this.tails.clear();
        this.head = undefined;
    }
    stillUnsettled(cause) {
        const error = this.abandon(cause, []);
        if (error._tag !== "OutcomeUnknown")
            return error;
        return new Unavailable({
            operation: "resolve",
            reason: "the disk still fails, so that an earlier outcome stays unknown",
            remedy: "check the disk, then try again",
            cause
        });
    }
    abandon(cause, batch) {
        const { db, namespaces, types } = this.shared;
        const stage = this.stage;
        this.stage = "idle";
        this.forget();
        types.forget();
        namespaces.forget();
        // Where SQLite has rolled back by itself there is nothing left to do.
        if (db.open && db.inTransaction)
            Result.try(() => this.sql.rollback.run());
        const code = codeOf(cause);
        if (stage !== "committing" || code === undefined || isBusy(code) || code === "SQLITE_FULL") {
            return explain(db, "commit", cause);
        }
        this.unsettled = true;
        return new OutcomeUnknown({
            id: batch.length === 1 ? batch[0]?.identity?.id : undefined,
            reason: `the final write failed (${code})`,
            cause
        });
    }
}
const movedFile = () => new Unavailable({
    operation: "commit",
    reason: "the file was moved, deleted or replaced while it was open",
    remedy: "open the store again"
});
const prepare = (db) => ({
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
    rollback: db.prepare("ROLLBACK"),
    dataVersion: db.prepare("PRAGMA data_version").pluck(),
    head: db.prepare(queries.head).pluck(),
    keepHead: db.prepare("UPDATE store SET head = ?"),
    standing: db.prepare(queries.standing),
    insertStream: db.prepare("INSERT INTO stream (name) VALUES (?)"),
    insertType: db.prepare("INSERT INTO type (name) VALUES (?)"),
    insertEvent: db.prepare("INSERT INTO event (position, stream, seq, type, at, data, meta, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
    deleteEvents: db.prepare("DELETE FROM event WHERE stream = ? AND seq < ?"),
    keepFirst: db.prepare("UPDATE stream SET first = ? WHERE id = ? AND first < ?"),
    record: db.prepare("INSERT INTO recorded (id, digest, result) VALUES (?, ?, ?)")
});
//# sourceMappingURL=commit.js.map