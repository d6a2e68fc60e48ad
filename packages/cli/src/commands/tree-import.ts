/** `persist tree import`: what people have edited in a tree of files. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { type Imported, importTree, type TreeConflicts } from "persist/effect/tree"
import { exitCode } from "../exit-code.ts"
import { Failure } from "../failure.ts"
import { say, writeResult } from "../output.ts"
import { counted, grouped, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  directory: Argument.String("directory").pipe(Argument.withDescription("A tree, or a part of one with its marker")),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Take the tree's values also where the store's were changed or deleted since the export"),
    Flag.withDefault(false)
  ),
  delete: Flag.Boolean("delete").pipe(
    Flag.withDescription("Delete the keys whose files were removed since the export; not for a part of a tree"),
    Flag.withDefault(false)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Say what would be done, and do nothing"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*({ directory, ...options }: Command.Command.Config.Infer<typeof config>) {
  const store = yield* openStore(options.dryRun ? "read" : "write")
  const outcome = yield* importTree(store, directory, options)
  if (outcome._tag === "Conflicts") return yield* conflicting(outcome)
  const { commits, deletes, events, puts, unchanged } = outcome
  yield* writeResult({ puts, deletes, events, unchanged, commits }, [summary(outcome, options.dryRun)])
}, Effect.scoped)

const summary = ({ commits, deletes, events, puts, unchanged }: Imported, dryRun: boolean): string => {
  if (puts + deletes + events === 0) return `nothing to import: all ${grouped(unchanged)} are there`
  const what = [counted(puts, "value"), counted(events, "event"), ...(deletes > 0 ? [`${deletes} deleted`] : [])]
  return dryRun ? `would import ${what.join(", ")}` : `imported ${what.join(", ")} in ${counted(commits, "commit")}`
}

// So many are told one by one.
const mostTold = 20

const conflicting = Effect.fnUntraced(function*({ commits, conflicts }: TreeConflicts) {
  for (const { path, reason } of conflicts.slice(0, mostTold)) yield* say(printable(`conflict: ${path}: ${reason}`))
  const more = conflicts.length - mostTold
  if (more > 0) yield* say(`conflict: and ${counted(more, "other")}`)
  return yield* new Failure({
    exitCode: exitCode.conflict,
    field: "directory",
    reason: `${counted(conflicts.length, "conflict")} with the store, ` +
      (commits === 0 ? "nothing was imported" : `${counted(commits, "commit")} happened before`),
    remedy: "export into another directory and compare, or take the tree's values with --overwrite",
    details: { tag: "Conflict", conflicts, commits }
  })
})

/** The command. */
export const treeImportCommand = Command.make("import", config, run).pipe(
  Command.withDescription(
    "Import a tree: put the values of files that differ from their keys, append the events that the store hasn't " +
      "got. A file that isn't there says nothing. All is checked first: where the store's values have changed since " +
      "the export it ends with 3, and nothing happened. What fits into one commit happens at once; running it again " +
      "goes on."
  ),
  Command.withShortDescription("Import what was edited in a tree of files"),
  Command.withExamples([
    { command: "persist tree import state", description: "Take what was edited" },
    { command: "persist tree import state --delete --dry-run", description: "See what would happen" },
    { command: "persist tree import state --store sqlite:copy.db", description: "Make a store from a tree" }
  ])
)
