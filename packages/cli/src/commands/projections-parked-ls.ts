/** `persist projections parked ls`: events that were put aside, and why. */
import { listParked, type ParkedEvent } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Json, writeLines } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { parkedJson } from "../processor-json.ts"
import { openStore } from "../store-url.ts"

const config = {
  name: Argument.String("name").pipe(Argument.withDescription("Only what this processor put aside"), Argument.optional)
}

const run = Effect.fnUntraced(function*({ name }: Command.Command.Config.Infer<typeof config>) {
  const json = yield* Json
  const store = yield* openStore("read")
  yield* Stream.runForEachArray(
    listParked(store, Option.getOrUndefined(name)),
    (some) => writeLines(some.map((each) => json ? JSON.stringify(parkedJson(each)) : lineOf(each)))
  )
}, Effect.scoped)

const lineOf = ({ attempts, position, processor, seq, state, stream, type }: ParkedEvent): string => {
  const last = attempts.at(-1)
  const why = last === undefined ? "" : `; ${counted(attempts.length, "attempt")}, at last ${last.error}`
  return printable(`${processor}  ${position}  ${stream} ${seq} ${type}  ${state}${why}`)
}

/** The command. */
export const parkedLsCommand = Command.make("ls", config, run).pipe(
  Command.withDescription("List the events that were put aside, with each time they failed, and those behind them"),
  Command.withShortDescription("List parked events"),
  Command.withExamples([
    { command: "persist projections parked ls mailer", description: "What one processor couldn't handle" },
    { command: "persist projections parked ls --json | jq .attempts", description: "Each time each of them failed" }
  ])
)
