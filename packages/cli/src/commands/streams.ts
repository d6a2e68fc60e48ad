/** `persist streams`: which streams there are. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { limitFlag, prefixFlag } from "../event-filter.ts"
import { Json, writeLines } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = { prefix: prefixFlag, limit: limitFlag }

const run = Effect.fnUntraced(function*({ limit, prefix }: Command.Command.Config.Infer<typeof config>) {
  const json = yield* Json
  const store = yield* openStore("read")
  const streams = store.log().streams({ prefix: Option.getOrUndefined(prefix), limit: Option.getOrUndefined(limit) })
  yield* Stream.runForEachArray(streams, (page) =>
    writeLines(page.map(({ first, last, stream }) => {
      const events = last - first + 1
      return json
        ? JSON.stringify({ stream, first, last, events })
        : printable(`${stream}  ${counted(events, "event")}${events === 0 ? "" : `, ${first}–${last}`}`)
    })))
}, Effect.scoped)

/** The command. */
export const streamsCommand = Command.make("streams", config, run).pipe(
  Command.withDescription(
    "List streams by name, with their first and last seq; one that was emptied is listed, with nothing left to read"
  ),
  Command.withShortDescription("List the streams"),
  Command.withExamples([
    { command: "persist streams --prefix order/", description: "Those whose name starts with order/" },
    { command: "persist streams --json | jq -r .stream", description: "Only their names" }
  ])
)
