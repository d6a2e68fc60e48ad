/** `persist projections adopt`: after a restore it goes on from where its restored checkpoints are. */
import { adopt, type Adopted } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { ifGiven, parseFrom } from "../argument-text.ts"
import { writeResult } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("The processor's name, or a reader's")),
  from: Flag.String("from").pipe(
    Flag.withDescription("Where it goes on, if its checkpoint lies beyond the head: end, start, or after a position"),
    Flag.withMetavar("start|end|POSITION"),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Say what would be adopted, and change nothing"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*({ dryRun, from, name }: Command.Command.Config.Infer<typeof config>) {
  const start = yield* ifGiven(from, parseFrom)
  const adopted = yield* adopt(yield* openStore(dryRun ? "read" : "write"), name, { from: start, dryRun })
  yield* writeResult({ ...adopted, dryRun }, linesOf(adopted, dryRun).map(printable))
}, Effect.scoped)

const linesOf = ({ instances, kind, name, parked, partitions, timers }: Adopted, dryRun: boolean) => {
  if (partitions.length === 0) return [`${name} belongs to this history already: nothing to adopt`]
  const kept = [
    ...kind === "workflow" ? [counted(instances, "instance"), counted(timers, "timer")] : [],
    ...kind === "read model" ? ["its states"] : [],
    ...parked === 0 ? [] : [`${counted(parked, "event")} parked`]
  ]
  return [
    `${name} (${kind}) ${dryRun ? "would go on" : "goes on, wherever it runs"}${
      kept.length === 0 ? "" : `, with ${kept.join(", ")}`
    }`,
    ...partitions.map(({ incarnation, position, reader }) =>
      `  ${reader}  after position ${position}; was of ${incarnation}`
    )
  ]
}

/** The command. */
export const adoptCommand = Command.make("adopt", config, run).pipe(
  Command.withDescription(
    "After a restore and persist renew: let a processor go on in the store's new history from its restored " +
      "checkpoints, a workflow with its instances and timers, so that what it has done isn't done again. Right where " +
      "the store was restored from one backup, which holds both the log and what was made of it. Adopting again " +
      "changes nothing."
  ),
  Command.withShortDescription("Go on in the new history after a restore"),
  Command.withExamples([
    { command: "persist projections adopt payment --dry-run", description: "What would be taken over" },
    { command: "persist projections adopt payment", description: "After persist renew, as that says" }
  ])
)
