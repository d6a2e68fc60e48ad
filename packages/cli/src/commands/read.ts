/** `persist read`: the events of one stream, or of all. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { afterFlag, eventFilter, limitFlag, prefixFlag, reverseFlag, toFlag, typeFlag } from "../event-filter.ts"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { type Failure, misuse } from "../failure.ts"
import { Json, writeLines } from "../output.ts"
import { openStore } from "../store-url.ts"

const config = {
  stream: Argument.String("stream").pipe(Argument.withDescription("The stream"), Argument.optional),
  all: Flag.Boolean("all").pipe(
    Flag.withDescription("Read all streams, in the store's order"),
    Flag.withDefault(false)
  ),
  from: Flag.Int("from").pipe(Flag.withDescription("The first seq wanted"), Flag.optional),
  to: toFlag,
  after: afterFlag,
  prefix: prefixFlag,
  type: typeFlag,
  limit: limitFlag,
  reverse: reverseFlag
}

type Options = Command.Command.Config.Infer<typeof config>

const run = Effect.fnUntraced(function*(options: Options) {
  yield* checkMode(options)
  const json = yield* Json
  const store = yield* openStore("read")
  const bounds = {
    to: Option.getOrUndefined(options.to),
    limit: Option.getOrUndefined(options.limit),
    reverse: options.reverse
  }
  const log = store.log()
  const events = Option.isSome(options.stream)
    ? log.read(options.stream.value, { ...bounds, from: Option.getOrUndefined(options.from) })
    : log.readAll({ ...bounds, ...eventFilter(options), after: Option.getOrUndefined(options.after) })
  yield* Stream.runForEachArray(
    events,
    (page) => writeLines(page.map((event) => json ? JSON.stringify(eventJson(event)) : eventRow(event)))
  )
}, Effect.scoped)

/** A flag that means nothing here must not be taken for one that's obeyed. */
const checkMode = ({ after, all, from, prefix, stream, type }: Options): Effect.Effect<void, Failure> => {
  if (Option.isSome(stream) === all) {
    const reason = all ? "is given beside --all" : "is missing"
    return Effect.fail(misuse("stream", reason, "name a stream, or read all of them with --all"))
  }
  if (all) {
    return Option.isSome(from)
      ? Effect.fail(misuse("--from", "counts within one stream", "give --after with a position"))
      : Effect.void
  }
  const misplaced = Option.isSome(after)
    ? "--after"
    : Option.isSome(prefix)
    ? "--prefix"
    : type.length > 0
    ? "--type"
    : undefined
  return misplaced === undefined
    ? Effect.void
    : Effect.fail(misuse(misplaced, "goes with --all", "leave it out, or read all streams with --all"))
}

/** The command. */
export const readCommand = Command.make("read", config, run).pipe(
  Command.withDescription("Read the events of a stream by their seqs, or with --all those of all streams by position"),
  Command.withShortDescription("Read the events of a stream, or of all"),
  Command.withExamples([
    { command: "persist read order/1", description: "One stream, from its first event" },
    { command: "persist read order/1 --reverse --limit 1 --json", description: "Its last event, as JSON" },
    { command: "persist read --all --prefix order/ --type Paid --after 1200", description: "All streams, filtered" }
  ])
)
