/** `persist import`: events from a file or stdin, each once, however often it is run. */
import { isStoreError } from "@persist/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Importer } from "../importer.ts"
import { openInput } from "../input.ts"
import { Json, writeResult } from "../output.ts"
import { counted, grouped, lasting, sized } from "../printable.ts"
import { startProgress } from "../progress.ts"
import { openSetAside, setAsideName } from "../set-aside.ts"
import { openStore } from "../store-url.ts"

const file = Argument.String("file").pipe(
  Argument.withDescription("Events, one JSON object a line, packed with gzip or not; - for stdin")
)

const name = Flag.String("name").pipe(
  Flag.withDescription("Remember the input under this name, instead of by its first line"),
  Flag.optional
)

const skipBad = Flag.String("skip-bad").pipe(
  Flag.withDescription("Set bad lines aside to a file (default: FILE.bad.ndjson) and go on"),
  Flag.withMetavar("FILE"),
  Flag.withOptionalValue(""),
  Flag.optional
)

const run = Effect.fnUntraced(function*(options: {
  readonly file: string
  readonly name: Option.Option<string>
  readonly skipBad: Option.Option<string>
}) {
  const json = yield* Json
  // First, so that a file that isn't there doesn't make a store.
  const input = yield* openInput(options.file, { unpacked: true })
  const store = yield* openStore("write")
  const scope = yield* Scope.Scope
  const whole = input.size === undefined ? undefined : { amount: input.size, text: sized(input.size) }
  const progress = startProgress({ verb: "imported", noun: "event", whole, json })
  const started = performance.now()
  const setAside = Option.map(options.skipBad, (given) => given === "" ? setAsideName(options.file) : given)
  const importer = new Importer(store, input, {
    name: Option.getOrUndefined(options.name),
    openSetAside: Option.getOrUndefined(
      Option.map(setAside, (to) => (recorded) => Scope.provide(openSetAside(to, recorded), scope))
    )
  }, progress)
  const stopped = Effect.sync(() => progress.say(whereItStopped(importer)))
  yield* importer.run.pipe(
    Effect.onInterrupt(() => stopped),
    // Of faults of the store's; those of the input say themselves how to go on.
    Effect.tapError((error) => isStoreError(error) ? stopped : Effect.void),
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  const { before, committed } = importer
  const took = performance.now() - started
  const events = (committed?.events ?? 0) - (before?.events ?? 0)
  const skipped = (committed?.skipped ?? 0) - (before?.skipped ?? 0)
  yield* writeResult(
    {
      events,
      skipped,
      lines: committed?.lines ?? 0,
      resumedAfterLine: before?.lines ?? 0,
      ...(committed?.setAside === undefined || skipped === 0 ? {} : { setAside: committed.setAside.file }),
      head: yield* store.head,
      milliseconds: Math.round(took)
    },
    summary(events, skipped, before?.lines ?? 0, took, committed?.setAside?.file)
  )
}, Effect.scoped)

const whereItStopped = ({ committed }: Importer): string =>
  committed === undefined
    ? "stopped before anything was imported"
    : `stopped after line ${grouped(committed.lines)}: run the same command again to go on from there`

const summary = (
  events: number,
  skipped: number,
  resumedAfterLine: number,
  took: number,
  setAside: string | undefined
): ReadonlyArray<string> => {
  const resumed = resumedAfterLine === 0 ? "" : `, after the ${counted(resumedAfterLine, "line")} imported before`
  if (events === 0 && skipped === 0) return [`nothing new to import${resumed}`]
  const rate = grouped(events / Math.max(took, 1) * 1000)
  return [
    `imported ${counted(events, "event")} in ${lasting(took)} (${rate}/s)${resumed}`,
    ...(skipped === 0 ? [] : [`set aside ${counted(skipped, "bad line")} to ${setAside}`])
  ]
}

/** The command. */
export const importCommand = Command.make("import", { file, name, skipBad }, run).pipe(
  Command.withDescription(
    `Import events from a file, one JSON object a line, {"stream", "type", "at", "data", "meta"?, "id"?} or a ` +
      "CloudEvent. The store's order is that of the lines. Running it again on the same input, also after it was " +
      "killed, goes on where it stopped, and a file that has grown is imported from where it ended."
  ),
  Command.withShortDescription("Import events from a file or stdin"),
  Command.withExamples([
    { command: "persist import --store sqlite:app.db events.ndjson.gz", description: "Import a file" },
    { command: "zcat old/*.gz | persist import --name old -", description: "Import from stdin under a name" },
    { command: "persist import --skip-bad=bad.ndjson events.ndjson", description: "Set bad lines aside and go on" }
  ])
)
