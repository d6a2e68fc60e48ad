/** `persist projections ls`: health, from what is in the store. */
import { health } from "@persist/runner"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { exitCode } from "../exit-code.ts"
import { partitionLine, processorLine } from "../health-lines.ts"
import { Json, writeLines } from "../output.ts"
import { healthJson } from "../processor-json.ts"
import { openStore } from "../store-url.ts"

const run = Effect.fnUntraced(function*() {
  const json = yield* Json
  const { processors } = yield* health(yield* openStore("read"))
  yield* writeLines(processors.flatMap((one) =>
    json
      ? [JSON.stringify(healthJson(one))]
      : [processorLine(one), ...one.partitions.filter(({ state }) => state !== "running").map(partitionLine)]
  ))
  if (processors.some(({ healthy }) => !healthy)) process.exitCode = exitCode.failed
}, Effect.scoped)

/** The command. */
export const projectionsLsCommand = Command.make("ls", {}, run).pipe(
  Command.withDescription(
    "List the processors that any process runs or ran, how far they are behind and what is wrong; ends with 1 where " +
      "one isn't healthy: nobody runs it, whoever did is silent, it's stuck at an event, it needs something after a " +
      "restore, or events are parked. Who is silent is told by comparing clocks: those of the machines must agree " +
      "to within --patience"
  ),
  Command.withShortDescription("How processors fare"),
  Command.withExamples([
    { command: "persist projections ls || page-someone", description: "A check for a monitor" }
  ])
)
