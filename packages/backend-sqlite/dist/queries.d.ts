/** Sorts above every text in SQLite's order, as every blob does: the end of a range without one. */
export declare const aboveAllText: Uint8Array<ArrayBuffer>;
/** The bounds `name >= first AND name < second` of all names with this prefix. */
export declare const prefixBounds: (prefix: string) => readonly [string, string | Uint8Array];
/** The smallest name above another by UTF-8 bytes; for `undefined` the smallest of all. */
export declare const justAbove: (name: string | undefined) => string;
/** The last position given out: see the schema for why it is the larger of two. */
export declare const head = "SELECT max(head, (SELECT coalesce(max(position), 0) FROM event)) FROM store";
/** A stream's id, first readable seq and last event's seq, by name. */
export declare const standing = "SELECT id, first, (SELECT max(seq) FROM event WHERE stream = s.id) AS last FROM stream AS s WHERE name = ?";
/** Parameters: stream id, from, to, limit. */
export declare const streamPage: (reverse: boolean) => string;
/**
 * How a read of all streams finds its events: by passing every one of the range, of those that it checks the stream's
 * name, or through the index of a few streams.
 */
export interface AllShape {
    readonly by: "range" | "prefix" | "streams";
    readonly types: boolean;
    readonly reverse: boolean;
}
/**
 * Parameters: by `prefix` its two bounds, by `streams` their ids as a JSON array; after, to; with `types` their ids as
 * a JSON array; limit. Plus signs and the like keep SQLite to the way that is asked for, whatever its statistics say.
 */
export declare const allPage: ({ by, reverse, types }: AllShape) => string;
/** Parameters: first name, end of names, limit. Ids of streams and how many events each can have. */
export declare const streamSizes = "\n  SELECT id, max(0, (SELECT coalesce(max(seq), 0) FROM event WHERE stream = s.id) - first + 1) AS events\n  FROM stream AS s\n  WHERE name >= ? AND name < ? LIMIT ?";
/** Parameters: first name, end of names, limit. */
export declare const streamsPage = "\n  SELECT name AS stream, first, (SELECT max(seq) FROM event WHERE stream = s.id) AS last FROM stream AS s\n  WHERE name >= ? AND name < ? ORDER BY name LIMIT ?";
/** Parameters: namespace id, key. Finds living keys only. */
export declare const entry = "SELECT key, revision, at, value, meta FROM entry WHERE namespace = ? AND key = ? AND value IS NOT NULL";
/** Parameters: namespace id, first key, end of keys, limit. */
export declare const entryPage: (reverse: boolean) => string;
/** Parameters: namespace id, after, to, limit. Finds deleted keys too: those without a value. */
export declare const changedPage = "\n  SELECT key, revision, at, value, meta FROM entry\n  WHERE namespace = ? AND revision > ? AND revision <= ?\n  ORDER BY revision LIMIT ?";
/** Parameters: namespace id, key. */
export declare const revision = "SELECT revision FROM entry WHERE namespace = ? AND key = ? AND value IS NOT NULL";
/** Parameters: namespace id. */
export declare const livingKeys = "SELECT key FROM entry WHERE namespace = ? AND value IS NOT NULL ORDER BY key";
/** Parameters: namespace id. Written as the index has it, so that the index alone answers. */
export declare const countKeys = "SELECT count(*) FROM entry WHERE namespace = ? AND (value IS NOT NULL) = 1";
/** Parameters: first name, limit. */
export declare const namespacesPage = "\n  SELECT n.name AS namespace, count(*) AS keys\n  FROM namespace AS n CROSS JOIN entry AS e ON e.namespace = n.id AND (e.value IS NOT NULL) = 1\n  WHERE n.name >= ? GROUP BY n.name ORDER BY n.name LIMIT ?";
/** Parameters: commit id. */
export declare const recorded = "SELECT digest, result FROM recorded WHERE id = ?";
//# sourceMappingURL=queries.d.ts.map