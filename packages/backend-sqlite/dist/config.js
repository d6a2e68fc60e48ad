/** How a store is opened, checked before anything is touched. */
import { Invalid } from "@persist/core";
import { resolve } from "node:path";
const known = new Set(["path", "readonly", "synchronous", "busyTimeout", "pollInterval"]);
const modes = new Set(["FULL", "NORMAL", "OFF"]);
// SQLite and timers count milliseconds in 32 bits.
const largestTime = 2 ** 31 - 1;
/** Checks a configuration; throws `Invalid`, which names the field. The path becomes absolute. */
export const settle = (config) => {
    for (const field of Object.keys(config)) {
        demand(known.has(field), field, "there is no such option", `use ${[...known].join(", ")}`);
    }
    const { busyTimeout = 5000, path, pollInterval = 5, readonly = false, synchronous = "FULL" } = config;
    demand(typeof path === "string" && path !== "", "path", "expected the name of a file", "pass a path or \":memory:\"");
    demand(!path.includes("\0"), "path", "contains a NUL, which no file system takes", "remove it");
    // The driver would trim it and open another file than the one named.
    demand(path.trim() === path, "path", "starts or ends with white space", "rename the file");
    demand(typeof readonly === "boolean", "readonly", "expected a boolean", "pass true or false");
    demand(modes.has(synchronous), "synchronous", `there is no mode ${synchronous}`, "use FULL, NORMAL or OFF");
    demandTime("busyTimeout", busyTimeout, 0);
    demandTime("pollInterval", pollInterval, 1);
    const memory = path === ":memory:";
    demand(!(memory && readonly), "readonly", "a new store in memory has nothing to read", "leave it out, or name a file");
    return { path: memory ? path : resolve(path), readonly, synchronous, busyTimeout, pollInterval, memory };
};
const demandTime = (field, value, least) => demand(Number.isInteger(value) && value >= least && value <= largestTime, field, `expected whole milliseconds, got ${String(value)}`, `pass an integer from ${least} to ${largestTime}`);
const demand = (holds, field, reason, remedy) => {
    if (!holds)
        throw new Invalid({ field, reason, remedy });
};
//# sourceMappingURL=config.js.map