/** `persist retain`: streams made shorter by a rule, archived first where that's asked for. */
import { planRetention, retain, type RetentionBound, type RetentionCut, type RetentionRule } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { openArchive } from "../archive-directory.ts"
import { parseSpan } from "../argument-text.ts"
import { Json, say, writeLines, writeResult } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { startProgress } from "../progress.ts"
import { parseAsOf } from "../projection-scope.ts"
import { openStore } from "../store-url.ts"

const config = {
  prefix: Flag.String("prefix").pipe(
    Flag.withDescription("The streams whose name starts with this; \"\" for all of them")
  ),
  maxAge: Flag.String("max-age").pipe(
    Flag.withDescription("Remove events older than this: 30d, 12h, 90m, 45s"),
    Flag.withMetavar("SPAN"),
    Flag.optional
  ),
  maxCount: Flag.Int("max-count").pipe(
    Flag.withDescription("Remove all but so many of each stream's last events"),
    Flag.optional
  ),
  before: Flag.String("before").pipe(
    Flag.withDescription("Remove events before a seq of each stream, a position, or a time"),
    Flag.withMetavar("seq:N|position:N|TIME"),
    Flag.optional
  ),
  archive: Flag.String("archive").pipe(
    Flag.withDescription("Write what is removed to files in this directory first, which import reads back"),
    Flag.withMetavar("DIRECTORY"),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only tell what it would do, stream by stream"),
    Flag.withDefault(false)
  )
}

type Options = Command.Command.Config.Infer<typeof config>

const run = Effect.fnUntraced(function*(options: Options) {
  const rule = yield* parseRule(options)
  yield* options.dryRun ? tell(rule) : apply(rule, Option.getOrUndefined(options.archive))
}, Effect.scoped)

const parseRule = Effect.fnUntraced(function*({ before, maxAge, maxCount, prefix }: Options) {
  const rule: RetentionRule = {
    prefix,
    maxCount: Option.getOrUndefined(maxCount),
    maxAge: Option.isNone(maxAge) ? undefined : yield* parseSpan("--max-age", maxAge.value),
    before: Option.isNone(before) ? undefined : yield* parseAsOf("--before", before.value)
  }
  return rule
})

const tell = Effect.fnUntraced(function*(rule: RetentionRule) {
  const json = yield* Json
  const store = yield* openStore("read")
  let [streams, events, held] = [0, 0, 0]
  yield* Stream.runForEachArray(planRetention(store, rule), (cuts) => {
    for (const cut of cuts) {
      if (cut.removed > 0) streams++
      events += cut.removed
      held += cut.held
    }
    return writeLines(cuts.map((cut) => json ? JSON.stringify(cut) : row(cut)))
  })
  yield* say(summary("would remove", { streams, events, held }))
})

const apply = Effect.fnUntraced(function*(rule: RetentionRule, directory: string | undefined) {
  const json = yield* Json
  const store = yield* openStore("write")
  const archive = directory === undefined ? undefined : yield* openArchive(directory)
  const progress = startProgress({ verb: "removed", noun: "event", whole: undefined, json })
  const started = performance.now()
  const heldBy = new Map<string, Holding>()
  let removed = 0
  const each = (cuts: ReadonlyArray<RetentionCut>, { events }: { readonly events: number }) =>
    Effect.sync(() => {
      removed = events
      for (const cut of cuts) note(heldBy, cut)
      progress.update({ amount: events, things: events })
    })
  const retained = yield* retain(store, { ...rule, archive, each }).pipe(
    Effect.onInterrupt(() =>
      Effect.sync(() => progress.say(`stopped after ${counted(removed, "event")}: the same command goes on from there`))
    ),
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  const milliseconds = Math.round(performance.now() - started)
  yield* writeResult(
    {
      ...retained,
      heldBy: [...heldBy.values()],
      ...directory === undefined ? {} : { archive: directory },
      milliseconds
    },
    [
      `${summary("removed", retained)} in ${lasting(milliseconds)}`,
      ...[...heldBy.values()].map(({ by, events }) => printable(`${counted(events, "event")} stayed for ${reason(by)}`))
    ]
  )
})

/** Who holds events back, and how many. */
interface Holding {
  readonly by: RetentionBound
  events: number
}

const note = (heldBy: Map<string, Holding>, { boundedBy: by, held }: RetentionCut): void => {
  if (held === 0) return
  const name = JSON.stringify(by)
  const holding = heldBy.get(name) ?? { by, events: 0 }
  holding.events += held
  heldBy.set(name, holding)
}

interface Figures {
  readonly streams: number
  readonly events: number
  readonly held: number
}

const summary = (did: string, { events, held, streams }: Figures): string =>
  `${did} ${counted(events, "event")} of ${counted(streams, "stream")}; ${counted(held, "event")} held back`

const row = ({ boundedBy, first, held, removed, stream }: RetentionCut): string =>
  printable(
    `${stream}  ${counted(removed, "event")}, then begins at seq ${first}` +
      (held === 0 ? "" : `; ${counted(held, "event")} held back by ${reason(boundedBy)}`)
  )

const reason = (bound: RetentionBound): string => {
  switch (bound._tag) {
    case "Rule":
      return "the rule"
    case "Reader":
      return `reader ${JSON.stringify(bound.name)}, which has come to position ${bound.position}`
    case "Parked":
      return `processor ${JSON.stringify(bound.processor)}, which parked the event at position ${bound.position}`
    case "Snapshot":
      return `the snapshot of ${bound.projection}@${bound.version}`
  }
}

/** The command. */
export const retainCommand = Command.make("retain", config, run).pipe(
  Command.withDescription(
    "Remove the first events of streams by a rule: those that are too old, too many, or before a place, as far as " +
      "every registered reader has read them, no processor has parked them and no snapshot needs them. With " +
      "--archive they are written to files first. Streams number on as before. Running it again goes on from " +
      "wherever it was stopped."
  ),
  Command.withShortDescription("Shorten streams by age, count or place"),
  Command.withExamples([
    { command: "persist retain --prefix session/ --max-age 30d --dry-run", description: "What it would do" },
    {
      command: "persist retain --prefix session/ --max-age 30d --archive ./archive",
      description: "Archive what is older than 30 days, then remove it"
    },
    { command: "persist retain --prefix metric/ --max-count 1000", description: "Keep the last thousand of each" }
  ])
)
