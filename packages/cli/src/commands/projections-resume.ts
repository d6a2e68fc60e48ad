/** `persist projections resume`: it goes on. */
import { resume } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = { name: Argument.String("name").pipe(Argument.withDescription("The processor's name")) }

/** The command. */
export const resumeCommand = Command.make(
  "resume",
  config,
  Effect.fnUntraced(function*({ name }: Command.Command.Config.Infer<typeof config>) {
    yield* resume(yield* openStore("write"), name)
    yield* writeResult({ name, paused: false }, [printable(`${name} goes on wherever it runs`)])
  }, Effect.scoped)
).pipe(
  Command.withDescription("Let a paused processor go on, and partitions that stopped at a failure try again"),
  Command.withShortDescription("Let a processor go on"),
  Command.withExamples([{ command: "persist projections resume mailer", description: "It goes on where it stopped" }])
)
