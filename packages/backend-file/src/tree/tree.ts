/** The index's store: sorted bytes → bytes, the newest write of a key wins; a memtable over immutable runs in files. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Disk } from "../disk.ts"
import type { Key } from "../key.ts"

/** A run as the owner's manifest lists it: all that is needed to open it and to notice that another is in its place. */
export interface RunInfo {
  /** The name of its file within the tree's directory. */
  readonly file: string
  readonly bytes: number
  /** How many keys it tells of, deletions included. */
  readonly entries: number
  /** CRC-32 of its footer, which vouches for the rest of the file. */
  readonly sum: number
}

/** A run that is missing, or isn't what was written: the index must be rebuilt, no answer can be had from it. */
export class DamagedRun extends Data.TaggedError("DamagedRun")<{
  /** Path of the file. */
  readonly path: string
  /** Where in the file, in bytes. */
  readonly offset: number
  readonly reason: string
  /** Whether the file isn't there at all: to a reader it means that the manifest has moved on. */
  readonly missing: boolean
}> {
  override get message(): string {
    return `${this.path}, at byte ${this.offset}: ${this.reason}`
  }
}

/** What whoever still waits for a tree is told when it's closed. */
export class TreeClosed extends Data.TaggedError("TreeClosed") {
  override get message(): string {
    return "the tree is closed"
  }
}

/**
 * A file could not be read or written, the owner's `announce` threw, or the tree was closed; nothing is lost by it.
 * What was sealed stays readable in memory until a later attempt succeeds.
 */
export class DiskFault extends Data.TaggedError("DiskFault")<{
  /** What was thrown. */
  readonly cause: unknown
}> {
  override get message(): string {
    return this.cause instanceof Error ? this.cause.message : String(this.cause)
  }
}

/** A key and its value; the value belongs to the tree and must not be changed. */
export interface TreeEntry {
  readonly key: Key
  readonly value: Uint8Array
}

/** Keys with `gte <= key < lt`, last first if `reverse`. */
export interface TreeRange {
  readonly gte: Key
  readonly lt: Key
  readonly reverse?: boolean
}

/** What readers and writers have in common. Whatever reads throws {@link DamagedRun}. */
export interface TreeReads {
  /** The key's value as last written, `undefined` where there is none or it was deleted. */
  readonly get: (key: Key) => Uint8Array | undefined
  /**
   * The entries of a range, found as they are asked for. To be consumed in one go: it throws when asked for more after
   * the tree was written to, sealed, merged or reloaded, rather than mix two states.
   */
  readonly range: (range: TreeRange) => Iterable<TreeEntry>
  /** Writes to the memtable. The value is kept as it is, not copied, and must not be changed afterwards. */
  readonly put: (key: Key, value: Uint8Array) => void
  /** Deletes in the memtable; a key that isn't there is no fault. */
  readonly delete: (key: Key) => void
}

/** What has become of the list of runs: what a manifest must say from now on. */
export interface RunsChange {
  /** Oldest first: what a later one says of a key goes. */
  readonly runs: ReadonlyArray<RunInfo>
  /** What the owner gave the latest seal that is among these runs. */
  readonly through: number
}

/** The writing process's tree. It closes with its scope, without sealing. */
export interface Tree extends TreeReads {
  /**
   * Closes the memtable: what was written so far becomes one run, what comes goes into the next memtable. Returns at
   * once; the run is written beside whatever else runs, and announced with `through`, the owner's word for what it
   * covers. Reads are the same before, during and after.
   */
  readonly seal: (through: number) => void
  /**
   * Waits until nothing sealed is in memory alone. Whoever seals faster than the disk takes it waits here, or memory
   * grows. Fails where an attempt fails: with {@link DiskFault}, or with {@link DamagedRun} where what was just written
   * can't be read. Asking again makes another attempt.
   */
  readonly sealed: Effect.Effect<void, DiskFault | DamagedRun>
  /** The run that merging has found damaged, if any: nothing is merged any more. */
  readonly damaged: () => DamagedRun | undefined
  /** Waits until there is nothing left to merge either; fails where that fails. */
  readonly settled: Effect.Effect<void, DiskFault | DamagedRun>
}

/** Another process's look at a tree that it doesn't write: the runs of a manifest under a memtable of its own. */
export interface TreeView extends TreeReads {
  /**
   * Goes over to the runs of a newer manifest and empties the memtable. Throws {@link DamagedRun} with `missing` where
   * that manifest is out of date already; the view is then as it was before.
   */
  readonly reload: (runs: ReadonlyArray<RunInfo>) => void
  /** Lets go of its files; whatever is asked after that throws. */
  readonly close: () => void
}

/** Where a tree lies and what it consists of. */
export interface TreePlace {
  /** A directory that exists and is the tree's alone. */
  readonly directory: string
  /** As the manifest lists them, oldest first; none for a new tree. */
  readonly runs: ReadonlyArray<RunInfo>
  readonly disk: Disk
  /** Most bytes of blocks held in memory. Default 32 MiB. */
  readonly cacheBytes?: number
}

/** What a writing tree needs beyond its place. */
export interface TreeOptions extends TreePlace {
  /** What the runs cover, as the manifest has it; told again with every change until the next seal. */
  readonly through: number
  /**
   * Makes a new list of runs durable: called from a turn of its own, after the new run is durable and before any file
   * is deleted. Where it throws, nothing is deleted and the list stays as it was.
   */
  readonly announce: (change: RunsChange) => void
}
