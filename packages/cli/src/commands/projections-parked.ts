/** `persist projections parked`: events that were put aside, and what becomes of them. */
import { dropParked, listParked, type ParkedEvent, retryParked } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Json, writeLines, writeResult } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const name = Argument.String("name").pipe(Argument.withDescription("The processor's name"))
const one = {
  name,
  position: Argument.Int("position").pipe(Argument.withDescription("The event's position, as ls shows it"))
}

const lineOf = ({ attempts, position, processor, seq, state, stream, type }: ParkedEvent): string => {
  const last = attempts.at(-1)
  const why = last === undefined ? "" : `; ${counted(attempts.length, "attempt")}, at last ${last.error}`
  return printable(`${processor}  ${position}  ${stream} ${seq} ${type}  ${state}${why}`)
}

const list = Effect.fnUntraced(function*(given: { readonly name: Option.Option<string> }) {
  const json = yield* Json
  const store = yield* openStore("read")
  yield* Stream.runForEachArray(
    listParked(store, Option.getOrUndefined(given.name)),
    (some) => writeLines(some.map((each) => json ? JSON.stringify(each) : lineOf(each)))
  )
}, Effect.scoped)

const listCommand = Command.make("ls", { name: Argument.optional(name) }, list).pipe(
  Command.withDescription("List the events that were put aside, with each time they failed, and those behind them"),
  Command.withShortDescription("List parked events")
)

const retryCommand = Command.make(
  "retry",
  one,
  Effect.fnUntraced(function*({ name: processor, position }: Command.Command.Config.Infer<typeof one>) {
    yield* retryParked(yield* openStore("write"), processor, position)
    yield* writeResult({ processor, position, state: "retry" }, [
      printable(`whoever runs ${processor} tries ${position} again, and then what waits behind it`)
    ])
  }, Effect.scoped)
).pipe(
  Command.withDescription("Have a parked event tried again, and then what waits behind it"),
  Command.withShortDescription("Try a parked event again")
)

const dropCommand = Command.make(
  "drop",
  one,
  Effect.fnUntraced(function*({ name: processor, position }: Command.Command.Config.Infer<typeof one>) {
    yield* dropParked(yield* openStore("write"), processor, position)
    yield* writeResult({ processor, position, state: "dropped" }, [
      printable(`${processor} never handles ${position}, and goes on with what waits behind it`)
    ])
  }, Effect.scoped)
).pipe(
  Command.withDescription("Never handle a parked event, and go on with what waits behind it; it stays listed"),
  Command.withShortDescription("Give up a parked event")
)

/** The command. */
export const parkedCommand = Command.make("parked").pipe(
  Command.withDescription("Events that failed too often and were put aside, and those of the same key behind them"),
  Command.withShortDescription("Events that were put aside"),
  Command.withSubcommands([listCommand, retryCommand, dropCommand])
)
