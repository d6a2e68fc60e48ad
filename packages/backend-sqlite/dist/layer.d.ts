/** The SQLite backend: one file (or one store in memory) as a `Backend`. */
import type { BackendShape, StoreError } from "@persist/core";
import { Backend } from "@persist/core";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { Scope } from "effect/Scope";
import { type Config } from "./config.ts";
/**
 * Opens a store, creating it where there is none; it closes with the scope. Several handles and processes may use
 * one file at once. Fails, and changes nothing, with `Invalid` (a configuration, or a file that is no store and can't
 * become one), `Unsupported` (another version's format), `Unavailable` (locked beyond `busyTimeout`) or `Corrupt`.
 */
export declare const make: (config: Config) => Effect.Effect<BackendShape, StoreError, Scope>;
/** A store in a file as the `Backend`; fails to build as {@link make} says. */
export declare const layer: (config: Config) => Layer.Layer<Backend, StoreError>;
//# sourceMappingURL=layer.d.ts.map