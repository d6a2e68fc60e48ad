/** `persist export`: events as lines that import reads back. */
import type { Event } from "@persist/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { afterFlag, eventFilter, prefixFlag, typeFlag } from "../event-filter.ts"
import { exportLine } from "../event-line.ts"
import { openSink } from "../line-sink.ts"
import { Json, say, write } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { positions, startProgress } from "../progress.ts"
import { openStore } from "../store-url.ts"

const config = {
  file: Argument.String("file").pipe(
    Argument.withDescription("Where to; - (the default) is stdout"),
    Argument.withDefault("-")
  ),
  prefix: prefixFlag,
  type: typeFlag,
  after: afterFlag,
  to: Flag.Int("to").pipe(Flag.withDescription("Only events up to this position"), Flag.optional),
  gzip: Flag.Boolean("gzip").pipe(
    Flag.withDescription("Pack it; a FILE that ends in .gz is packed anyway"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const { file } = options
  const json = yield* Json
  const store = yield* openStore("read")
  const head = yield* store.head
  // A bound from the start: events that are appended meanwhile would make it endless.
  const to = Math.min(Option.getOrElse(options.to, () => head), head)
  const after = Option.getOrElse(options.after, () => 0)
  const sink = yield* openSink(file, { packed: options.gzip || file.endsWith(".gz") })
  const progress = startProgress({ verb: "exported", noun: "event", whole: positions(to - after), json })
  const started = performance.now()
  const cut = new Set<string>()
  let events = 0
  const seen = new Set<string>()
  const note = ({ seq, stream }: Event) => {
    if (seen.has(stream)) return
    seen.add(stream)
    if (seq > 1) cut.add(stream)
  }
  yield* store.log().readAll({ ...eventFilter(options), after, to }).pipe(
    Stream.runForEachArray((page) => {
      for (const event of page) note(event)
      events += page.length
      progress.update({ amount: (page.at(-1)?.position ?? after) - after, things: events })
      return sink.write(page.map(exportLine))
    }),
    Effect.onInterrupt(() => Effect.sync(() => progress.say(whereItStopped(file)))),
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  yield* sink.finish
  if (cut.size > 0) yield* say(renumbering(cut))
  if (file === "-") return
  const milliseconds = Math.round(performance.now() - started)
  yield* write(
    json
      ? `${JSON.stringify({ file, events, streams: seen.size, to, milliseconds })}\n`
      : printable(`exported ${counted(events, "event")} of ${counted(seen.size, "stream")} to ${file}`) +
        ` in ${lasting(milliseconds)}\n`
  )
}, Effect.scoped)

const whereItStopped = (file: string): string =>
  printable(
    `stopped before the end: ${file === "-" ? "what was written is not all" : `${file} is left as it was`}, and the ` +
      "same command begins anew"
  )

const renumbering = (cut: ReadonlySet<string>): string => {
  const [first = ""] = cut
  return printable(
    `note: of ${counted(cut.size, "stream")} the first events are not here (${JSON.stringify(first)} …); ` +
      "an import numbers the others from 1"
  )
}

/** The command. */
export const exportCommand = Command.make("export", config, run).pipe(
  Command.withDescription(
    `Write events as lines of JSON, {"stream", "type", "at", "data", "meta"?, "id"?}, bytes as "data_base64", in the ` +
      "store's order. Importing them into an empty store gives the same streams, seqs and events. A file appears " +
      "whole or not at all."
  ),
  Command.withShortDescription("Write events as lines of JSON"),
  Command.withExamples([
    { command: "persist export backup.ndjson.gz", description: "Everything, packed" },
    { command: "persist export --prefix order/ | wc -l", description: "Some streams, to stdout" },
    { command: "persist export | persist import --store sqlite:copy.db -", description: "Copy a store's log" }
  ])
)
