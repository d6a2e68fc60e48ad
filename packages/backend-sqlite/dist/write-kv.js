import { Position } from "@persist/core";
import * as queries from "./queries.js";
/** The kv as a commit meets and changes it. */
export class KeyWriter {
    namespaces;
    sql;
    constructor(db, namespaces) {
        this.namespaces = namespaces;
        this.sql = prepare(db);
    }
    /** The key's revision; 0 where it is absent. */
    revision = (namespace, key) => {
        const id = this.namespaces.idOf(namespace);
        return Position((id === undefined ? undefined : this.sql.revision.get(id, key)) ?? 0);
    };
    /** How many keys a namespace holds. */
    count = (namespace) => {
        const id = this.namespaces.idOf(namespace);
        return (id === undefined ? undefined : this.sql.count.get(id)) ?? 0;
    };
    /** Does a commit's writes, at the revisions it was given. */
    write({ at, write }, { revisions }) {
        for (let i = 0; i < write.length; i++) {
            const op = write[i];
            const revision = revisions[i];
            if (op === undefined || revision === undefined)
                continue;
            if (op._tag === "Put") {
                this.sql.put.run(this.idOf(op.namespace), op.key, revision, at, op.value, op.meta);
                continue;
            }
            const namespace = this.namespaces.idOf(op.namespace);
            if (namespace === undefined)
                continue;
            if (op._tag === "Delete")
                this.sql.bury.run(revision, at, namespace, op.key);
            else
                this.clear(namespace, revision, at);
        }
    }
    // The keys' positions run up to the clear's own, in the order of the keys.
    clear(namespace, last, at) {
        const keys = this.sql.livingKeys.all(namespace);
        let revision = last - keys.length;
        for (const key of keys)
            this.sql.bury.run(++revision, at, namespace, key);
    }
    idOf(namespace) {
        const known = this.namespaces.idOf(namespace);
        if (known !== undefined)
            return known;
        const id = Number(this.sql.insertNamespace.run(namespace).lastInsertRowid);
        this.namespaces.remember(id, namespace);
        return id;
    }
}
const prepare = (db) => ({
    insertNamespace: db.prepare("INSERT INTO namespace (name) VALUES (?)"),
    revision: db.prepare(queries.revision).pluck(),
    count: db.prepare(queries.countKeys).pluck(),
    livingKeys: db.prepare(queries.livingKeys).pluck(),
    put: db.prepare(`
    INSERT INTO entry (namespace, key, revision, at, value, meta) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE
    SET revision = excluded.revision, at = excluded.at, value = excluded.value, meta = excluded.meta`),
    // What is deleted already keeps its first tombstone.
    bury: db.prepare(`
    UPDATE entry SET revision = ?, at = ?, value = NULL, meta = NULL
    WHERE namespace = ? AND key = ? AND value IS NOT NULL`)
});
//# sourceMappingURL=write-kv.js.map