/** `persist snapshot ls`: which snapshots there are. */
import { listSnapshots } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Json, writeLines } from "../output.ts"
import { snapshotFilter, snapshotFlags } from "../snapshot-filter.ts"
import { snapshotJson, snapshotRow } from "../snapshot-row.ts"
import { openStore } from "../store-url.ts"

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof snapshotFlags>) {
  const json = yield* Json
  const filter = yield* snapshotFilter(options)
  const store = yield* openStore("read")
  yield* Stream.runForEachArray(
    listSnapshots(store, filter),
    (page) => writeLines(page.map((snapshot) => json ? JSON.stringify(snapshotJson(snapshot)) : snapshotRow(snapshot)))
  )
}, Effect.scoped)

/** The command. */
export const snapshotLsCommand = Command.make("ls", snapshotFlags, run).pipe(
  Command.withDescription("List snapshots, oldest first within each projection, version and scope"),
  Command.withShortDescription("List snapshots"),
  Command.withExamples([{ command: "persist snapshot ls --projection churn", description: "Those of one projection" }])
)
