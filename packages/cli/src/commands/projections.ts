/** `persist projections`: what runs, how it fares, and what operators say of it. */
import * as Command from "effect/cli/Command"
import { forgetCommand } from "./projections-forget.ts"
import { projectionsLsCommand } from "./projections-ls.ts"
import { parkedCommand } from "./projections-parked.ts"
import { pauseCommand } from "./projections-pause.ts"
import { resumeCommand } from "./projections-resume.ts"

/** The command. */
export const projectionsCommand = Command.make("projections").pipe(
  Command.withDescription("See how processors fare that any process runs, pause them, and decide on parked events"),
  Command.withShortDescription("Health of what runs, and what operators say of it"),
  Command.withSubcommands([projectionsLsCommand, pauseCommand, resumeCommand, parkedCommand, forgetCommand])
)
