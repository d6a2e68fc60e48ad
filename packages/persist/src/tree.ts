/** A store as a tree of files that people read and git keeps: exported, kept up to date, imported. */
import type { Fenced } from "@persist/core"
import * as Result from "effect/Result"
import { type Abortable, call, split } from "./run.ts"
import { asking, type Running, start } from "./running.ts"
import type { Store } from "./store.ts"
import { surrounding } from "./surroundings.ts"
import {
  type Exported,
  exportTree as exportEffect,
  type ExportTreeOptions,
  followTree as followEffect,
  type Imported,
  importTree as importEffect,
  type ImportTreeOptions,
  type TreeConflicts
} from "./tree/index.ts"

export type {
  Exported,
  ExportTreeOptions,
  Imported,
  ImportTreeOptions,
  TreeConflict,
  TreeConflicts
} from "./tree/index.ts"

/** How a tree is kept. */
export interface FollowTreeOptions extends ExportTreeOptions, Abortable {
  /** What is done after the tree was brought up to date, such as committing it; the next time waits for its answer. */
  readonly onExported?: ((exported: Exported) => unknown) | undefined
}

/**
 * Writes what a store holds into a directory as a tree of files, or brings the tree that is there up to date: each
 * value of the kv as a file of its own, each stream as lines. Each file is whole whatever ends it, and the next run
 * goes on. Answers `Fenced` where another process has begun to write the same tree.
 *
 * Rejects with `Invalid` for a wrong option, a tree of another store (unless `replace`), and whatever else is in the
 * way; `Denied` where the file system refuses, `Unavailable` where the disk is full, and as every read.
 */
export const exportTree = (
  store: Store,
  directory: string,
  options?: ExportTreeOptions & Abortable
): Promise<Exported | Fenced> => call(options, (own) => exportEffect(store.effect, directory, own))

/** The same, and then whatever changes, until it's stopped, the store closes, or another process takes it over. */
export const followTree = (store: Store, directory: string, options: FollowTreeOptions = {}): Running => {
  const [{ onExported, ...own }, signal] = split(options)
  const around = Result.getOrThrow(surrounding(store))
  const told = onExported === undefined
    ? {}
    : { onExported: (exported: Exported) => asking(() => onExported(exported)) }
  return start(followEffect(store.effect, directory, { ...own, ...told }), signal, around)
}

/**
 * Imports a tree, or a part of one, that people have edited: values that differ from their keys are put, and events
 * that the store hasn't got are appended. All of it is checked first. Answers `Conflicts`, having done nothing, where
 * the store's values were changed since the export (unless `overwrite`), or a stream has other events than the tree.
 *
 * Rejects with `Invalid`, naming file and remedy, where something isn't what belongs into a tree; otherwise as the file
 * system and the store say.
 */
export const importTree = (
  store: Store,
  directory: string,
  options?: ImportTreeOptions & Abortable
): Promise<Imported | TreeConflicts> => call(options, (own) => importEffect(store.effect, directory, own))
