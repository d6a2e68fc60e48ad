/** The tables, their versions and how an older file becomes a current one. */
import { Unsupported } from "@persist/core";
import type Database from "better-sqlite3";
/** What marks a file as a store, at byte 68 of an SQLite file: "pers". */
export declare const applicationId = 1885696627;
/** The format this code writes; files of an older one are migrated when they are opened for writing. */
export declare const currentFormat: number;
/** The format of an open file: 0 where it is empty. */
export declare const formatOf: (db: Database.Database) => number;
/** `Unsupported` where a file's format is not the current one; `remedy` says what to do about an older one. */
export declare const unsupportedFormat: (format: number, remedy: string) => Unsupported;
/**
 * Brings an empty or older file to the current format, in one transaction that other processes wait for.
 * A new store gets `incarnation`. Throws `Unsupported` for a newer file, and whatever the driver throws.
 */
export declare const migrate: (db: Database.Database, incarnation: string) => void;
/** The identity the store was created with; throws `Corrupt` where it is gone. */
export declare const incarnationOf: (db: Database.Database) => string;
//# sourceMappingURL=schema.d.ts.map