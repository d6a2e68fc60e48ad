/** `persist projections forget`: it's no longer run, and nobody misses it. */
import { forget } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = { name: Argument.String("name").pipe(Argument.withDescription("The processor's name")) }

const run = Effect.fnUntraced(function*({ name }: Command.Command.Config.Infer<typeof config>) {
  yield* forget(yield* openStore("write"), name)
  yield* writeResult({ name, forgotten: true }, [printable(`${name} is forgotten with all that was kept of it`)])
}, Effect.scoped)

/** The command. */
export const forgetCommand = Command.make("forget", config, run).pipe(
  Command.withDescription(
    "Forget a processor that is no longer run: its checkpoints, leases and parked events are gone, and the states of " +
      "a read model's version; compaction no longer waits for it. Under its name another one begins anew."
  ),
  Command.withShortDescription("Forget a processor that is no longer run"),
  Command.withExamples([{ command: "persist projections forget mailer", description: "Mail goes another way now" }])
)
