/** `persist projections compare`: where two versions of a read model differ. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { exitCode } from "../exit-code.ts"
import { openStore } from "../store-url.ts"
import { writeDifferences } from "../version-differences.ts"

const config = {
  model: Argument.String("model").pipe(Argument.withDescription("The read model's name, without a version")),
  before: Argument.Int("before").pipe(Argument.withDescription("A version, such as the live one")),
  after: Argument.Int("after").pipe(Argument.withDescription("Another version")),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("Most differences to show; all of them are counted"),
    Flag.withDefault(10)
  )
}

const run = Effect.fnUntraced(function*(
  { after, before, limit, model }: Command.Command.Config.Infer<typeof config>
) {
  const differences = yield* writeDifferences(yield* openStore("read"), { model, before, after }, limit)
  if (differences > 0) process.exitCode = exitCode.failed
}, Effect.scoped)

/** The command. */
export const compareCommand = Command.make("compare", config, run).pipe(
  Command.withDescription(
    "Compare the stored states of two versions of a read model, key by key; ends with 1 where they differ. What " +
      "moves on meanwhile may show as a difference: compare what has caught up."
  ),
  Command.withShortDescription("Where two versions of a read model differ"),
  Command.withExamples([
    { command: "persist projections compare orders 1 2", description: "What a switch would change for readers" }
  ])
)
