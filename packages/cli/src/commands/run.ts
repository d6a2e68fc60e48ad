/** `persist run`: processors of modules, together with every other process that runs them. */
import type { StoreShape } from "@persist/core"
import { observeHealth, type ProcessorHealth, run as runProcessors, watchHealth } from "@persist/runner"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { placeOf } from "../health-lines.ts"
import { type Exporter, openExporter, otlpFlag } from "../otlp.ts"
import { say, sayNow } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { loadProcessors } from "../processor-module.ts"
import { patienceFlag, processLabel } from "../runner-flags.ts"
import { openStore } from "../store-url.ts"

const config = {
  files: Argument.String("file").pipe(
    Argument.withDescription("Modules that export processors or read models; TypeScript is fine"),
    Argument.variadic({ min: 1 })
  ),
  label: Flag.String("label").pipe(
    Flag.withDescription("What this process is known by; its host and number by default"),
    Flag.withDefault(processLabel)
  ),
  patience: patienceFlag,
  otlp: otlpFlag
}

const run = Effect.fnUntraced(function*({ files, label, otlp, patience }: Command.Command.Config.Infer<typeof config>) {
  const processors = yield* loadProcessors(files)
  const exporter = yield* openExporter(otlp, label)
  const store = yield* openStore("write")
  yield* say(
    printable(`${label} runs ${processors.map(({ name }) => name).join(", ")}; Ctrl-C finishes what is in hand`)
  )
  yield* Effect.acquireRelease(
    Effect.sync(() => process.once("SIGINT", sayHowToEnd)),
    () => Effect.sync(() => process.off("SIGINT", sayHowToEnd))
  )
  const names = new Set(processors.map(({ name }) => name))
  const told = new Map<string, string>()
  const tell = Effect.flatMap(
    yield* watchHealth(store),
    ({ processors: all }) =>
      Effect.forEach(all.filter(({ name }) => names.has(name)), (one) => {
        const line = lineOf(one)
        if (told.get(one.name) === line) return Effect.void
        told.set(one.name, line)
        return say(line)
      }, { discard: true })
  )
  // What can't be read now is told later.
  const telling = Effect.forever(Effect.andThen(Effect.sleep(toldEvery), Effect.ignore(tell)))
  const running = Effect.raceFirst(runProcessors(store, processors, { label, patience }), telling)
  return yield* (exporter === undefined
    ? running
    : exporter.observe(Effect.raceFirst(running, observing(store, exporter)))).pipe(
      Effect.onInterrupt(() => say("stopped; the same command goes on from there"))
    )
}, Effect.scoped)

const toldEvery = 2000

const sayHowToEnd = () =>
  sayNow("finishing what is in hand; Ctrl-C again ends at once, and what isn't done is handled again")

// What can't be observed keeps nothing from running.
const observing = (store: StoreShape, { interval }: Exporter): Effect.Effect<never> =>
  Effect.forever(
    observeHealth(store, { every: Math.max(100, Math.min(interval, 10_000)) }).pipe(
      Effect.catchCause((cause) => Effect.logWarning("the health can't be observed, and is tried again", cause)),
      Effect.andThen(Effect.sleep(10_000))
    )
  )

const lineOf = (processor: ProcessorHealth): string => {
  const { name, parked, partitions } = processor
  const rate = partitions.reduce((sum, partition) => sum + partition.rate, 0)
  const parts = [
    placeOf(processor),
    ...partitions.some(({ lag = 0 }) => lag > 0) ? [`${counted(rate, "event")} a second`] : [],
    ...parked === 0 ? [] : [`${counted(parked, "event")} parked`],
    // What it needs says why.
    ...partitions.flatMap(({ error, needs, reader, state }) =>
      error !== undefined && needs === undefined
        ? [`${reader} ${state}: ${error.error}`]
        : state === "hanging"
        ? [`${reader} hangs`]
        : []
    )
  ]
  return printable(`${name}: ${parts.join("; ")}`)
}

/** The command. */
export const runCommand = Command.make("run", config, run).pipe(
  Command.withDescription(
    "Run the processors (subscriptions, reactions, read models, workflows) that modules export, together with every " +
      "other process that runs them on the same store: each partition in one process, moved when one comes, " +
      "goes, stalls or dies. Ctrl-C finishes and saves what is in hand; a second one ends it at once."
  ),
  Command.withShortDescription("Run subscriptions, reactions, read models and workflows"),
  Command.withExamples([
    { command: "persist run ./projections/*.ts", description: "All of a directory, here and in other processes" }
  ])
)
