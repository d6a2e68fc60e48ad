/** `persist snapshot`: saved states of projections. */
import * as Command from "effect/cli/Command"
import { snapshotLsCommand } from "./snapshot-ls.ts"
import { snapshotRmCommand } from "./snapshot-rm.ts"
import { snapshotSaveCommand } from "./snapshot-save.ts"

/** The command. */
export const snapshotCommand = Command.make("snapshot").pipe(
  Command.withDescription("Save, list and delete snapshots: saved states that make the next load short"),
  Command.withShortDescription("Save, list and delete snapshots"),
  Command.withSubcommands([snapshotSaveCommand, snapshotLsCommand, snapshotRmCommand])
)
