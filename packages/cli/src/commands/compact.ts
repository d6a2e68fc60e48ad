/** `persist compact`: a stream made shorter by a snapshot that stands in for its first events. */
import { compact, type Compacted, type CompactionBound } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { snapshotJson } from "../snapshot-row.ts"
import { openStore } from "../store-url.ts"
import { loadProjection, moduleFlag, tellingCause } from "../user-module.ts"

const config = {
  stream: Flag.String("stream").pipe(Flag.withDescription("The stream to shorten")),
  module: moduleFlag("the projection whose snapshot stands in for what is removed"),
  keep: Flag.Int("keep").pipe(Flag.withDescription("How many snapshots to keep"), Flag.withDefault(2)),
  keepEvents: Flag.Int("keep-events").pipe(
    Flag.withDescription("How many of the last events stay readable"),
    Flag.withDefault(1)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only tell what it would do"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const { dryRun, keep, keepEvents, stream } = options
  const projection = yield* loadProjection(options.module)
  const store = yield* openStore(dryRun ? "read" : "write")
  const compacted = yield* tellingCause(compact(store, { projection, stream, keep, keepEvents, dryRun }))
  const { boundedBy, first, removed, snapshot } = compacted
  yield* writeResult(
    {
      stream,
      removed,
      first,
      dryRun,
      boundedBy,
      snapshot: snapshot === undefined ? null : snapshotJson(snapshot)
    },
    [summary(compacted, dryRun)]
  )
}, Effect.scoped)

const summary = ({ boundedBy, first, removed, stream }: Compacted, dryRun: boolean): string =>
  printable(
    `${dryRun ? "would remove" : "removed"} ${counted(removed, "event")} of ${stream}, which begins at seq ${first}; ` +
      `no more because of ${reason(boundedBy)}`
  )

const reason = (bound: CompactionBound): string => {
  switch (bound._tag) {
    case "Snapshot":
      return `the snapshot, which knows its history by seq ${bound.seq}`
    case "Keep":
      return `--keep-events ${bound.events}`
    case "Reader":
      return `reader ${JSON.stringify(bound.name)}, which has come to position ${bound.position}`
    case "Parked":
      return `processor ${JSON.stringify(bound.processor)}, which parked the event at position ${bound.position}`
  }
}

/** The command. */
export const compactCommand = Command.make("compact", config, run).pipe(
  Command.withDescription(
    "Save a projection's state of a stream and remove the events it stands in for, in one commit; never one that a " +
      "registered reader has yet to read. The projection answers as before; what the events were is gone."
  ),
  Command.withShortDescription("Shorten a stream below a snapshot"),
  Command.withExamples([
    { command: "persist compact --stream cart/1 --module ./cart.ts --dry-run", description: "What it would do" },
    {
      command: "persist compact --stream cart/1 --module ./cart.ts --keep-events 100",
      description: "Keep the last 100"
    }
  ])
)
