/** Which file, and how it is used. */
export interface Config {
    /** The file, relative to the working directory, or `":memory:"` for a store that ends with its scope. */
    readonly path: string;
    /** Opens an existing store without ever writing to it; commits are `Denied`. Default false. */
    readonly readonly?: boolean;
    /**
     * What an acknowledged commit survives: `FULL` (default) flushes it to disk before; with `NORMAL` and `OFF` the last
     * ones may be lost with the machine's power, and with `OFF` the file may be damaged then.
     */
    readonly synchronous?: "FULL" | "NORMAL" | "OFF";
    /** How long to wait for other processes that are writing, in milliseconds; the thread waits too. Default 5,000. */
    readonly busyTimeout?: number;
    /** How often `changes` looks for other processes' commits while somebody listens, in milliseconds. Default 5. */
    readonly pollInterval?: number;
}
/** A configuration that holds, with its defaults. */
export interface Settings extends Required<Config> {
    readonly memory: boolean;
}
/** Checks a configuration; throws `Invalid`, which names the field. The path becomes absolute. */
export declare const settle: (config: Config) => Settings;
//# sourceMappingURL=config.d.ts.map