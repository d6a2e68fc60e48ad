/** `persist projections`: what runs, how it fares, and what operators say of it. */
import * as Command from "effect/cli/Command"
import { adoptCommand } from "./projections-adopt.ts"
import { compareCommand } from "./projections-compare.ts"
import { forgetCommand } from "./projections-forget.ts"
import { projectionsLsCommand } from "./projections-ls.ts"
import { parkedCommand } from "./projections-parked.ts"
import { pauseCommand } from "./projections-pause.ts"
import { rebuildCommand } from "./projections-rebuild.ts"
import { resetCommand } from "./projections-reset.ts"
import { resumeCommand } from "./projections-resume.ts"
import { projectionsShowCommand } from "./projections-show.ts"
import { switchCommand } from "./projections-switch.ts"

/** The command. */
export const projectionsCommand = Command.make("projections").pipe(
  Command.withDescription(
    "See how processors fare that any process runs, pause and reset them, decide on parked events, and build new " +
      "versions of read models"
  ),
  Command.withShortDescription("Health of what runs, and what operators say of it"),
  Command.withSubcommands([
    projectionsLsCommand,
    projectionsShowCommand,
    pauseCommand,
    resumeCommand,
    resetCommand,
    adoptCommand,
    rebuildCommand,
    compareCommand,
    switchCommand,
    parkedCommand,
    forgetCommand
  ])
)
