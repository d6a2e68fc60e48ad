/** Wake-ups: commits of this handle at once, those of other connections by looking for them while somebody listens. */
import { makeSignal } from "@persist/core";
import * as Result from "effect/Result";
/** Makes the `changes` of a handle, which looks every `interval` milliseconds at a file; a look costs some 2 µs. */
export const makeChanges = (db, interval) => {
    const dataVersion = db.prepare("PRAGMA data_version").pluck();
    let seen;
    let timer;
    const signal = makeSignal((listeners) => listeners > 0 ? start() : stop());
    // A file that can't be looked at counts as changed: who listens then reads, and is told what is wrong.
    const look = () => Result.getOrUndefined(Result.try(() => dataVersion.get()));
    const start = () => {
        if (timer !== undefined || db.memory || !db.open)
            return;
        seen = look();
        // A plain timer, not the Clock: it waits for other processes, which a test's clock doesn't govern.
        timer = setInterval(() => {
            const version = look();
            if (version !== undefined && version === seen)
                return;
            seen = version;
            signal.notify();
        }, interval);
        timer.unref();
    };
    const stop = () => {
        clearInterval(timer);
        timer = undefined;
    };
    return {
        ...signal,
        close: () => {
            stop();
            signal.notify();
        }
    };
};
//# sourceMappingURL=changes.js.map