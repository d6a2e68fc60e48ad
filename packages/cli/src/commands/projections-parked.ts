/** `persist projections parked`: events that were put aside, and what becomes of them. */
import * as Command from "effect/cli/Command"
import { parkedDropCommand } from "./projections-parked-drop.ts"
import { parkedLsCommand } from "./projections-parked-ls.ts"
import { parkedRetryCommand } from "./projections-parked-retry.ts"
import { parkedShowCommand } from "./projections-parked-show.ts"

/** The command. */
export const parkedCommand = Command.make("parked").pipe(
  Command.withDescription("Events that failed too often and were put aside, and those of the same key behind them"),
  Command.withShortDescription("Events that were put aside"),
  Command.withSubcommands([parkedLsCommand, parkedShowCommand, parkedRetryCommand, parkedDropCommand])
)
