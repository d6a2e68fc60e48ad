/** `persist projections show`: one processor with all of its partitions. */
import { health } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { exitCode } from "../exit-code.ts"
import { misuse } from "../failure.ts"
import { partitionLine, processorLine } from "../health-lines.ts"
import { Json, writeLines } from "../output.ts"
import { healthJson } from "../processor-json.ts"
import { openStore } from "../store-url.ts"

const config = { name: Argument.String("name").pipe(Argument.withDescription("The processor's name")) }

const run = Effect.fnUntraced(function*({ name }: Command.Command.Config.Infer<typeof config>) {
  const { processors } = yield* health(yield* openStore("read"), name)
  const one = processors.find((each) => each.name === name)
  if (one === undefined) {
    return yield* misuse("name", `no processor ${JSON.stringify(name)} was ever run here`, "list those that were")
  }
  yield* writeLines(
    (yield* Json) ? [JSON.stringify(healthJson(one))] : [processorLine(one), ...one.partitions.map(partitionLine)]
  )
  if (!one.healthy) process.exitCode = exitCode.failed
}, Effect.scoped)

/** The command. */
export const projectionsShowCommand = Command.make("show", config, run).pipe(
  Command.withDescription(
    "Show a processor with all of its partitions: how far each is, who runs it and since when that process is " +
      "silent, its rate, and why it's stuck; ends with 1 where it isn't healthy"
  ),
  Command.withShortDescription("One processor in full"),
  Command.withExamples([{ command: "persist projections show mailer --json", description: "All figures of one" }])
)
