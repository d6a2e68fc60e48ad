/** `persist projections rebuild`: new versions of read models, built beside the live ones, and then read. */
import { readCheckpoint, type StoreShape } from "@persist/core"
import { liveVersions } from "@persist/core/live"
import { health, readModel, run as runProcessors } from "@persist/runner"
import { missedBy } from "@persist/runner/live"
import { runners } from "@persist/runner/names"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { exitCode } from "../exit-code.ts"
import { Failure, misuse } from "../failure.ts"
import { Json, say, writeResult } from "../output.ts"
import { lasting, printable } from "../printable.ts"
import { type KeptModel, loadReadModels } from "../processor-module.ts"
import { positions, type Progress, startProgress } from "../progress.ts"
import { patienceFlag, processLabel } from "../runner-flags.ts"
import { openStore } from "../store-url.ts"
import type { AnyReadModel } from "../user-module.ts"
import { writeDifferences } from "../version-differences.ts"

const config = {
  files: Argument.String("file").pipe(
    Argument.withDescription("Modules that export read models; TypeScript is fine"),
    Argument.variadic({ min: 1 })
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Build, but change nothing for readers: show how the new states differ from the live ones"),
    Flag.withDefault(false)
  ),
  allowTruncated: Flag.Boolean("allow-truncated").pipe(
    Flag.withDescription("Build from what is left of streams whose first events were removed"),
    Flag.withDefault(false)
  ),
  patience: patienceFlag
}

const run = Effect.fnUntraced(function*(
  { allowTruncated, dryRun, files, patience }: Command.Command.Config.Infer<typeof config>
) {
  const models = yield* loadReadModels(files)
  const store = yield* openStore("write")
  for (const kept of models) {
    const live = yield* liveVersion(store, kept.name)
    if (dryRun && live === undefined) return yield* nothingToCompare(kept.model)
    if (live !== undefined && live >= kept.model.version) yield* isLive(store, kept.model, live)
    else yield* rebuild(store, kept, { live, dryRun, allowTruncated, patience })
  }
}, Effect.scoped)

const liveVersion = (store: StoreShape, name: string) =>
  Effect.map(liveVersions(store).get(name), (found) => Option.getOrUndefined(found)?.version)

// The same command goes on where one was ended, and has nothing to do where none was.
const isLive = (store: StoreShape, { name, namespace, version }: AnyReadModel, live: number) =>
  live === version
    ? Effect.asVoid(
      writeResult({ model: name, version, live: true, built: false }, [printable(`${namespace} is live`)])
    )
    : Effect.fail(misuse(
      "FILE",
      `${namespace} is older than version ${live}, which is live in ${store.about.name}`,
      "give it a higher version, or switch back to it if it is still there"
    ))

// Nobody reads another version, so to build this one is to make it live.
const nothingToCompare = ({ name, namespace }: AnyReadModel) =>
  Effect.fail(misuse(
    "--dry-run",
    `no version of ${name} is live, so there is nothing that ${namespace} would change`,
    "leave it out: the first version is read from the start"
  ))

interface RebuildOptions {
  readonly live: number | undefined
  readonly dryRun: boolean
  readonly allowTruncated: boolean
  readonly patience: number
}

const rebuild = Effect.fnUntraced(function*(
  store: StoreShape,
  { model, options }: KeptModel,
  { allowTruncated, dryRun, live, patience }: RebuildOptions
) {
  const started = performance.now()
  const end = yield* store.head
  const from = Option.match(yield* readCheckpoint(store, model.reader), {
    onNone: () => 0,
    onSome: (at) => at.position
  })
  yield* say(
    printable(
      `building ${model.namespace}${from === 0 ? "" : ` from position ${from}`}; ` +
        "Ctrl-C ends it, and the same command goes on from there"
    )
  )
  const whole = positions(end)
  const progress = startProgress({ verb: "building", noun: "position", whole, json: yield* Json })
  const processor = readModel(model, {
    ...options,
    ...allowTruncated ? { allowTruncated } : {},
    goLive: dryRun ? "by hand" : "by itself"
  })
  const built = Effect.repeat(look(store, model, { from, end, dryRun, progress }), {
    until: (done) => done,
    schedule: Schedule.spaced(lookEvery)
  })
  yield* Effect.raceFirst(built, runProcessors(store, [processor], { label: processLabel, patience })).pipe(
    Effect.ensuring(Effect.sync(progress.clear))
  )
  const milliseconds = Math.round(performance.now() - started)
  if (dryRun && live !== undefined) {
    yield* say(printable(
      `built in ${
        lasting(milliseconds)
      }, and not live: without --dry-run it will be. What was built is kept for that; ` +
        `persist projections forget ${model.namespace} removes it`
    ))
    return yield* writeDifferences(store, { model: model.name, before: live, after: model.version }, examples)
  }
  const { name, namespace, version } = model
  const others = yield* Stream.runCollect(runners(store).scan())
  if (!others.some(({ value }) => value.processors.includes(namespace))) {
    yield* say(
      printable(`nobody runs ${namespace}: until persist run does, readers see nothing of what comes from now on`)
    )
  }
  return yield* writeResult(
    { model: name, version, live: true, built: true, before: live ?? null, from, milliseconds },
    [printable(`${namespace} is built and live, after ${lasting(milliseconds)}`)]
  )
})

const lookEvery = 100
const examples = 10

interface Looking {
  readonly from: number
  readonly end: number
  readonly dryRun: boolean
  readonly progress: Progress
}

/** Shows how far it is; answers whether it is done. `Failure` where it can't go on by itself. */
const look = Effect.fnUntraced(
  function*(store: StoreShape, model: AnyReadModel, { dryRun, end, from, progress }: Looking) {
    const { processors } = yield* health(store, model.namespace)
    const own = processors.find(({ name }) => name === model.namespace)
    const [partition] = own?.partitions ?? []
    if (own === undefined || partition === undefined) return false
    const { error, lag, position, state } = partition
    progress.update({ amount: position, things: position - from })
    if (state === "stopped") return yield* stuck(model, `it stopped: ${error?.error ?? "by its policy"}`)
    if (position < end && lag !== 0) return false
    const live = yield* liveVersion(store, model.name)
    if (dryRun || live === model.version) return true
    const missed = live === undefined ? 0 : yield* missedBy(store, model, { name: model.name, version: live })
    return missed === 0 ? false : yield* stuck(model, `${missed} of its events are parked`)
  }
)

const stuck = ({ namespace }: AnyReadModel, reason: string): Failure =>
  new Failure({
    exitCode: exitCode.failed,
    field: "FILE",
    reason: `${namespace} isn't live: ${reason}`,
    remedy: "mend the module, or what the events hold, and run the same command again: it goes on from there"
  })

/** The command. */
export const rebuildCommand = Command.make("rebuild", config, run).pipe(
  Command.withDescription(
    "Build new versions of read models beside the live ones, which are read until the new ones have come as far: " +
      "then one commit switches. Goes on where it was ended or killed. With --dry-run nothing changes for readers, " +
      "and the states that would change are shown."
  ),
  Command.withShortDescription("Build new versions of read models beside the live ones"),
  Command.withExamples([
    { command: "persist projections rebuild ./orders.ts --dry-run", description: "What the new version would change" },
    { command: "persist projections rebuild ./orders.ts", description: "Build it, and read it from then on" }
  ])
)
