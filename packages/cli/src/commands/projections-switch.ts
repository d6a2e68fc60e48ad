/** `persist projections switch`: which version of a read model is read. */
import { switchLive } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  model: Argument.String("model").pipe(Argument.withDescription("The read model's name, without a version")),
  version: Argument.Int("version").pipe(Argument.withDescription("The version to be read from now on")),
  anyway: Flag.Boolean("anyway").pipe(
    Flag.withDescription("Even where it is behind, or misses events: readers go back"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(
  { anyway, model, version }: Command.Command.Config.Infer<typeof config>
) {
  yield* switchLive(yield* openStore("write"), model, version, { anyway })
  yield* writeResult({ model, version, live: true }, [printable(`${model}@${version} is live`)])
}, Effect.scoped)

/** The command. */
export const switchCommand = Command.make("switch", config, run).pipe(
  Command.withDescription(
    "Make a version of a read model the one that is read, in one commit. Refused where it has not come as far as the " +
      "live one or misses events that this one has. Beside a newer version it stays until the next switch."
  ),
  Command.withShortDescription("Choose the version of a read model that is read"),
  Command.withExamples([
    { command: "persist projections switch orders 2", description: "One that goes live by hand" },
    { command: "persist projections switch orders 1 --anyway", description: "Back, though that one stands still" }
  ])
)
