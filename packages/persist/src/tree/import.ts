/** Importing a tree, or a part of one, that people have edited: all of it is checked before anything is done. */
import { Invalid, type StoreError, type StoreShape } from "@persist/core"
import * as Fault from "@persist/core/fault"
import * as Effect from "effect/Effect"
import { realpath } from "node:fs/promises"
import { join } from "node:path"
import { modelNamespaces } from "./contents.ts"
import { directoryFault } from "./export.ts"
import { absent, type FilesError, onFiles, readRegular, told } from "./file-read.ts"
import { carryOut } from "./import-commit.ts"
import { emptyPlan, type Plan, type TreeConflict } from "./import-plan.ts"
import { planStreams } from "./import-streams.ts"
import { planValues } from "./import-values.ts"
import { commonPosition, type Marker, readMarker } from "./marker.ts"
import { markerPath } from "./tree-path.ts"

/** How a tree is imported. */
export interface ImportTreeOptions {
  /** Take the tree's values also where the store's were changed or deleted since the export. */
  readonly overwrite?: boolean | undefined
  /** Delete the keys whose files were removed, unless they were written since the export. Not for a part of a tree. */
  readonly delete?: boolean | undefined
  /** Only find out what would be done. */
  readonly dryRun?: boolean | undefined
}

/** What the store took of a tree, or would take. */
export interface Imported {
  readonly _tag: "Imported"
  /** How many values were put. */
  readonly puts: number
  readonly deletes: number
  /** How many events were appended. */
  readonly events: number
  /** How many values and events the store had already. */
  readonly unchanged: number
  /** How many commits it took; with one, all happened or nothing. */
  readonly commits: number
}

/** The store has changed where the tree has, since the export. */
export interface TreeConflicts {
  readonly _tag: "Conflicts"
  readonly conflicts: ReadonlyArray<TreeConflict>
  /** How many commits had happened when somebody else's got in the way; otherwise 0, and nothing happened. */
  readonly commits: number
}

/**
 * Imports a tree: puts the values of files that differ from their keys, and appends the events that the store hasn't
 * got, in the order they had among all streams. A file that isn't there says nothing, so that a part of a tree will do.
 * Everything is read and compared first: a fault or a conflict means that nothing happened. What fits into one commit
 * happens at once; more of it is repeatable, and goes on from where it stopped.
 *
 * `Conflicts` where the store's values were changed or deleted since the export, or a stream has other events.
 * Fails with `Invalid`, naming file and remedy, where something isn't what belongs into a tree, and for `delete` with
 * the tree of another store; `Denied`, `Unavailable` and `Unsupported` as the file system and the store say.
 */
export const importTree = (
  store: StoreShape,
  directory: string,
  options: ImportTreeOptions = {}
): Effect.Effect<Imported | TreeConflicts, StoreError> =>
  Effect.suspend(() => {
    const fault = Fault.optionsFault(options, ["overwrite", "delete", "dryRun"]) ?? directoryFault(directory) ??
      Fault.flagFault("overwrite", options.overwrite) ?? Fault.flagFault("delete", options.delete) ??
      Fault.flagFault("dryRun", options.dryRun)
    return fault === undefined ? importing(store, directory, options) : Effect.fail(fault)
  }).pipe(Effect.catchTag("TakenOver", Effect.die)) // Which only happens to whoever writes files.

const importing = Effect.fnUntraced(function*(
  store: StoreShape,
  directory: string,
  options: ImportTreeOptions
): Effect.fn.Return<Imported | TreeConflicts, FilesError> {
  const root = yield* onFiles(() => rootOf(directory))
  const content = yield* onFiles(() => told(markerPath, () => readRegular(join(root, markerPath))))
  if (content === undefined) return yield* Effect.fail(noTree(directory, `it holds no ${markerPath}`))
  const marker = yield* Effect.fromResult(readMarker(content))
  const common = commonPosition(marker, store.about, yield* store.head)
  const fault = markerFault(marker) ?? (options.delete === true && common === undefined ? unrelated : undefined)
  if (fault !== undefined) return yield* Effect.fail(fault)
  const models = yield* modelNamespaces(store)
  const circumstances = { store, root, common, models, overwrite: options.overwrite ?? false }
  const plan = emptyPlan()
  yield* planValues(circumstances, plan, options.delete ?? false)
  yield* planStreams(circumstances, plan)
  if (plan.conflicts.length > 0) return { _tag: "Conflicts", conflicts: plan.conflicts, commits: 0 }
  if (options.dryRun === true) return imported(plan, 0)
  const { commits, conflicts } = yield* carryOut(store, root, plan)
  return conflicts.length > 0 ? { _tag: "Conflicts", conflicts, commits } : imported(plan, commits)
})

const rootOf = async (directory: string): Promise<string> => {
  const root = await told(directory, () => realpath(directory).catch(absent))
  if (root === undefined) throw noTree(directory, "there is no such directory")
  return root
}

const imported = ({ deletes, puts, streams, unchanged }: Plan, commits: number): Imported => ({
  _tag: "Imported",
  puts: puts.length,
  deletes: deletes.length,
  events: streams.reduce((sum, { events }) => sum + events, 0),
  unchanged,
  commits
})

const noTree = (directory: string, reason: string): Invalid =>
  new Invalid({ field: directory, reason, remedy: "name the directory of a tree" })

const markerFault = ({ incarnation, position }: Marker): Invalid | undefined =>
  incarnation === undefined || position !== undefined ? undefined : new Invalid({
    field: markerPath,
    reason: "says that an export into this tree was never finished",
    remedy: "export again, then import"
  })

const unrelated = new Invalid({
  field: "delete",
  reason: "what was removed from the tree of another store can't be told",
  remedy: "leave it out, and delete by hand"
})
