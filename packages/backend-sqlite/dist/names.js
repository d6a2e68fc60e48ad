/** Names and the ids that stand for them in rows: looked up once, then remembered. */
import { Corrupt } from "@persist/core";
// Enough for every hot name of a large store, little enough not to be noticed: some 20 MB of short names.
const remembered = 100_000;
/** The names of one table. A pair never changes once it is committed, so both directions are cached. */
export class Names {
    table;
    ids = new Map();
    names = new Map();
    selectId;
    selectName;
    constructor(db, table) {
        this.table = table;
        this.selectId = db.prepare(`SELECT id FROM ${table} WHERE name = ?`).pluck();
        this.selectName = db.prepare(`SELECT name FROM ${table} WHERE id = ?`).pluck();
    }
    /** The name's id, or `undefined` where it was never used. */
    idOf(name) {
        const known = this.ids.get(name);
        if (known !== undefined)
            return known;
        const id = this.selectId.get(name);
        if (id !== undefined)
            this.remember(id, name);
        return id;
    }
    /** The name behind an id; throws `Corrupt` where there is none. */
    nameOf(id) {
        const known = this.names.get(id);
        if (known !== undefined)
            return known;
        const name = this.selectName.get(id);
        if (name === undefined) {
            throw new Corrupt({
                where: `table ${this.table}`,
                reason: `a row names the id ${id}, which isn't there`,
                remedy: "restore the file from a backup"
            });
        }
        this.remember(id, name);
        return name;
    }
    /** Keeps a pair. Only a committed one may stay: {@link forget} after a rollback. */
    remember(id, name) {
        if (this.ids.size >= remembered)
            this.forget();
        this.ids.set(name, id);
        this.names.set(id, name);
    }
    /** Drops what is remembered. */
    forget() {
        this.ids.clear();
        this.names.clear();
    }
}
//# sourceMappingURL=names.js.map