/** `persist projections pause`: nobody runs it for a while. */
import { pause } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("The processor's name")),
  anyway: Flag.Boolean("anyway").pipe(
    Flag.withDescription("Also where it was never run here: it waits from the beginning on"),
    Flag.withDefault(false)
  )
}

/** The command. */
export const pauseCommand = Command.make(
  "pause",
  config,
  Effect.fnUntraced(function*({ anyway, name }: Command.Command.Config.Infer<typeof config>) {
    yield* pause(yield* openStore("write"), name, { anyway })
    yield* writeResult({ name, paused: true }, [printable(`${name} is paused wherever it runs, until it's resumed`)])
  }, Effect.scoped)
).pipe(
  Command.withDescription("Stop a processor in every process, once it has saved what it has in hand"),
  Command.withShortDescription("Stop a processor everywhere"),
  Command.withExamples([{
    command: "persist projections pause mailer",
    description: "No mail until it is resumed, whichever process runs it"
  }])
)
