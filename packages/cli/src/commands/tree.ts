/** `persist tree`: a store as files that people read and git keeps. */
import * as Command from "effect/cli/Command"
import { treeExportCommand } from "./tree-export.ts"
import { treeImportCommand } from "./tree-import.ts"

/** The command. */
export const treeCommand = Command.make("tree").pipe(
  Command.withDescription(
    "A store as a tree of files that people read and git keeps: a JSON file for each key's value, lines of JSON for " +
      "each stream. Exported, kept up to date, edited and imported again."
  ),
  Command.withShortDescription("Export to files for people and git, and import what they edited"),
  Command.withSubcommands([treeExportCommand, treeImportCommand])
)
