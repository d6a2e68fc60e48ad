/** Opens a tree: to write it, or to look at the one that another process writes. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { Layers } from "./layers.ts"
import { RunFiles } from "./run-files.ts"
import type { DamagedRun, DiskFault, Tree, TreeOptions, TreePlace, TreeView } from "./tree.ts"
import { explain, Upkeep } from "./upkeep.ts"

/**
 * Opens a tree for its one writing process, and removes what an earlier one left unfinished. Closing the scope stops
 * what is being written, seals nothing, and leaves what was announced. Fails with {@link DamagedRun} where a run of the
 * list is missing or isn't the one that was listed, with {@link DiskFault} where the files can't be looked at.
 */
export const openTree = (options: TreeOptions): Effect.Effect<Tree, DamagedRun | DiskFault, Scope> =>
  Effect.gen(function*() {
    const layers = yield* Effect.acquireRelease(
      Effect.try({ try: () => new Layers(options), catch: explain }),
      (opened) => Effect.sync(() => opened.close())
    )
    const files = new RunFiles(options)
    yield* Effect.try({ try: () => files.sweep(), catch: explain })
    const upkeep = new Upkeep(layers, options, files)
    // Runs may have been left unmerged.
    upkeep.wake()
    yield* Effect.addFinalizer(() => Effect.sync(() => upkeep.end()))
    yield* Effect.forkScoped(upkeep.run)
    return {
      get: layers.get,
      range: layers.range,
      put: layers.put,
      delete: layers.delete,
      seal: (through) => {
        layers.seal(through)
        upkeep.wake()
      },
      damaged: () => upkeep.damaged,
      sealed: upkeep.sealed,
      settled: upkeep.settled
    }
  })

/**
 * Opens the runs that another process's manifest lists. Throws {@link DamagedRun}, `missing` where that manifest is
 * out of date, and what the disk throws.
 */
export const openView = (place: TreePlace): TreeView => {
  const layers = new Layers(place)
  return {
    get: layers.get,
    range: layers.range,
    put: layers.put,
    delete: layers.delete,
    reload: (runs) => layers.reload(runs),
    close: () => layers.close()
  }
}
