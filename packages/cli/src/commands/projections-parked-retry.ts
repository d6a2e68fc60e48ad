/** `persist projections parked retry`: a parked event is tried again. */
import { retryParked } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("The processor's name")),
  position: Argument.Int("position").pipe(Argument.withDescription("The event's position, as ls shows it"))
}

const run = Effect.fnUntraced(function*({ name, position }: Command.Command.Config.Infer<typeof config>) {
  yield* retryParked(yield* openStore("write"), name, position)
  yield* writeResult({ processor: name, position, state: "retry" }, [
    printable(`whoever runs ${name} tries ${position} again, and then what waits behind it`)
  ])
}, Effect.scoped)

/** The command. */
export const parkedRetryCommand = Command.make("retry", config, run).pipe(
  Command.withDescription("Have a parked event tried again, and then what waits behind it"),
  Command.withShortDescription("Try a parked event again"),
  Command.withExamples([{
    command: "persist projections parked retry mailer 1042",
    description: "Now that the address is known"
  }])
)
