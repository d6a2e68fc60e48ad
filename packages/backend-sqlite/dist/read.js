import { compareUtf8, Corrupt, Position, Seq } from "@persist/core";
import { attempt } from "./error.js";
import * as queries from "./queries.js";
/**
 * The verbs that read the log. A page of `readAll` takes the head first and looks no further, so that what other
 * processes commit meanwhile lies above `through`. In reverse, `through` of a full page is its last item's position:
 * continue with `to` below it.
 */
export const makeLogReads = (tables) => {
    const { db, streams } = tables;
    const head = db.prepare(queries.head).pluck();
    const streamPages = both((reverse) => db.prepare(queries.streamPage(reverse)));
    const streamsPage = db.prepare(queries.streamsPage);
    const readAllPage = makeAllPage(tables);
    const readHead = () => Position(head.get() ?? 0);
    return {
        head: attempt(db, "head", readHead),
        readStream: ({ from, limit, reverse, stream, to }) => attempt(db, "readStream", () => {
            const id = streams.idOf(stream);
            if (id === undefined)
                return [];
            return events(tables, streamPages(reverse).all(id, from, to, limit), stream);
        }),
        readAll: (range) => attempt(db, "readAll", () => {
            const end = Position(Math.min(range.to, readHead()));
            const items = events(tables, readAllPage({ ...range, to: end }));
            const last = items.length < range.limit ? undefined : items.at(-1);
            return { items, through: last?.position ?? end };
        }),
        streams: ({ after, limit, prefix }) => attempt(db, "streams", () => {
            const [start, end] = queries.prefixBounds(prefix);
            const first = after !== undefined && compareUtf8(after, start) >= 0 ? queries.justAbove(after) : start;
            return streamsPage.all(first, end, limit).map(streamInfo);
        })
    };
};
const streamInfo = ({ first, last, stream }) => ({
    stream,
    first: Seq(first),
    last: Seq(Math.max(first - 1, last ?? 0))
});
// More matching streams than this are not looked at one by one.
const fewStreams = 16;
const makeAllPage = ({ db, types }) => {
    const streamSizes = db.prepare(queries.streamSizes);
    const pages = new Map();
    const page = (shape) => {
        const key = `${shape.by} ${shape.types} ${shape.reverse}`;
        const known = pages.get(key);
        if (known !== undefined)
            return known;
        const made = db.prepare(queries.allPage(shape));
        pages.set(key, made);
        return made;
    };
    // The ids of the streams to go through one by one: where they are few and hold far less than the range. Their events
    // must be sorted, so they may hold no more than a few pages; passing the range instead needs no sorting.
    const oneByOne = (bounds, { after, limit, to }) => {
        const found = streamSizes.all(...bounds, fewStreams + 1);
        if (found.length > fewStreams)
            return undefined;
        const size = found.reduce((sum, { events }) => sum + events, 0);
        return size <= 4 * limit && size * 4 <= to - after ? found.map(({ id }) => id) : undefined;
    };
    return (range) => {
        const { after, limit, prefix, reverse, to, types: names } = range;
        const typeIds = names?.map((name) => types.idOf(name)).filter((id) => id !== undefined);
        // Types that were never used match nothing.
        if (typeIds?.length === 0)
            return [];
        const bounds = prefix === "" ? undefined : queries.prefixBounds(prefix);
        const streamIds = bounds && oneByOne(bounds, range);
        if (streamIds?.length === 0)
            return [];
        const by = bounds === undefined ? "range" : streamIds === undefined ? "prefix" : "streams";
        return page({ by, types: typeIds !== undefined, reverse }).all(...(streamIds !== undefined ? [JSON.stringify(streamIds)] : bounds ?? []), after, to, ...(typeIds === undefined ? [] : [JSON.stringify(typeIds)]), limit);
    };
};
const events = ({ streams, types }, rows, stream) => {
    for (const row of rows) {
        row.stream = stream ?? streams.nameOf(Number(row.stream));
        row.type = types.nameOf(Number(row.type));
        if (row.meta === null)
            row.meta = undefined;
        if (row.id === null)
            row.id = undefined;
        if (typeof row.data !== "string")
            row.data = plainBytes(row.data, () => `event at position ${row.position}`);
    }
    // Every column now holds what the event's field of that name holds, and the rows belong to nobody else.
    return rows;
};
/** The bytes of a blob as a plain array of their own; throws `Corrupt` where a payload is neither text nor blob. */
export const plainBytes = (value, where) => {
    if (value instanceof Uint8Array)
        return new Uint8Array(value);
    throw new Corrupt({
        where: where(),
        reason: `the payload is ${value === null ? "missing" : `a ${typeof value}`}, neither text nor bytes`,
        remedy: "restore the file from a backup"
    });
};
/** Makes a thing for both directions at once. */
export const both = (make) => {
    const [forwards, backwards] = [make(false), make(true)];
    return (reverse) => reverse ? backwards : forwards;
};
//# sourceMappingURL=read.js.map