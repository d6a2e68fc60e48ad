/** `persist projections parked drop`: a parked event is given up. */
import { dropParked } from "@persist/runner"
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
  yield* dropParked(yield* openStore("write"), name, position)
  yield* writeResult({ processor: name, position, state: "dropped" }, [
    printable(`${name} never handles ${position}, and goes on with what waits behind it`)
  ])
}, Effect.scoped)

/** The command. */
export const parkedDropCommand = Command.make("drop", config, run).pipe(
  Command.withDescription("Never handle a parked event, and go on with what waits behind it; it stays listed"),
  Command.withShortDescription("Give up a parked event"),
  Command.withExamples([{
    command: "persist projections parked drop mailer 1042",
    description: "That mail need not be sent"
  }])
)
