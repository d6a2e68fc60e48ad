/** `persist projections ls`: health, from what is in the store. */
import { health, type PartitionHealth, type ProcessorHealth } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { exitCode } from "../exit-code.ts"
import { Json, writeLines } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(
    Argument.withDescription("Only this one, with all of its partitions"),
    Argument.optional
  )
}

const run = Effect.fnUntraced(function*({ name }: Command.Command.Config.Infer<typeof config>) {
  const json = yield* Json
  const { processors } = yield* health(yield* openStore("read"))
  const shown = processors.filter((one) => Option.isNone(name) || one.name === name.value)
  yield* writeLines(shown.flatMap((one) => json ? [JSON.stringify(one)] : linesOf(one, Option.isSome(name))))
  if (shown.some(({ healthy }) => !healthy)) process.exitCode = exitCode.failed
}, Effect.scoped)

const linesOf = ({ healthy, name, parked, partitions }: ProcessorHealth, whole: boolean): ReadonlyArray<string> => {
  const lag = partitions.reduce((most, partition) => Math.max(most, partition.lag ?? 0), 0)
  const parts = [
    healthy ? "healthy" : "NOT HEALTHY",
    counted(partitions.length, "partition"),
    lag === 0 ? "caught up" : `${counted(lag, "position")} behind`,
    ...parked === 0 ? [] : [`${parked} parked`]
  ]
  const own = partitions.filter((partition) => whole || partition.state !== "running").map(lineOf)
  return [printable(`${name}  ${parts.join(", ")}`), ...own]
}

const lineOf = ({ error, lag, lagTime, position, reader, runner, state }: PartitionHealth): string => {
  const parts = [
    state,
    `at ${position}`,
    ...lag === undefined ? ["needs a reset"] : lag === 0 ? [] : [`${lag} behind, ${lasting(lagTime)} old`],
    ...runner === undefined
      ? []
      : [`${runner.label}${runner.alive ? "" : `, silent for ${lasting(runner.silentFor)}`}`],
    ...error === undefined ? [] : [error.error]
  ]
  return printable(`  ${reader}  ${parts.join("; ")}`)
}

/** The command. */
export const projectionsLsCommand = Command.make("ls", config, run).pipe(
  Command.withDescription(
    "List the processors that any process runs or ran, how far they are behind and what is wrong; ends with 1 where " +
      "one isn't healthy: nobody runs it, whoever did is silent, it's stuck at an event, or events are parked"
  ),
  Command.withShortDescription("How processors fare"),
  Command.withExamples([
    { command: "persist projections ls || page-someone", description: "A check for a monitor" },
    { command: "persist projections ls mailer --json", description: "All figures of one" }
  ])
)
