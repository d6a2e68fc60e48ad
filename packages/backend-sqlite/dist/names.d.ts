import type Database from "better-sqlite3";
/** Which table holds the names. */
export type NameTable = "stream" | "type" | "namespace";
/** The names of one table. A pair never changes once it is committed, so both directions are cached. */
export declare class Names {
    private readonly table;
    private readonly ids;
    private readonly names;
    private readonly selectId;
    private readonly selectName;
    constructor(db: Database.Database, table: NameTable);
    /** The name's id, or `undefined` where it was never used. */
    idOf(name: string): number | undefined;
    /** The name behind an id; throws `Corrupt` where there is none. */
    nameOf(id: number): string;
    /** Keeps a pair. Only a committed one may stay: {@link forget} after a rollback. */
    remember(id: number, name: string): void;
    /** Drops what is remembered. */
    forget(): void;
}
//# sourceMappingURL=names.d.ts.map