/** `persist kv`: current values by key. */
import * as Command from "effect/cli/Command"
import { kvGetCommand } from "./kv-get.ts"
import { kvLsCommand } from "./kv-ls.ts"
import { kvPutCommand } from "./kv-put.ts"
import { kvRmCommand } from "./kv-rm.ts"

/** The command. */
export const kvCommand = Command.make("kv").pipe(
  Command.withDescription("Read and write current values, by key, in namespaces"),
  Command.withShortDescription("Read and write keys"),
  Command.withSubcommands([kvGetCommand, kvPutCommand, kvLsCommand, kvRmCommand])
)
