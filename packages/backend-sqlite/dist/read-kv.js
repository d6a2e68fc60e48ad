import { Position } from "@persist/core";
import { attempt } from "./error.js";
import * as queries from "./queries.js";
import { both, plainBytes } from "./read.js";
/** The verbs that read the kv. `changed` takes the head first and looks no further, as `readAll` does. */
export const makeKvReads = ({ db, namespaces }) => {
    const head = db.prepare(queries.head).pluck();
    const one = db.prepare(queries.entry);
    const pages = both((reverse) => db.prepare(queries.entryPage(reverse)));
    const changedPage = db.prepare(queries.changedPage);
    const namespacesPage = db.prepare(queries.namespacesPage);
    const find = (namespace, key) => {
        const id = namespaces.idOf(namespace);
        const row = id === undefined ? undefined : one.get(id, key);
        return row && entry(namespace, row);
    };
    // Each key is its own statement, and a commit between two of them would be seen by halves.
    const findAll = db.transaction((keys) => keys.map(({ key, namespace }) => find(namespace, key)));
    return {
        get: (keys) => attempt(db, "get", () => {
            const [first, second] = keys;
            return first !== undefined && second === undefined ? [find(first.namespace, first.key)] : findAll(keys);
        }),
        scan: ({ gte, limit, lt, namespace, reverse }) => attempt(db, "scan", () => {
            const id = namespaces.idOf(namespace);
            if (id === undefined)
                return [];
            const rows = pages(reverse).all(id, gte ?? "", lt ?? queries.aboveAllText, limit);
            return rows.map((row) => entry(namespace, row));
        }),
        changed: ({ after, limit, namespace }) => attempt(db, "changed", () => {
            const end = Position(head.get() ?? 0);
            const id = namespaces.idOf(namespace);
            const rows = id === undefined ? [] : changedPage.all(id, after, end, limit);
            const items = rows.map((row) => row.value === null ? tombstone(namespace, row) : entry(namespace, row));
            const last = items.length < limit ? undefined : items.at(-1);
            return { items, through: last?.revision ?? end };
        }),
        namespaces: ({ after, limit }) => attempt(db, "namespaces", () => namespacesPage.all(queries.justAbove(after), limit))
    };
};
const entry = (namespace, { at, key, meta, revision, value }) => ({
    _tag: "Entry",
    namespace,
    key,
    value: typeof value === "string" ? value : plainBytes(value, () => `key ${JSON.stringify(key)}`),
    meta: meta ?? undefined,
    revision: Position(revision),
    at
});
const tombstone = (namespace, { at, key, revision }) => ({
    _tag: "Tombstone",
    namespace,
    key,
    revision: Position(revision),
    at
});
//# sourceMappingURL=read-kv.js.map