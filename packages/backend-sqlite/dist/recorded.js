import { Corrupt, Position, Seq } from "@persist/core";
import * as Result from "effect/Result";
import * as Schema from "effect/Schema";
import * as queries from "./queries.js";
const Counter = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0));
// The result of a commit as it is stored: its position, its appends, its revisions.
const Stored = Schema.fromJsonString(Schema.Tuple([
    Counter,
    Schema.Array(Schema.Tuple([Schema.String, Counter, Counter, Counter, Counter])),
    Schema.Array(Counter)
]));
const decode = Schema.decodeUnknownResult(Stored);
/** The text a result is stored as. */
export const encodeResult = ({ appended, position, revisions }) => JSON.stringify([
    position,
    appended.map(({ first, firstPosition, last, lastPosition, stream }) => [stream, first, last, firstPosition, lastPosition]),
    revisions
]);
const decodeResult = (id, text) => {
    const result = decode(text);
    if (Result.isFailure(result)) {
        throw new Corrupt({
            where: `table recorded, commit ${JSON.stringify(id)}`,
            reason: "the stored result can't be read",
            remedy: "restore the file from a backup",
            cause: result.failure
        });
    }
    const [position, appended, revisions] = result.success;
    return {
        _tag: "Committed",
        position: Position(position),
        appended: appended.map(([stream, first, last, firstPosition, lastPosition]) => ({
            stream,
            first: Seq(first),
            last: Seq(last),
            firstPosition: Position(firstPosition),
            lastPosition: Position(lastPosition)
        })),
        revisions: revisions.map(Position),
        repeated: false
    };
};
/** Looks commits up by id: `undefined` where none happened under it. Throws `Corrupt` for an unreadable result. */
export const makeRecorded = (db) => {
    const select = db.prepare(queries.recorded);
    return (id) => {
        const row = select.get(id);
        return row && { digest: row.digest, committed: decodeResult(id, row.result) };
    };
};
//# sourceMappingURL=recorded.js.map