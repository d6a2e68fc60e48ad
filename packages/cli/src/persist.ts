/** The program: its commands and the flags they share. */
import * as Command from "effect/cli/Command"
import { appendCommand } from "./commands/append.ts"
import { exportCommand } from "./commands/export.ts"
import { importCommand } from "./commands/import.ts"
import { initCommand } from "./commands/init.ts"
import { readCommand } from "./commands/read.ts"
import { Json } from "./output.ts"
import { StoreFlag } from "./store-url.ts"

/** The whole command line. */
export const persist = Command.make("persist").pipe(
  Command.withDescription("Work on a store: its log, its kv, and what is made of them"),
  Command.withSubcommands([initCommand, appendCommand, importCommand, exportCommand, readCommand]),
  Command.withGlobalFlags([StoreFlag, Json])
)
