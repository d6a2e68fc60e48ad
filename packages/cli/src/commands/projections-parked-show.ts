/** `persist projections parked show`: a parked event with what it says and each time it failed. */
import { inspectParked } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { timeText } from "persist/effect"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { parkedJson } from "../processor-json.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("The processor's name")),
  position: Argument.Int("position").pipe(Argument.withDescription("The event's position, as ls shows it"))
}

const run = Effect.fnUntraced(function*({ name, position }: Command.Command.Config.Infer<typeof config>) {
  const { event, parked } = yield* inspectParked(yield* openStore("read"), name, position)
  const { attempts, keys, reader, state } = parked
  yield* writeResult({ ...parkedJson(parked), event: event === undefined ? null : eventJson(event) }, [
    event === undefined ? `${position}  it was truncated or deleted meanwhile` : eventRow(event),
    printable(`${state} by ${reader}; what follows of ${keys.join(", ")} waits`),
    ...attempts.map(({ at, error }) => printable(`  ${timeText(at)}  ${error}`))
  ])
}, Effect.scoped)

/** The command. */
export const parkedShowCommand = Command.make("show", config, run).pipe(
  Command.withDescription("Show a parked event: what it says, the keys that wait behind it, and each time it failed"),
  Command.withShortDescription("One parked event in full"),
  Command.withExamples([{
    command: "persist projections parked show mailer 1042",
    description: "What it says, and why it can't be handled"
  }])
)
