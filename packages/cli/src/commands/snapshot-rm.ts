/** `persist snapshot rm`: the end of snapshots, never of an answer. */
import { deleteSnapshots } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { misuse } from "../failure.ts"
import { writeResult } from "../output.ts"
import { counted } from "../printable.ts"
import { snapshotFilter, snapshotFlags } from "../snapshot-filter.ts"
import { openStore } from "../store-url.ts"

const config = {
  ...snapshotFlags,
  all: Flag.Boolean("all").pipe(Flag.withDescription("Those of every projection"), Flag.withDefault(false)),
  force: Flag.Boolean("force").pipe(
    Flag.withDescription("Also those that stand in for removed events: what only they know is lost"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  if (options.all === Option.isSome(options.projection)) {
    const reason = options.all ? "is given beside --projection" : "is missing"
    return yield* misuse("--all", reason, "name a projection, or delete the snapshots of all with --all")
  }
  const filter = yield* snapshotFilter(options)
  const store = yield* openStore("write")
  const { deleted, kept } = yield* deleteSnapshots(store, { ...filter, force: options.force })
  const why = kept === 0 ? "" : `; kept ${counted(kept, "snapshot")}, which stand in for removed events`
  yield* writeResult({ deleted, kept }, [`deleted ${counted(deleted, "snapshot")}${why}`])
}, Effect.scoped)

/** The command. */
export const snapshotRmCommand = Command.make("rm", config, run).pipe(
  Command.withDescription(
    "Delete snapshots: the next load takes longer and answers the same. Where events were removed, the newest " +
      "snapshot that stands in for them stays, unless --force"
  ),
  Command.withShortDescription("Delete snapshots"),
  Command.withExamples([
    { command: "persist snapshot rm --projection churn --of-version 1", description: "Those of an old version" }
  ])
)
