/** `persist projections reset`: its events are handled once more. */
import { reset } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { ifGiven, parseFrom } from "../argument-text.ts"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("The processor's name")),
  from: Flag.String("from").pipe(
    Flag.withDescription("Where it begins again: start (the default), end, or after a position"),
    Flag.optional
  ),
  allowTruncated: Flag.Boolean("allow-truncated").pipe(
    Flag.withDescription("Build a read model from what is left of truncated streams, and accept another answer"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(
  { allowTruncated, from, name }: Command.Command.Config.Infer<typeof config>
) {
  const start = yield* ifGiven(from, parseFrom)
  yield* reset(yield* openStore("write"), name, { from: start, allowTruncated })
  yield* writeResult({ name, reset: true }, [printable(`${name} begins again, wherever it runs`)])
}, Effect.scoped)

/** The command. */
export const resetCommand = Command.make("reset", config, run).pipe(
  Command.withDescription(
    "Let a processor handle its events again. A subscription's handler is given them under the same keys; what a " +
      "reaction made is made again, and so is what went into tables of your own, which you empty first, while it's " +
      "paused. A read model is cleared, so that readers see it grow: to keep the old answer meanwhile give it a new " +
      "version. A workflow can't be reset; after a restore it's adopted."
  ),
  Command.withShortDescription("Handle a processor's events once more"),
  Command.withExamples([
    { command: "persist projections reset orders@2", description: "Build a read model again from zero" },
    { command: "persist projections reset mailer --from 38945", description: "After a position" }
  ])
)
