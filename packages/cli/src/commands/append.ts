/** `persist append`: one event at the end of a stream. */
import type { Conflict, StoreError, StoreShape } from "@persist/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ifGiven, parseExpected, parseJsonText, parseMeta, parseTimeText, textOrStdin } from "../argument-text.ts"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { type Failure, lostRace } from "../failure.ts"
import { Json, say, writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  stream: Argument.String("stream").pipe(Argument.withDescription("The stream")),
  type: Argument.String("type").pipe(Argument.withDescription("The event's type")),
  data: Argument.String("data").pipe(
    Argument.withDescription("The event's data as JSON; - reads it from stdin"),
    Argument.withDefault("null")
  ),
  expected: Flag.String("expected").pipe(
    Flag.withDescription("What the stream must be: its last seq (0: new), exists, or any"),
    Flag.withMetavar("SEQ|exists|any")
  ),
  id: Flag.String("id").pipe(Flag.withDescription("The event's own id; it is carried, not unique"), Flag.optional),
  meta: Flag.String("meta").pipe(Flag.withDescription("Metadata, a JSON object"), Flag.optional),
  at: Flag.String("at").pipe(
    Flag.withDescription("When it happened, ISO 8601 or milliseconds since 1970; now by default"),
    Flag.optional
  ),
  commitId: Flag.String("commit-id").pipe(
    Flag.withDescription("Makes it happen once: repeated under the same id, it answers the first result"),
    Flag.optional
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const { stream, type } = options
  const expected = yield* parseExpected(options.expected)
  const data = yield* parseJsonText("data", yield* textOrStdin("data", options.data))
  const meta = yield* ifGiven(options.meta, parseMeta)
  const at = yield* ifGiven(options.at, (text) => parseTimeText("--at", text))
  const store = yield* openStore("write")
  const outcome = yield* store.log().append(
    stream,
    { type, data, meta, at, id: Option.getOrUndefined(options.id) },
    { expected, id: Option.getOrUndefined(options.commitId) }
  )
  if (outcome._tag === "Conflict") return yield* conflicted(store, stream, outcome)
  const { last: seq, lastPosition: position, repeated } = outcome
  yield* writeResult(
    { stream, seq, position, repeated },
    [printable(`${stream}@${seq} at position ${position}${repeated ? ", as before" : ""}`)]
  )
}, Effect.scoped)

// So many of the events that came between are shown; the rest can be read.
const shown = 20

const conflicted = Effect.fnUntraced(function*(store: StoreShape, stream: string, conflict: Conflict) {
  const missing = yield* Stream.runCollect(Stream.take(store.log().missing(conflict), shown))
  if (!(yield* Json)) { for (const event of missing) yield* say(eventRow(event)) }
  const next = (missing.at(-1)?.seq ?? conflict.actual) + 1
  if (next <= conflict.actual) {
    yield* say(printable(`… the rest: persist read ${JSON.stringify(stream)} --from ${next}`))
  }
  return yield* lostRace(conflict, { missing: missing.map(eventJson) })
}) satisfies (
  store: StoreShape,
  stream: string,
  conflict: Conflict
) => Effect.Effect<never, StoreError | Failure, unknown>

/** The command. */
export const appendCommand = Command.make("append", config, run).pipe(
  Command.withDescription(
    "Append one event to a stream, if the stream is as expected; what isn't ends with exit code 3, and what came " +
      "between is shown. Prints the event's seq and position."
  ),
  Command.withShortDescription("Append an event to a stream"),
  Command.withExamples([
    { command: `persist append order/1 Placed '{"total":12}' --expected 0`, description: "Begin a stream" },
    { command: `persist append order/1 Paid --expected 1`, description: "Go on after seq 1, without data" },
    { command: `curl -s "$URL" | persist append feed Fetched - --expected any`, description: "Data from stdin" }
  ])
)
